//===- TokenFile.h - Files of tokens ----------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_TOKENFILE_H
#define TESSERA_RUNTIME_DATA_TOKENFILE_H

#include "runtime/data/DataFingerprint.h"
#include "runtime/files/InputFile.h"
#include <optional>
#include <vector>

namespace tessera::runtime {

/// How a token lies in a file, little-endian.
enum class TokenType { U8, I8, U16, I16, U32, I32, I64 };

const char *nameOf(TokenType type);
int64_t bytesOf(TokenType type);

/// What --data-type says: u8, u16 or i32; none for another word.
std::optional<TokenType> tokenTypeNamed(const std::string &name);

/// A token that the model has not.
struct StrangeToken {
  int64_t position = -1; ///< its place in the stream; -1: there is none
  int64_t value = 0;
};

/// A stream of tokens in a file: the pair PREFIX.idx ("MMIDIDX", Megatron's
/// format) and PREFIX.bin, given by its prefix or either name, documents one
/// after the other; a .bin of llm.c, whose header says its type; or any other
/// file as it is, of the type that is given, or bytes where the vocabulary is
/// 256.
class TokenFile {
public:
  /// Exits the process where the file cannot be read, is damaged, is known to
  /// be something else, or does not say what it holds. \p type is the user's,
  /// for a file without a header.
  TokenFile(const std::string &path, int64_t vocabulary,
            std::optional<TokenType> type = {});
  /// The tokens that have been made of a text, whose path \p content has.
  TokenFile(std::unique_ptr<InputFile> content, TokenType type,
            int64_t vocabulary);

  int64_t count() const { return tokens; }
  const std::string &path() const { return filePath; }
  TokenType type() const { return tokenType; }
  int64_t vocabularySize() const { return vocabulary; }
  /// The file that holds the tokens.
  const InputFile &content() const { return *file; }
  /// What distinguishes its content, and how that is read, from others. Exits
  /// the process where it cannot be read.
  DataFingerprint fingerprint() const;
  /// How the data is read: "bytes", "u16 tokens", "MMIDIDX i32", "llm.c u16",
  /// "text u16".
  std::string form() const;

  /// Copies tokens [begin, begin + n). False with the reason in \p error, and
  /// zeros in place of tokens, where the file has shrunk or cannot be read or a
  /// token is outside the vocabulary. Allocates nothing where it succeeds.
  bool read(int64_t begin, int64_t n, int32_t *destination,
            std::string &error) const;

  /// The tokens of each sequence, one after the other: a document, where the
  /// file says so, else all. False with the reason in \p error where the index
  /// cannot be read any more.
  bool readSequences(std::vector<int32_t> &lengths, std::string &error) const;

  /// Whether a token of this type can be outside the vocabulary.
  bool canHoldStrange() const;
  /// The first token of [begin, begin + n) that is outside the vocabulary.
  /// False with the reason in \p error where the file cannot be read. Any
  /// threads may call it at the same time.
  bool findStrange(int64_t begin, int64_t n, StrangeToken &found,
                   std::string &error) const;
  /// The error of a token outside the vocabulary.
  std::string describe(const StrangeToken &token) const;

  /// Samples of \p length + 1 tokens that overlap by one.
  int64_t samples(int64_t length) const {
    return tokens > 0 ? (tokens - 1) / length : 0;
  }

private:
  void openIndex(const std::string &prefix);
  void openPlain(std::optional<TokenType> type);
  bool openLlmC();
  void requireType(const char *format, std::optional<TokenType> given) const;
  template <typename Token>
  bool copy(int64_t begin, int64_t n, int32_t *destination,
            std::string &error) const;
  template <typename Token>
  bool find(int64_t begin, int64_t n, StrangeToken &found,
            std::string &error) const;

  std::string filePath;
  int64_t vocabulary, tokens = 0, start = 0; ///< of the tokens, in bytes
  TokenType tokenType = TokenType::U8;
  const char *format = ""; ///< "MMIDIDX", "llm.c", "text" or empty
  bool byDefault = false;  ///< bytes since nothing else was said
  std::unique_ptr<InputFile> file;
  std::string indexPath; ///< of MMIDIDX
  int64_t sequences = 0;
};

/// Whether \p path names a file of tokens that says so: an MMIDIDX pair, a
/// .bin, or a file of llm.c.
bool isTokenFile(const std::string &path);

/// What a file whose first \p bytes are at \p head is known to be, if it is not
/// a stream of tokens: "gzip", "a NumPy array", ...; null for all else. \p size
/// is the file's.
const char *knownFormat(const char *head, int64_t bytes, int64_t size);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_TOKENFILE_H
