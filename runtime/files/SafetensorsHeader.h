//===- SafetensorsHeader.h - The header of a tensor file --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_FILES_SAFETENSORSHEADER_H
#define TESSERA_RUNTIME_FILES_SAFETENSORSHEADER_H

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::runtime {

/// The longest header that the format allows, in bytes.
constexpr int64_t maxHeaderBytes = 100'000'000;

/// What a header says.
struct SafetensorsHeader {
  struct Entry {
    std::string name;
    std::string dtype;
    std::vector<int64_t> shape;
    int64_t begin = 0, end = 0; ///< bytes from the header's end
  };
  /// In the order of their data, which they cover without gaps.
  std::vector<Entry> entries;
  /// `__metadata__`.
  std::map<std::string, std::string> metadata;
};

/// Reads the header \p text of a file with \p dataBytes bytes of data behind
/// it. False with the reason in \p error where it breaks the format: it is an
/// object of at most maxHeaderBytes bytes of JSON, names are there once,
/// numbers are whole, and the tensors cover the data, each with the bytes of
/// its type and shape. A type that typeBytes does not know may have any number
/// of bytes; who wants the tensor refuses it. Takes memory in proportion to
/// \p text.
bool parseSafetensorsHeader(std::string_view text, int64_t dataBytes,
                            SafetensorsHeader &header, std::string &error);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_FILES_SAFETENSORSHEADER_H
