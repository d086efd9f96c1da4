//===- TextScorer.h - How likely the tokens of texts are --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_GENERATION_TEXTSCORER_H
#define TESSERA_RUNTIME_GENERATION_TEXTSCORER_H

#include "runtime/generation/Logprobs.h"
#include "runtime/program/Context.h"
#include <span>
#include <vector>

namespace tessera::runtime {

/// Tokens [begin, end) of a text, of which the last \p scored are asked for.
struct TextWindow {
  size_t begin, end, scored;
};

/// The windows in which the last \p scored of \p tokens tokens are scored, each
/// once, by a model that reads \p context tokens: each window begins as early
/// as it can. Where one is not enough the first one scores \p context tokens,
/// and each later one as many as are left (the loglikelihood_rolling of
/// lm-evaluation-harness). At least one token stands before the scored ones.
std::vector<TextWindow> textWindows(size_t tokens, size_t scored,
                                    size_t context);

/// Runs the program `score` of a model that generates, with the cache's first
/// slot.
///
/// Tokens are computed in chunks that begin at multiples of the program's rows.
/// What a chunk has in common with the text before it is not computed again,
/// and so a text's scores do not depend on it.
class TextScorer {
public:
  /// \p context has the program's arena and the weights. Exits the process
  /// where the program lacks an input or output.
  explicit TextScorer(const tessera_context &context);

  /// The most tokens that the model reads.
  int64_t context() const { return ownContext.manifest->model.sequence; }

  /// Scores the last \p scored of \p tokens, each after those before it: it and
  /// the likeliest tokens of its place. The first token is not scored, and
  /// there are at most context() + 1.
  std::vector<TokenLogprobs> score(std::span<const int32_t> tokens,
                                   size_t scored);

private:
  /// Rows [begin, begin + count) of \p tokens, and what they say of the token
  /// behind each.
  void run(std::span<const int32_t> tokens, size_t begin, size_t count);

  tessera_context ownContext;
  const tessera_entry &entry;
  size_t rows;               ///< of a chunk
  std::vector<int32_t> held; ///< tokens whose keys and values the slot has
  // Of the chunk that ran last: [rows], [likeliest, rows] twice.
  std::vector<float> ofTargets, logs;
  std::vector<int32_t> likeliest;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_GENERATION_TEXTSCORER_H
