//===- ScheduleTest.cpp - Tests of the learning rate ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Schedule.h"
#include <gtest/gtest.h>

using namespace tessera;

static Training cosine() {
  Training training;
  training.optimizer = {1e-3, 0.9, 0.95, 1e-8, 0.1, 1};
  training.schedule = {"cosine", 10, 110, 1e-4};
  return training;
}

TEST(Schedule, WarmsUpInALine) {
  EXPECT_DOUBLE_EQ(learningRate(cosine(), 1), 1e-4);
  EXPECT_DOUBLE_EQ(learningRate(cosine(), 5), 5e-4);
  EXPECT_DOUBLE_EQ(learningRate(cosine(), 10), 1e-3);
}

TEST(Schedule, FollowsTheCosineThenStays) {
  EXPECT_DOUBLE_EQ(learningRate(cosine(), 60), 5.5e-4);
  EXPECT_NEAR(learningRate(cosine(), 35), 1e-4 + 4.5e-4 * (1 + 0.70710678),
              1e-11);
  EXPECT_DOUBLE_EQ(learningRate(cosine(), 110), 1e-4);
  EXPECT_DOUBLE_EQ(learningRate(cosine(), 100000), 1e-4);
}

TEST(Schedule, ConstantAfterWarmup) {
  Training training = cosine();
  training.schedule.kind = "constant";
  EXPECT_DOUBLE_EQ(learningRate(training, 5), 5e-4);
  EXPECT_DOUBLE_EQ(learningRate(training, 5000), 1e-3);
  training.schedule.warmupSteps = 0;
  EXPECT_DOUBLE_EQ(learningRate(training, 1), 1e-3);
}

TEST(Schedule, HyperCorrectsTheMoments) {
  float hyper[4];
  // Step 5 after 3 steps that were skipped.
  fillHyper(cosine(), 5, 2, hyper);
  EXPECT_FLOAT_EQ(hyper[0], 5e-4f);
  EXPECT_FLOAT_EQ(hyper[1], 0.19f);
  EXPECT_FLOAT_EQ(hyper[2], 0.0975f);
  EXPECT_EQ(hyper[3], 2.0f);
}
