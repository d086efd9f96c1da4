//===- Sha256.h - Hashes that identify content ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_FILES_SHA256_H
#define TESSERA_RUNTIME_FILES_SHA256_H

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tessera::runtime {

/// SHA-256 (FIPS 180-4), what `sha256sum` prints of a file.
class Sha256 {
public:
  void add(std::string_view bytes);
  /// Of all that was added, as 64 hexadecimal digits. Called once.
  std::string finish();

private:
  void addBlock(const unsigned char *bytes);

  std::array<uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                   0xa54ff53a, 0x510e527f, 0x9b05688c,
                                   0x1f83d9ab, 0x5be0cd19};
  unsigned char rest[64];
  uint64_t length = 0; ///< bytes
};

std::string sha256(std::string_view bytes);

/// Of the file \p path, which errors call \p what ("the graph "). Empty with
/// the reason in \p error where it cannot be read.
std::string fileSha256(const std::string &path, const char *what,
                       std::string &error);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_FILES_SHA256_H
