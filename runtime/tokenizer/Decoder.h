//===- Decoder.h - Tokens back into text ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_DECODER_H
#define TESSERA_RUNTIME_TOKENIZER_DECODER_H

#include "runtime/tokenizer/Normalizer.h"
#include "runtime/tokenizer/PreTokenizer.h"

namespace tessera::runtime {

/// What makes text of tokens: steps, each of which changes the tokens of the
/// one before it or makes one of all of them.
class Decoder {
public:
  struct Step {
    enum class Kind {
      Join, ///< with spaces between tokens, where no decoder is given
      ByteLevel,
      Replace,
      ByteFallback,
      Fuse,
      Strip,
      Metaspace
    } kind;
    Replacement replacement;           ///< of Replace
    std::string text;                  ///< a character, of Strip and Metaspace
    size_t fromStart = 0, fromEnd = 0; ///< of Strip: the most it takes away
    PrependScheme scheme = PrependScheme::Always; ///< of Metaspace
  };

  void add(Step step) { steps.push_back(std::move(step)); }
  const std::vector<Step> &all() const { return steps; }

private:
  std::vector<Step> steps;
};

/// The decoding of one text: gives what no later token can change, which never
/// ends within a character, and the rest in the end.
class DecoderRun {
public:
  explicit DecoderRun(const Decoder &decoder)
      : steps(decoder.all()), states(steps.size()) {}

  /// Appends to \p out what is certain with \p token.
  void push(std::string_view token, std::string &out) {
    feed(0, token, true, out);
  }
  /// Appends the rest.
  void finish(std::string &out);

private:
  struct State {
    std::string held;  ///< bytes of characters, or text, not yet passed on
    size_t left = 0;   ///< of Strip: how many it may still take at the start
    size_t tokens = 0; ///< that have begun
  };

  /// Gives \p text to a step; \p opens: it begins a token.
  void feed(size_t index, std::string_view text, bool opens, std::string &out);
  void flushBytes(size_t index, std::string &out);

  const std::vector<Decoder::Step> &steps;
  std::vector<State> states;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_DECODER_H
