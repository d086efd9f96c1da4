//===- Text.cpp - Numbers for people --------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Text.h"
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <iterator>

namespace tessera::runtime {

std::string decimalText(double number, const char *unit) {
  static constexpr const char *prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  size_t prefix = 0;
  while (number >= 1000 && prefix + 1 < std::size(prefixes)) {
    number /= 1000;
    ++prefix;
  }
  char text[64];
  int digits = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
  snprintf(text, sizeof text, "%.*f %s%s", digits, number, prefixes[prefix],
           unit);
  return text;
}

std::string byteText(double bytes) {
  if (bytes >= 999.5)
    return decimalText(bytes, "B");
  char text[32];
  snprintf(text, sizeof text, "%.0f B", bytes);
  return text;
}

/// What a unit in lower case stands for; 0 for none.
static double bytesOf(const std::string &unit) {
  static constexpr char prefixes[] = "kmgt";
  if (unit == "b")
    return 1;
  for (int i = 0; i < 4; ++i) {
    std::string prefix(1, prefixes[i]);
    if (unit == prefix + "b")
      return std::pow(1000, i + 1);
    if (unit == prefix + "ib")
      return std::pow(1024, i + 1);
  }
  return 0;
}

std::optional<int64_t> parseByteSize(const std::string &text) {
  size_t length = std::min(text.find_first_not_of("0123456789."), text.size());
  double number = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + length, number);
  if (error != std::errc() || end != text.data() + length)
    return std::nullopt;
  std::string unit = text.substr(length);
  unit.erase(0, unit.find_first_not_of(' '));
  unit.erase(unit.find_last_not_of(' ') + 1);
  std::transform(unit.begin(), unit.end(), unit.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  double bytes = number * bytesOf(unit);
  if (!(bytes >= 1 && bytes < 0x1p63))
    return std::nullopt;
  return static_cast<int64_t>(bytes);
}

std::string countText(int64_t count) {
  std::string digits = std::to_string(count);
  for (int64_t at = static_cast<int64_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(at, ",");
  return digits;
}

} // namespace tessera::runtime
