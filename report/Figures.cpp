//===- Figures.cpp - Numbers as a reader wants them -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/Figures.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

std::string tessera::groupDigits(int64_t number) {
  std::string digits = std::to_string(number);
  for (int64_t at = digits.size() - 3; at > (number < 0); at -= 3)
    digits.insert(at, ",");
  return digits;
}

std::string tessera::formatFixed(double number, int digits) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.*f", digits, number);
  return text;
}

/// Three digits.
static std::string three(double number) {
  return tessera::formatFixed(number, number < 9.995   ? 2
                                      : number < 99.95 ? 1
                                                       : 0);
}

std::string tessera::formatBytes(double bytes) {
  if (bytes < 999.5)
    return formatFixed(bytes, 0) + " B";
  return formatDecimal(bytes, "B");
}

std::string tessera::formatDecimal(double number, StringRef unit) {
  static constexpr const char *prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  size_t prefix = 0;
  while (number >= 1000 && prefix + 1 < std::size(prefixes)) {
    number /= 1000;
    ++prefix;
  }
  return three(number) + " " + prefixes[prefix] + unit.str();
}

std::string tessera::formatSeconds(double seconds) {
  if (seconds >= 7200)
    return three(seconds / 3600) + " h";
  if (seconds >= 120)
    return three(seconds / 60) + " min";
  if (seconds >= 1 || seconds == 0)
    return three(seconds) + " s";
  if (seconds >= 1e-3)
    return three(1e3 * seconds) + " ms";
  return three(1e6 * seconds) + " us";
}
