//===- ScheduleTest.cpp - Tests of the learning rate ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/training/Schedule.h"
#include <gtest/gtest.h>

using namespace tessera::runtime;

static Training cosine() {
  Training training;
  training.optimizer.lr = 1e-3;
  training.schedule = {"cosine", 10, 110, 1e-4};
  return training;
}

TEST(Schedule, WarmsUpInALine) {
  EXPECT_DOUBLE_EQ(learningRate(cosine(), {1, 0}), 1e-4);
  EXPECT_DOUBLE_EQ(learningRate(cosine(), {5, 0}), 5e-4);
  EXPECT_DOUBLE_EQ(learningRate(cosine(), {10, 0}), 1e-3);
}

TEST(Schedule, FollowsTheCosineThenStays) {
  EXPECT_DOUBLE_EQ(learningRate(cosine(), {60, 0}), 5.5e-4);
  EXPECT_NEAR(learningRate(cosine(), {35, 0}), 1e-4 + 4.5e-4 * (1 + 0.70710678),
              1e-11);
  EXPECT_DOUBLE_EQ(learningRate(cosine(), {110, 0}), 1e-4);
  EXPECT_DOUBLE_EQ(learningRate(cosine(), {100000, 0}), 1e-4);
}

TEST(Schedule, ConstantAfterWarmup) {
  Training training = cosine();
  training.schedule.kind = "constant";
  EXPECT_DOUBLE_EQ(learningRate(training, {5, 0}), 5e-4);
  EXPECT_DOUBLE_EQ(learningRate(training, {5000, 0}), 1e-3);
  training.schedule.warmupSteps = 0;
  EXPECT_DOUBLE_EQ(learningRate(training, {1, 0}), 1e-3);
}

TEST(Schedule, CountsSamplesWhereItIsToldTo) {
  Training training = cosine();
  training.schedule.countsSamples = true;
  training.schedule.warmupSamples = 1000;
  training.schedule.decaySamples = 11000;
  EXPECT_DOUBLE_EQ(learningRate(training, {100, 500}), 5e-4);
  EXPECT_DOUBLE_EQ(learningRate(training, {100, 1000}), 1e-3);
  EXPECT_DOUBLE_EQ(learningRate(training, {100, 6000}), 5.5e-4);
  EXPECT_DOUBLE_EQ(learningRate(training, {100, 11000}), 1e-4);
  EXPECT_DOUBLE_EQ(learningRate(training, {100, 20000}), 1e-4);
}

// The ramp of the 176-billion BLOOM: --rampup-batch-size 192 16 9765625.
TEST(BatchRamp, GrowsEvenlyOverItsSamples) {
  Training training;
  training.globalBatch = 2048;
  training.ramp = {192, 16, 9765625};
  EXPECT_EQ(globalBatchAt(training, 0), 192);
  // 116 increments: one every 84,186.4 samples.
  EXPECT_EQ(globalBatchAt(training, 84186), 192);
  EXPECT_EQ(globalBatchAt(training, 84187), 208);
  EXPECT_EQ(globalBatchAt(training, 9765625 / 2), 192 + 57 * 16);
  EXPECT_EQ(globalBatchAt(training, 9681438), 2016);
  EXPECT_EQ(globalBatchAt(training, 9681439), 2032);
  EXPECT_EQ(globalBatchAt(training, 9765624), 2032);
  EXPECT_EQ(globalBatchAt(training, 9765625), 2048);
  EXPECT_EQ(globalBatchAt(training, int64_t(1) << 60), 2048);

  int64_t samples = 0, previous = 0;
  while (samples < 10000000) {
    int64_t batch = globalBatchAt(training, samples);
    EXPECT_TRUE(batch == previous || batch == previous + 16 || !previous);
    previous = batch;
    samples += batch;
  }
  EXPECT_EQ(previous, 2048);
}

TEST(BatchRamp, IsNotThereByDefault) {
  Training training;
  training.globalBatch = 12;
  EXPECT_EQ(globalBatchAt(training, 0), 12);
}

TEST(Schedule, HyperCorrectsTheMoments) {
  Training training = cosine();
  using Kind = OptimizerScalar::Kind;
  training.optimizer.scalars = {{Kind::LearningRate},
                                {Kind::Correction, 0.9},
                                {Kind::Correction, 0.95},
                                {Kind::Step}};
  float hyper[4];
  // Step 5 after 3 steps that were skipped.
  fillHyper(training, {5, 0}, 2, hyper);
  EXPECT_FLOAT_EQ(hyper[0], 5e-4f);
  EXPECT_FLOAT_EQ(hyper[1], 0.19f);
  EXPECT_FLOAT_EQ(hyper[2], 0.0975f);
  EXPECT_EQ(hyper[3], 2.0f);
}
