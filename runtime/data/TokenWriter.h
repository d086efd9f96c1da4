//===- TokenWriter.h - Writing files of tokens ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_TOKENWRITER_H
#define TESSERA_RUNTIME_DATA_TOKENWRITER_H

#include "runtime/files/Output.h"
#include <string>
#include <vector>

namespace tessera::runtime {

/// Bytes of a token in a file: 2 (u16) where the \p vocabulary is below 65,500,
/// else 4 (i32).
int64_t tokenBytes(int64_t vocabulary);

/// Appends \p ids to \p bytes as they lie in a file of \p bytesPerToken each.
void packTokens(const std::vector<int32_t> &ids, int64_t bytesPerToken,
                std::string &bytes);

/// Writes a pair PREFIX.bin and PREFIX.idx ("MMIDIDX", Megatron's format) that
/// TokenFile reads, a sequence for each document. Both are there when they are
/// whole.
class TokenWriter {
public:
  /// Tokens have tokenBytes(vocabulary) each. False, as of the next two, with
  /// the reason in error().
  bool open(const std::string &prefix, int64_t vocabulary);

  int64_t bytesPerToken() const { return width; }
  const char *typeName() const { return width == 2 ? "u16" : "i32"; }

  /// Adds documents of \p lengths tokens, whose packed tokens are \p bytes.
  bool add(const std::vector<int32_t> &lengths, const std::string &bytes);
  /// Ends both files.
  bool commit();

  int64_t documents() const { return static_cast<int64_t>(all.size()); }
  int64_t tokens() const { return count; }
  const std::string &error() const { return reason; }

private:
  bool refuse(const OutputFile &file);

  OutputFile content, index;
  int64_t width = 4, count = 0;
  std::vector<int32_t> all; ///< lengths
  std::string reason;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_TOKENWRITER_H
