//===- StreamTest.cpp - Copies past the caches ----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Stream.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>
#include <vector>

using namespace tessera::runtime;

// Whatever lies before the first whole line of the destination and behind its
// last one.
TEST(Stream, CopiesAllBytesAndNoOthers) {
  std::vector<char> source(1024);
  std::iota(source.begin(), source.end(), char(1));
  for (int64_t offset = 0; offset < 64; ++offset)
    for (int64_t bytes : {0, 1, 63, 64, 65, 200, 512}) {
      std::vector<char> destination(1024, 'x'), expected = destination;
      std::copy_n(source.begin() + 3, bytes, expected.begin() + offset);
      streamCopy(destination.data() + offset, source.data() + 3, bytes);
      streamFence();
      ASSERT_EQ(destination, expected) << offset << " " << bytes;
    }
}
