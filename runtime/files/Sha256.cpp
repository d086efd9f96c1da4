//===- Sha256.cpp - Hashes that identify content --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/Sha256.h"
#include "runtime/files/InputFile.h"
#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>

namespace tessera::runtime {

/// FIPS 180-4, 4.2.2: the fractions of the cube roots of the first primes.
static constexpr uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

void Sha256::addBlock(const unsigned char *bytes) {
  using std::rotr;
  uint32_t w[64];
  for (int i = 0; i < 16; ++i)
    w[i] = uint32_t(bytes[4 * i]) << 24 | uint32_t(bytes[4 * i + 1]) << 16 |
           uint32_t(bytes[4 * i + 2]) << 8 | bytes[4 * i + 3];
  for (int i = 16; i < 64; ++i) {
    uint32_t s0 = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    uint32_t s1 = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (int i = 0; i < 64; ++i) {
    uint32_t t1 = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
                  ((e & f) ^ (~e & g)) + constants[i] + w[i];
    uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) +
                  ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1;
    d = c, c = b, b = a, a = t1 + t2;
  }
  const uint32_t sums[8] = {a, b, c, d, e, f, g, h};
  for (int i = 0; i < 8; ++i)
    state[i] += sums[i];
}

void Sha256::add(std::string_view bytes) {
  const auto *data = reinterpret_cast<const unsigned char *>(bytes.data());
  size_t size = bytes.size(), held = length % 64;
  length += size;
  if (held) {
    size_t taken = std::min(size, 64 - held);
    memcpy(rest + held, data, taken);
    if (held + taken < 64)
      return;
    addBlock(rest);
    data += taken;
    size -= taken;
  }
  for (; size >= 64; data += 64, size -= 64)
    addBlock(data);
  if (size)
    memcpy(rest, data, size);
}

std::string Sha256::finish() {
  uint64_t bits = length * 8;
  // A one, zeros, and the length in the last 8 of a block.
  std::string padding(1 + (119 - length % 64) % 64, '\0');
  padding[0] = '\x80';
  for (int shift = 56; shift >= 0; shift -= 8)
    padding += static_cast<char>(bits >> shift);
  add(padding);
  std::string text;
  char digits[9];
  for (uint32_t word : state) {
    snprintf(digits, sizeof digits, "%08x", word);
    text += digits;
  }
  return text;
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.finish();
}

std::string fileSha256(const std::string &path, const char *what,
                       std::string &error) {
  std::unique_ptr<InputFile> file = InputFile::open(path, what, error);
  if (!file)
    return "";
  Sha256 hash;
  std::string piece(1 << 20, '\0');
  for (int64_t at = 0; at < file->size(); at += std::ssize(piece)) {
    auto size = std::min<int64_t>(std::ssize(piece), file->size() - at);
    if (!file->read(at, piece.data(), size, error))
      return "";
    hash.add({piece.data(), static_cast<size_t>(size)});
  }
  return hash.finish();
}

} // namespace tessera::runtime
