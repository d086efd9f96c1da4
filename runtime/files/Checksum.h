//===- Checksum.h - Checksums of files --------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// CRC32C (RFC 3720, appendix B.4: the Castagnoli polynomial, reflected). It
// finds every single flipped bit and every burst of up to 32.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_FILES_CHECKSUM_H
#define TESSERA_RUNTIME_FILES_CHECKSUM_H

#include <cstdint>
#include <span>

namespace tessera::runtime {

/// The checksum of \p bytes at \p data; \p before is that of what comes before
/// them, 0 for nothing.
uint32_t checksum(const void *data, int64_t bytes, uint32_t before = 0);

/// A file's checksums, one for each block of \p blockBytes, made while the file
/// is written. Allocates nothing.
class BlockChecksums {
public:
  /// \p blocks is filled in; it has room for all blocks of the file.
  BlockChecksums(std::span<uint32_t> blocks, int64_t blockBytes)
      : blocks(blocks), blockBytes(blockBytes) {}

  void add(const void *data, int64_t bytes);

  /// The blocks that a file of \p bytes has.
  static int64_t count(int64_t bytes, int64_t blockBytes) {
    return (bytes + blockBytes - 1) / blockBytes;
  }

private:
  std::span<uint32_t> blocks;
  int64_t blockBytes, position = 0;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_FILES_CHECKSUM_H
