//===- Text.h - Numbers for people ------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_TEXT_H
#define TESSERA_RUNTIME_CORE_TEXT_H

#include <cstdint>
#include <optional>
#include <string>

namespace tessera::runtime {

/// A number in three digits, with a decimal prefix of \p unit: "5.61 Gflop".
std::string decimalText(double number, const char *unit);
/// The same of bytes, "12.3 MB", of which there are whole ones: "12 B".
std::string byteText(double bytes);
/// The bytes of "24GB", "1.5 GiB" or "512MiB": a number and one of the units B,
/// kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (of 1024), in any case.
/// Nothing for another text, for less than one byte and for 2^63 and more.
std::optional<int64_t> parseByteSize(const std::string &text);
/// 1234567 as "1,234,567".
std::string countText(int64_t count);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_TEXT_H
