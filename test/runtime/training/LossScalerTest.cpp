//===- LossScalerTest.cpp - Tests of the loss scale -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/training/LossScaler.h"
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

TEST(LossScaler, IsOneWhereNothingIsScaled) {
  EXPECT_EQ(initialLossScale(Training()).scale, 1);
}

TEST(LossScaler, GrowsAfterAWindow) {
  LossScaling rule{1024, 1, 3, 2};
  Training training;
  training.lossScaling = rule;
  LossScale scale = initialLossScale(training);
  EXPECT_EQ(scale.scale, 1024);
  growLossScale(rule, scale);
  growLossScale(rule, scale);
  EXPECT_EQ(scale.scale, 1024);
  growLossScale(rule, scale);
  EXPECT_EQ(scale.scale, 2048);
  growLossScale(rule, scale);
  growLossScale(rule, scale);
  // An overflow starts the window anew.
  EXPECT_TRUE(shrinkLossScale(rule, scale));
  growLossScale(rule, scale);
  growLossScale(rule, scale);
  EXPECT_EQ(scale.scale, 2048);
  growLossScale(rule, scale);
  EXPECT_EQ(scale.scale, 4096);
}

TEST(LossScaler, ShrinksOnceTheHysteresisIsUsedUp) {
  LossScaling rule{1024, 300, 100, 3};
  LossScale scale{1024, 0, 0};
  EXPECT_TRUE(shrinkLossScale(rule, scale));
  EXPECT_TRUE(shrinkLossScale(rule, scale));
  EXPECT_EQ(scale.scale, 1024);
  EXPECT_TRUE(shrinkLossScale(rule, scale));
  EXPECT_EQ(scale.scale, 512);
  // It stays used up until the scale grows.
  EXPECT_TRUE(shrinkLossScale(rule, scale));
  EXPECT_EQ(scale.scale, 300) << "the minimum";
  EXPECT_FALSE(shrinkLossScale(rule, scale));
}

// A run resumes with the scale of its checkpoint, not with the first one.
TEST(LossScaler, IsToldFromNoneWhereItFellToOne) {
  LossScaling rule{2, 1, 1000, 1};
  LossScale scale{2, 0, 0};
  EXPECT_TRUE(shrinkLossScale(rule, scale));
  EXPECT_EQ(scale.scale, 1);
  EXPECT_NE(scale, LossScale());
}

TEST(LossScaler, StopsAtTheLargest) {
  LossScaling rule{1, 1, 1, 1};
  LossScale scale{1, 0, 0};
  for (int i = 0; i < 200; ++i)
    growLossScale(rule, scale);
  EXPECT_EQ(scale.scale, 0x1p127);
}

} // namespace
