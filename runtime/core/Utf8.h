//===- Utf8.h - Text in UTF-8 -----------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_UTF8_H
#define TESSERA_RUNTIME_CORE_UTF8_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tessera::runtime {

/// U+FFFD, which stands for bytes that are no text.
inline constexpr std::string_view replacementCharacter = "\xef\xbf\xbd";

/// Bytes of the character that begins with \p lead, in valid text.
inline size_t utf8Length(unsigned char lead) {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/// The character at \p at, in valid text.
inline char32_t utf8At(const char *at) {
  auto byte = [&](int i) { return static_cast<unsigned char>(at[i]); };
  auto tail = [&](int i) { return char32_t(byte(i) & 0x3f); };
  unsigned char lead = byte(0);
  if (lead < 0x80)
    return lead;
  if (lead < 0xe0)
    return char32_t(lead & 0x1f) << 6 | tail(1);
  if (lead < 0xf0)
    return char32_t(lead & 0x0f) << 12 | tail(1) << 6 | tail(2);
  return char32_t(lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3);
}

void appendUtf8(std::string &text, char32_t character);

/// What a prefix of bytes is.
struct Utf8Prefix {
  size_t valid;   ///< bytes of whole characters
  size_t invalid; ///< bytes behind them that no character begins with; 0 where
                  ///< all is valid, or the rest may be the start of one
};
Utf8Prefix validPrefix(std::string_view bytes);

bool isUtf8(std::string_view bytes);

/// Appends \p bytes, with U+FFFD for each longest part that begins a character
/// and does not end it, or else for a byte (the practice of Unicode, 3.9, and
/// of Python's errors="replace"). Where \p more bytes may follow, the start of
/// a character at the end stays out. Returns how many bytes were taken.
size_t appendRepaired(std::string &text, std::string_view bytes, bool more);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_UTF8_H
