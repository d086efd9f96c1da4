//===- TextCodec.h - Texts of a model's tokens ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An executable may hold a tokenizer. What reads it is linked only then
// (EmbeddedTokenizer.cpp), so that commands see no more than this.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_GENERATION_TEXTCODEC_H
#define TESSERA_RUNTIME_GENERATION_TEXTCODEC_H

#include "runtime/program/Manifest.h"
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::runtime {

/// The text of tokens that come one by one.
class TextStream {
public:
  virtual ~TextStream() = default;
  /// Appends to \p out what is certain with \p token: whole characters, and
  /// where all bytes are texts those that belong to none.
  virtual void push(int32_t token, std::string &out) = 0;
  /// Appends what is left.
  virtual void finish(std::string &out) = 0;
};

/// How documents lie in a file of text.
struct TextForm {
  std::string field = "text"; ///< of a line of a .jsonl
  bool lines = false;         ///< each line of another file is one
  std::string end;            ///< the token behind each; empty: the model's
  bool noEnd = false;         ///< no token is behind them
};

/// What a file of text becomes.
struct TextTotals {
  int64_t documents = 0, tokens = 0;
  std::vector<std::string> warnings;
};

/// Makes data of texts.
class DocumentEncoder {
public:
  virtual ~DocumentEncoder() = default;

  /// Writes the tokens of the documents in the file \p path to \p descriptor,
  /// of \p bytesPerToken (TokenWriter.h) each, by all cores, and shows on the
  /// standard error how far it is. False with the reason in \p error. Runs on
  /// one thread at a time, and ends no process.
  virtual bool encodeFile(const std::string &path, const TextForm &form,
                          int descriptor, int64_t bytesPerToken,
                          bool showsProgress, TextTotals &totals,
                          std::string &error) = 0;
  /// The tokens of \p text alone. False with the reason in \p error.
  virtual bool encodeText(std::string_view text, std::vector<int32_t> &tokens,
                          std::string &error) = 0;
  /// The text of a file, unpacked where it is packed. False with the reason in
  /// \p error.
  virtual bool readText(const std::string &path, std::string &text,
                        std::string &error) = 0;
};

class TextCodec {
public:
  virtual ~TextCodec() = default;
  /// The tokens of \p text, with those that begin a text. Exits the process
  /// where it has none.
  virtual std::vector<int32_t> encode(std::string_view text) = 0;
  /// What tokens behind \p before add to its text.
  virtual std::unique_ptr<TextStream>
  decode(std::span<const int32_t> before = {}) = 0;
  /// The token whose name is \p name ("</s>"); -1: there is none.
  virtual int32_t tokenNamed(std::string_view name) = 0;
  /// The ids of tokens by what the published model has them for, such as
  /// ("eos_token", 2).
  virtual std::vector<std::pair<std::string, int32_t>> namedTokens() {
    return {};
  }
  /// Whether all bytes are texts, not UTF-8 alone.
  virtual bool takesBytes() const = 0;
  /// Null where a text's bytes are its tokens.
  virtual DocumentEncoder *documents() { return nullptr; }
};

/// What the tokens of \p model stand for: the executable's tokenizer, or bytes
/// at a vocabulary of 256; null where it is not known. Exits the process where
/// the tokenizer cannot be read.
std::unique_ptr<TextCodec> textCodec(const Model &model);

/// The file tokenizer.json in the executable; empty where it has none.
std::string_view embeddedTokenizer();

/// The file tokenizer_config.json that was beside it; empty for none.
std::string_view embeddedTokenizerConfig();

/// The token that ends a document, as the published model has it; empty where
/// it is not known.
const char *embeddedTextEnd();

/// Says what textCodec() makes of the embedded file. Called before main.
void registerTextCodec(std::unique_ptr<TextCodec> (*open)(std::string_view));

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_GENERATION_TEXTCODEC_H
