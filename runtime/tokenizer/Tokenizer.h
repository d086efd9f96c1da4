//===- Tokenizer.h - Texts to the ids of tokens, and back -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads the file tokenizer.json of published models of byte pairs and gives the
// ids that the library which writes those files gives (docs/tokenizers.md).
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_TOKENIZER_H
#define TESSERA_RUNTIME_TOKENIZER_TOKENIZER_H

#include "runtime/tokenizer/AddedTokens.h"
#include "runtime/tokenizer/BpeModel.h"
#include "runtime/tokenizer/Decoder.h"
#include "runtime/tokenizer/Normalizer.h"
#include "runtime/tokenizer/PreTokenizer.h"
#include <set>

namespace tessera::runtime {

/// What encoding needs beside the tokenizer, one for each thread. It grows to
/// what the longest text takes, so that no word allocates.
struct TokenizerScratch {
  BpeScratch bpe;
  std::vector<PreTokenizerScratch> splits;
  std::vector<TextPart> parts, normalizedParts;
  std::string repaired, text, other;
};

struct EncodeOptions {
  bool addSpecial = false; ///< tokens that the file puts around each text
  bool findSpecial = true; ///< special tokens in the text count as such
};

class Tokenizer {
public:
  /// Reads the file \p path, or tokenizer.json in that folder. Null with the
  /// reason, which names the file and the place, in \p error.
  static std::unique_ptr<Tokenizer> open(const std::string &path,
                                         std::string &error);
  /// The same for the file's \p text.
  static std::unique_ptr<Tokenizer> parse(const std::string &text,
                                          std::string &error);

  /// The largest id and one.
  int32_t vocabularySize() const { return vocabulary; }
  /// -1: there is none.
  int32_t idOf(std::string_view token) const;
  /// Null: there is none.
  const std::string *tokenOf(int32_t id) const;
  bool isSpecial(int32_t id) const;

  /// Appends the ids of \p text to \p out. Bytes that are no UTF-8 count as
  /// U+FFFD, as appendRepaired() says. False with the reason in \p error where
  /// a regular expression takes too many steps or the text is of 2 GiB or more.
  bool encode(std::string_view text, EncodeOptions options,
              TokenizerScratch &scratch, std::vector<int32_t> &out,
              std::string &error) const;

  /// The text of \p ids, without special tokens where \p skipSpecial. Ids that
  /// no token has are left out.
  std::string decode(const std::vector<int32_t> &ids, bool skipSpecial) const;

  const Decoder &textDecoder() const { return decoder; }

private:
  friend class TokenizerReader;
  Tokenizer() = default;
  bool encodePiece(std::string_view piece, bool first,
                   const EncodeOptions &options, TokenizerScratch &scratch,
                   std::vector<int32_t> &out, std::string &error) const;

  std::unique_ptr<BpeModel> model;
  Normalizer normalizer;
  PreTokenizer preTokenizer;
  Decoder decoder;
  AddedTokens rawTokens, normalizedTokens;
  std::unordered_map<int32_t, std::string> added; ///< by id
  std::unordered_map<std::string, int32_t, StringHash, std::equal_to<>>
      addedIds;
  std::set<std::string> special;
  std::vector<int32_t> before, behind; ///< around a text, of the template
  int32_t vocabulary = 0;
};

/// The text of ids that come one by one.
class DecodeStream {
public:
  DecodeStream(const Tokenizer &tokenizer, bool skipSpecial)
      : tokenizer(tokenizer), run(tokenizer.textDecoder()),
        skipSpecial(skipSpecial) {}
  /// Appends to \p out what is certain with \p id: whole characters, which no
  /// later id changes.
  void push(int32_t id, std::string &out);
  /// Appends the rest: U+FFFD for what was no character.
  void finish(std::string &out) { run.finish(out); }

private:
  const Tokenizer &tokenizer;
  DecoderRun run;
  bool skipSpecial;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_TOKENIZER_H
