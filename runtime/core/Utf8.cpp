//===- Utf8.cpp - Text in UTF-8 -------------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Utf8.h"
#include <cstring>

namespace tessera::runtime {

void appendUtf8(std::string &text, char32_t c) {
  auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6);
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

Utf8Prefix validPrefix(std::string_view bytes) {
  const size_t size = bytes.size();
  auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
  size_t at = 0;
  while (at < size) {
    uint64_t eight;
    while (at + 8 <= size) {
      memcpy(&eight, bytes.data() + at, 8);
      if (eight & 0x8080808080808080u)
        break;
      at += 8;
    }
    if (at == size)
      break;
    unsigned char lead = byte(at);
    if (lead < 0x80) {
      ++at;
      continue;
    }
    if (lead < 0xc2 || lead > 0xf4)
      return {at, 1};
    size_t length = utf8Length(lead), i = 1;
    for (; i < length && at + i < size; ++i) {
      // Neither longer than needed, nor a surrogate, nor above U+10FFFF.
      unsigned char least = i > 1          ? 0x80
                            : lead == 0xe0 ? 0xa0
                            : lead == 0xf0 ? 0x90
                                           : 0x80;
      unsigned char most = i > 1          ? 0xbf
                           : lead == 0xed ? 0x9f
                           : lead == 0xf4 ? 0x8f
                                          : 0xbf;
      if (byte(at + i) < least || byte(at + i) > most)
        return {at, i};
    }
    if (i < length)
      return {at, 0};
    at += length;
  }
  return {at, 0};
}

bool isUtf8(std::string_view bytes) {
  return validPrefix(bytes).valid == bytes.size();
}

size_t appendRepaired(std::string &text, std::string_view bytes, bool more) {
  size_t taken = 0;
  while (taken < bytes.size()) {
    Utf8Prefix prefix = validPrefix(bytes.substr(taken));
    text += bytes.substr(taken, prefix.valid);
    taken += prefix.valid;
    if (taken == bytes.size())
      break;
    if (!prefix.invalid && more)
      break;
    text += replacementCharacter;
    taken = prefix.invalid ? taken + prefix.invalid : bytes.size();
  }
  return taken;
}

} // namespace tessera::runtime
