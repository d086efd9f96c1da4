//===- DataFingerprint.cpp - Whether data is the same ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/DataFingerprint.h"
#include "runtime/core/Error.h"
#include "runtime/files/Checksum.h"
#include <cinttypes>
#include <cstdio>

namespace tessera::runtime {

DataFingerprint fingerprintOf(const InputFile &file,
                              std::initializer_list<int64_t> reading) {
  DataFingerprint result;
  result.bytes = file.size();
  std::string error;
  if (!file.sampledChecksum(result.checksum, error))
    fatal("%s", error.c_str());
  for (int64_t number : reading)
    result.checksum = checksum(&number, sizeof number, result.checksum);
  return result;
}

std::string describe(const DataFingerprint &fingerprint) {
  char text[64];
  snprintf(text, sizeof text, "%" PRId64 " bytes, checksum %08x",
           fingerprint.bytes, fingerprint.checksum);
  return text;
}

} // namespace tessera::runtime
