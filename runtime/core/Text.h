//===- Text.h - Numbers for people ------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_TEXT_H
#define TESSERA_RUNTIME_CORE_TEXT_H

#include <cstdint>
#include <string>

namespace tessera::runtime {

/// "12.3 MB", decimal units.
std::string byteText(double bytes);
/// 1234567 as "1,234,567".
std::string countText(int64_t count);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_TEXT_H
