//===- BpeTrainer.h - Learning a tokenizer ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_BPETRAINER_H
#define TESSERA_RUNTIME_TOKENIZER_BPETRAINER_H

#include "runtime/tokenizer/PairTable.h"
#include "runtime/tokenizer/Scanners.h"
#include <string>
#include <unordered_map>
#include <vector>

namespace tessera::runtime {

/// How often words stand in texts.
class WordCounts {
public:
  explicit WordCounts(KnownSplit split) : split(split) {}

  /// Adds the words of \p text, which is valid UTF-8.
  void add(std::string_view text);
  /// Adds those of \p other.
  void add(const WordCounts &other);

  using Map =
      std::unordered_map<std::string, int64_t, StringHash, std::equal_to<>>;
  const Map &all() const { return counts; }

private:
  KnownSplit split;
  Map counts;
};

/// Learns byte pair encoding of bytes: joins the pair of symbols that stands
/// most often in all words, on ties that of lower ids, until the vocabulary has
/// \p size tokens or no pair is there \p least times (Sennrich et al., Neural
/// Machine Translation of Rare Words with Subword Units, 3.2). The vocabulary
/// begins with \p special and the 256 bytes.
struct BpeTraining {
  size_t size = 32000;
  int64_t least = 0;
  std::vector<std::string> special;
  KnownSplit split = KnownSplit::Bloom;

  /// The text of the tokenizer.json.
  std::string run(const WordCounts &words) const;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_BPETRAINER_H
