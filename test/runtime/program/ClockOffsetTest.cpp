//===- ClockOffsetTest.cpp - How far clocks are apart ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/ClockOffset.h"
#include "runtime/comm/Single.h"
#include <gtest/gtest.h>
#include <random>

namespace tessera::runtime {
namespace {

// Two clocks, one 5000 ahead, meet with random delays: the bounds hold the true
// offset, always, and get narrower.
TEST(ClockBounds, HoldTheOffset) {
  std::mt19937 random(1);
  auto delay = [&] { return int64_t(1 + random() % 1000); };
  for (int64_t ahead : {int64_t(5000), int64_t(-123456789), int64_t(0)}) {
    ClockBounds bounds;
    int64_t time = 0, widest = 0;
    for (int round = 0; round < 64; ++round) {
      time += 10000;
      int64_t entered = time + delay(), other = time + delay();
      int64_t all = std::max(entered, other);
      // In the clock of each.
      bounds.narrow(entered + ahead, all + delay() + ahead, other,
                    all + delay());
      widest = round ? widest : bounds.uncertainty();
      ASSERT_LE(std::abs(bounds.offset() - ahead), bounds.uncertainty() + 1);
    }
    EXPECT_LT(bounds.uncertainty(), widest);
    EXPECT_LT(bounds.uncertainty(), 300);
  }
}

TEST(ClockOffset, OneRankHasOneClock) {
  SingleCommunicator one;
  std::vector<ClockOffset> offsets = compareClocks(one);
  ASSERT_EQ(offsets.size(), 1U);
  EXPECT_EQ(offsets[0].nanoseconds, 0);
  EXPECT_EQ(offsets[0].uncertainty, 0);
}

} // namespace
} // namespace tessera::runtime
