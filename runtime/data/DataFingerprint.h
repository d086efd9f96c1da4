//===- DataFingerprint.h - Whether data is the same -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_DATAFINGERPRINT_H
#define TESSERA_RUNTIME_DATA_DATAFINGERPRINT_H

#include "runtime/files/InputFile.h"
#include <cstdint>
#include <initializer_list>
#include <string>

namespace tessera::runtime {

/// What distinguishes data from other data, whatever its path.
struct DataFingerprint {
  int64_t bytes = 0;     ///< of the file that holds it
  uint32_t checksum = 0; ///< CRC32C of samples of its content
  bool operator==(const DataFingerprint &) const = default;
};

/// The fingerprint of \p file, of which sampledChecksum() reads samples, and of
/// the numbers \p reading, which say how its content is read. Exits the process
/// where it cannot be read.
DataFingerprint fingerprintOf(const InputFile &file,
                              std::initializer_list<int64_t> reading);

/// "1234 bytes, checksum 0123abcd".
std::string describe(const DataFingerprint &fingerprint);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_DATAFINGERPRINT_H
