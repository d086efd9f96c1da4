//===- TokenizerFile.h - The text of a tokenizer.json -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_TOKENIZERFILE_H
#define TESSERA_RUNTIME_TOKENIZER_TOKENIZERFILE_H

#include "runtime/files/JsonCursor.h"
#include <utility>
#include <vector>

namespace tessera::runtime {

/// A tokenizer.json whose two large parts are lists: as trees they would take
/// many times their size, and a second where it takes a tenth.
struct TokenizerFile {
  JsonCursor::Json tree; ///< all but model.vocab and model.merges
  bool hasVocabulary = false, hasMerges = false;
  std::vector<std::pair<std::string, int32_t>> vocabulary;
  std::vector<std::pair<std::string, std::string>> merges;
};

/// Throws JsonCursor::Refusal, with the place, where \p text is no JSON, an
/// object of it has a key twice, or the two parts have other values than a
/// model of byte pairs has.
TokenizerFile parseTokenizerFile(const std::string &text);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_TOKENIZERFILE_H
