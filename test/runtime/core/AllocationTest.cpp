//===- AllocationTest.cpp - operator new of executables -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Sanitizers.h"
#include <algorithm>
#include <cstdint>
#include <gtest/gtest.h>
#include <new>
#include <sys/resource.h>
#include <vector>

extern "C" const char tessera_small_blocks;

namespace {

/// Takes the runtime's operators, as main does.
const char *const volatile allocator = &tessera_small_blocks;

/// More than any machine has; not a constant, so that no call is left out.
volatile size_t tooMuch = size_t(1) << 60;
constexpr std::align_val_t aligned{256};

TEST(Allocation, EndsTheProcessWithTheBytesThatThereAreNot) {
  if (sanitizerHasMemory)
    GTEST_SKIP();
  ASSERT_NE(allocator, nullptr);
  const char *message = "error: cannot get 1152921504606846976 bytes of memory";
  using testing::ExitedWithCode;
  EXPECT_EXIT(operator delete(operator new(tooMuch)), ExitedWithCode(1),
              message);
  EXPECT_EXIT(operator delete[](operator new[](tooMuch)), ExitedWithCode(1),
              message);
  EXPECT_EXIT(operator delete(operator new(tooMuch, aligned), aligned),
              ExitedWithCode(1), message);
  EXPECT_EXIT(operator delete[](operator new[](tooMuch, aligned), aligned),
              ExitedWithCode(1), message);
  EXPECT_EXIT(std::vector<char>(tooMuch).resize(1), ExitedWithCode(1), message);
}

TEST(Allocation, FormsThatMayFailReturnNull) {
  if (sanitizerHasMemory)
    GTEST_SKIP();
  EXPECT_EQ(operator new(tooMuch, std::nothrow), nullptr);
  EXPECT_EQ(operator new[](tooMuch, std::nothrow), nullptr);
  for (size_t bytes : {size_t(tooMuch), SIZE_MAX - 5}) {
    EXPECT_EQ(operator new(bytes, aligned, std::nothrow), nullptr);
    EXPECT_EQ(operator new[](bytes, aligned, std::nothrow), nullptr);
  }
}

TEST(Allocation, AlignsAndTakesBack) {
  for (size_t bytes : {size_t(0), size_t(1), size_t(257), size_t(1) << 20})
    for (std::align_val_t alignment : {std::align_val_t{64}, aligned}) {
      void *block = operator new(bytes, alignment);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % size_t(alignment), 0u);
      operator delete(block, alignment);
      block = operator new[](bytes, alignment, std::nothrow);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % size_t(alignment), 0u);
      operator delete[](block, alignment);
    }
}

/// Bytes of address space that this process has.
size_t addressSpace() {
  FILE *file = fopen("/proc/self/statm", "r");
  size_t pages = 0;
  EXPECT_EQ(fscanf(file, "%zu", &pages), 1);
  fclose(file);
  return pages * 4096;
}

// It wants a buffer as large as what it sorts, and does without.
TEST(Allocation, AStableSortDoesWithoutItsBuffer) {
  if (sanitizerHasMemory)
    GTEST_SKIP();
  std::vector<uint32_t> numbers(4 << 20);
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<uint32_t>(i * 2654435761u);
  rlimit before, limit;
  getrlimit(RLIMIT_AS, &before);
  limit = before;
  limit.rlim_cur = addressSpace() + (4 << 20);
  setrlimit(RLIMIT_AS, &limit);
  std::stable_sort(numbers.begin(), numbers.end());
  setrlimit(RLIMIT_AS, &before);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
}

} // namespace
