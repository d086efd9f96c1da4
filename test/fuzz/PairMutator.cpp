//===- PairMutator.cpp - What libFuzzer calls to change inputs ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/PairMutator.h"

using namespace tessera::fuzz;

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t most, unsigned seed) {
  Dice dice(seed);
  std::string bytes(data, data + size);
  return store(mutatePair(bytes, bytes, most, dice), data, most);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1,
                                            const uint8_t *data2, size_t size2,
                                            uint8_t *out, size_t most,
                                            unsigned seed) {
  Dice dice(seed);
  return store(mutatePair(std::string(data1, data1 + size1),
                          std::string(data2, data2 + size2), most, dice),
               out, most);
}
