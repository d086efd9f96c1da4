//===- Dice.cpp - Random choices of mutators ------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/Dice.h"
#include <algorithm>
#include <cstring>

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

namespace tessera::fuzz {

int64_t Dice::edgeNumber() {
  auto power = static_cast<int64_t>(uint64_t(1) << below(64));
  switch (below(6)) {
  case 0:
    return static_cast<int64_t>(below(4));
  case 1:
    return -static_cast<int64_t>(below(4));
  case 2:
    return power;
  case 3:
    return static_cast<int64_t>(static_cast<uint64_t>(power) - 1);
  case 4:
    return static_cast<int64_t>(static_cast<uint64_t>(power) + 1);
  default:
    return static_cast<int64_t>(below(300));
  }
}

std::string mutateBytes(std::string bytes, size_t most) {
  size_t size = std::min(bytes.size(), most);
  bytes.resize(most);
  size =
      LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(bytes.data()), size, most);
  bytes.resize(size);
  return bytes;
}

size_t store(const std::string &text, uint8_t *data, size_t most) {
  size_t size = std::min(text.size(), most);
  memcpy(data, text.data(), size);
  return size;
}

} // namespace tessera::fuzz
