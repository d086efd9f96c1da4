//===- BpeModel.h - Byte pair encoding of words -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A word's symbols, bytes or characters, are joined by the merge of lowest
// rank first, on ties from the left, until none is left to make (Sennrich et
// al., Neural Machine Translation of Rare Words with Subword Units, 3.2).
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_BPEMODEL_H
#define TESSERA_RUNTIME_TOKENIZER_BPEMODEL_H

#include "runtime/tokenizer/MergeQueue.h"
#include "runtime/tokenizer/PairTable.h"
#include "runtime/tokenizer/WordCache.h"
#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tessera::runtime {

/// What a model is made of.
struct BpeParts {
  std::vector<std::pair<std::string, int32_t>> vocabulary;
  std::vector<std::pair<std::string, std::string>> merges; ///< by rank
  std::string unknown;       ///< the token of what is in no other; may be empty
  bool fuseUnknown = false;  ///< one for a run of them
  bool byteFallback = false; ///< the tokens <0x00> to <0xFF> before that
  bool ignoreMerges = false; ///< a word that is a token is taken as it is
  bool byteLevel = false;    ///< symbols are bytes, written as characters
};

/// The character that stands for a byte in the tokens of byte-level models.
char32_t characterOfByte(unsigned char byte);
/// The byte that \p character stands for; -1: none.
int byteOfCharacter(char32_t character);

/// What encoding needs beside the model, one for a thread: it only grows.
struct BpeScratch {
  WordCache cache;
  struct Symbol {
    int32_t id, previous, next;
  };
  std::vector<int32_t> symbols, ends;
  std::vector<uint32_t> ranks;
  std::vector<Symbol> chain;
  MergeQueue merges;
};

class BpeModel {
public:
  /// Null, with the reason in \p error, which names the place in the file.
  static std::unique_ptr<BpeModel> make(const BpeParts &parts,
                                        std::string &error);

  /// The largest id and one.
  int32_t size() const { return static_cast<int32_t>(tokens.size()); }
  size_t count() const { return ids.size(); }
  bool byteLevel() const { return isByteLevel; }
  /// -1: there is none.
  int32_t idOf(std::string_view token) const;
  /// Null: there is none.
  const std::string *tokenOf(int32_t id) const;

  /// Appends the ids of the word \p word, which is valid UTF-8 and not empty.
  void encode(std::string_view word, BpeScratch &scratch,
              std::vector<int32_t> &out) const;

private:
  BpeModel() = default;
  void readSymbols(std::string_view word, BpeScratch &scratch) const;
  void encodeParts(std::string_view word, BpeScratch &scratch,
                   std::vector<int32_t> &out) const;
  void encodePart(std::string_view part, BpeScratch &scratch,
                  std::vector<int32_t> &out) const;
  void mergeShort(BpeScratch &scratch) const;
  void mergeLong(BpeScratch &scratch) const;
  int32_t idOfCharacter(char32_t character, std::string_view bytes) const;
  void noteNeighbours(const BpeParts &parts);

  bool isByteLevel = false, fuseUnknown = false, byteFallback = false,
       ignoreMerges = false, isCut = false;
  int32_t unknown = -1;
  std::unordered_map<std::string, int32_t, StringHash, std::equal_to<>> ids;
  /// By the bytes that a byte-level token stands for; of words that are taken
  /// as they are.
  std::unordered_map<std::string, int32_t, StringHash, std::equal_to<>> whole;
  std::vector<std::string> tokens;   ///< by id
  std::vector<bool> taken;           ///< whether an id has a token
  std::array<int32_t, 256> byteIds;  ///< of a symbol, or of <0xXX>; -1: none
  std::vector<int32_t> characterIds; ///< of the first 65,536 characters
  PairTable merges;
  size_t mergeCount = 0;
  /// Characters or bytes that stand side by side in a token: between others
  /// no merge joins anything.
  PairTable neighbours;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_BPEMODEL_H
