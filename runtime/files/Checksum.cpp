//===- Checksum.cpp - Checksums of files ----------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/Checksum.h"
#include <algorithm>
#include <array>
#include <cstring>

namespace tessera::runtime {

static constexpr std::array<uint32_t, 256> table = [] {
  std::array<uint32_t, 256> remainders{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit)
      remainder = remainder >> 1 ^ (remainder & 1 ? 0x82f63b78u : 0);
    remainders[byte] = remainder;
  }
  return remainders;
}();

static uint32_t addBytes(const unsigned char *data, int64_t bytes,
                         uint32_t state) {
  for (int64_t i = 0; i < bytes; ++i)
    state = table[(state ^ data[i]) & 255] ^ state >> 8;
  return state;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
addWords(const unsigned char *data, int64_t words, uint32_t state) {
  uint64_t wide = state;
  for (int64_t i = 0; i < words; ++i) {
    uint64_t word;
    memcpy(&word, data + 8 * i, 8);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  return static_cast<uint32_t>(wide);
}
#endif

uint32_t checksum(const void *data, int64_t bytes, uint32_t before) {
  auto *next = static_cast<const unsigned char *>(data);
  uint32_t state = ~before;
#ifdef __x86_64__
  static const bool fast = __builtin_cpu_supports("sse4.2");
  if (fast) {
    state = addWords(next, bytes / 8, state);
    next += bytes / 8 * 8;
    bytes %= 8;
  }
#endif
  return ~addBytes(next, bytes, state);
}

void BlockChecksums::add(const void *data, int64_t bytes) {
  auto *next = static_cast<const char *>(data);
  while (bytes > 0) {
    int64_t inBlock = position % blockBytes;
    int64_t count = std::min(bytes, blockBytes - inBlock);
    uint32_t &block = blocks[position / blockBytes];
    block = checksum(next, count, inBlock ? block : 0);
    position += count;
    next += count;
    bytes -= count;
  }
}

} // namespace tessera::runtime
