//===- ScratchTest.cpp - Tests of memory for a while ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Scratch.h"
#include <algorithm>
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

bool isWithin(const void *place, std::span<char> memory) {
  return place >= memory.data() && place < memory.data() + memory.size();
}

TEST(Scratch, TakesWhatIsThereFirst) {
  alignas(64) char memory[256] = {};
  std::span<char> rest = std::span(memory).subspan(4);
  Scratch scratch(rest);
  auto *first = scratch.take<int32_t>(3);
  auto *second = scratch.take<float>(16);
  EXPECT_EQ(reinterpret_cast<char *>(first), memory + 64);
  EXPECT_EQ(reinterpret_cast<char *>(second), memory + 128);
  // It has 64 bytes left.
  auto *third = scratch.take<float>(17);
  EXPECT_FALSE(isWithin(third, memory));
  std::fill_n(third, 17, 1.0f);
  EXPECT_TRUE(isWithin(scratch.take<float>(16), memory));
  EXPECT_FALSE(isWithin(scratch.take<char>(1), memory));
}

TEST(Scratch, HasMemoryOfItsOwn) {
  Scratch scratch;
  auto *numbers = scratch.take<int64_t>(1000);
  std::fill_n(numbers, 1000, -1);
  EXPECT_NE(scratch.take<int64_t>(1), numbers);
}

} // namespace
