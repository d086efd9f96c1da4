//===- TextFile.h - Texts to be tokenized -----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_TEXTFILE_H
#define TESSERA_RUNTIME_TOKENIZER_TEXTFILE_H

#include "runtime/files/InputFile.h"
#include <memory>
#include <string>
#include <string_view>

namespace tessera::runtime {

/// Takes bytes apart that a format has packed, piece by piece.
class Unpacker {
public:
  virtual ~Unpacker() = default;
  /// Unpacks from [input, inputEnd) to [output, outputEnd) and moves both
  /// beginnings on. False with the reason in \p error.
  virtual bool unpack(const char *&input, const char *inputEnd, char *&output,
                      char *outputEnd, std::string &error) = 0;
  /// Whether what was packed ends with the bytes so far.
  virtual bool isWhole() const = 0;
};

/// A file of text, read from its beginning to its end; unpacked where it is
/// gzip or zstd, whatever its name.
class TextFile {
public:
  /// Null with the reason in \p error, where it cannot be read or is known to
  /// be something else.
  static std::unique_ptr<TextFile> open(const std::string &path,
                                        std::string &error);

  /// Appends up to \p most bytes to \p text, none at the end. False with the
  /// reason, which names the file, in \p error.
  bool read(std::string &text, size_t most, std::string &error);

  /// Bytes of the file, and those read of it so far.
  int64_t size() const { return file->size(); }
  int64_t position() const { return offset - (inputEnd - input); }
  const std::string &path() const { return file->path(); }

private:
  TextFile() = default;
  bool refill(std::string &error);

  std::unique_ptr<InputFile> file;
  std::unique_ptr<Unpacker> unpacker; ///< null: it is not packed
  std::string packed;
  const char *input = nullptr, *inputEnd = nullptr;
  int64_t offset = 0;
};

/// The text under \p field in \p line, a JSON object. False with the reason in
/// \p error.
bool fieldOfLine(std::string_view line, const std::string &field,
                 std::string &text, std::string &error);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_TEXTFILE_H
