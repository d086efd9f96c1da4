//===- ByteSize.cpp - Sizes as people write them --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/ByteSize.h"
#include "llvm/ADT/StringSwitch.h"

using namespace tessera;

std::optional<int64_t> tessera::parseByteSize(llvm::StringRef text) {
  size_t length = text.find_first_not_of("0123456789.");
  constexpr double k = 1000, ki = 1024;
  double unit = llvm::StringSwitch<double>(text.substr(length).trim(' '))
                    .CaseLower("b", 1)
                    .CaseLower("kb", k)
                    .CaseLower("mb", k * k)
                    .CaseLower("gb", k * k * k)
                    .CaseLower("tb", k * k * k * k)
                    .CaseLower("kib", ki)
                    .CaseLower("mib", ki * ki)
                    .CaseLower("gib", ki * ki * ki)
                    .CaseLower("tib", ki * ki * ki * ki)
                    .Default(0);
  double number = 0;
  if (unit == 0 || text.take_front(length).getAsDouble(number))
    return std::nullopt;
  double bytes = number * unit;
  if (!(bytes >= 1 && bytes < 0x1p63))
    return std::nullopt;
  return static_cast<int64_t>(bytes);
}
