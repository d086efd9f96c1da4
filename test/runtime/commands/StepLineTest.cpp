//===- StepLineTest.cpp - Tests of a step's line --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/StepLine.h"
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

std::string textOf(StepLine &line) {
  char text[512];
  return std::string(text, line.write(text, sizeof text));
}

StepReport step() {
  StepReport report;
  report.step = 7;
  report.loss = 2.5;
  report.gradNorm = 0.25;
  report.lr = 1e-3;
  report.milliseconds = 100;
  report.tokens = 512;
  report.epoch = 0.123456;
  report.tokensSeen = 1'234'567;
  return report;
}

TEST(StepLine, LeavesOutWhatSaysLeast) {
  auto at = [](int columns) {
    StepLine line(columns);
    addStep(line, step(), 100);
    addProgress(line, step(), 3725);
    return textOf(line);
  };
  EXPECT_EQ(at(0), "step   7/100  loss 2.5          grad norm 0.25        lr "
                   "1.000e-03  100.0 ms  5120 tokens/s  1:02:05 left  epoch "
                   "0.123  1.23 M tokens");
  EXPECT_EQ(at(120), "step   7/100  loss 2.5          grad norm 0.25        "
                     "lr 1.000e-03  100.0 ms  5120 tokens/s  1:02:05 left  "
                     "epoch 0.123");
  EXPECT_EQ(at(117).size(), 105u);
  EXPECT_EQ(at(80), "step   7/100  loss 2.5          lr 1.000e-03  5120 "
                    "tokens/s  1:02:05 left");
  EXPECT_EQ(at(48), "step   7/100  loss 2.5          5120 tokens/s");
  EXPECT_EQ(at(20), "step   7/100  loss 2");
}

TEST(StepLine, SaysWhatIsWrongAtAnyWidth) {
  StepReport report = step();
  report.skipped = true;
  StepLine line(42);
  addStep(line, report, 9);
  EXPECT_EQ(textOf(line), "step 7/9  loss 2.5          skipped");
}

TEST(StepLine, WritesDurations) {
  char text[24];
  auto of = [&](double seconds) {
    writeDuration(text, seconds);
    return std::string(text);
  };
  EXPECT_EQ(of(0), "0:00:00");
  EXPECT_EQ(of(59.9), "0:00:59");
  EXPECT_EQ(of(3600 * 49 + 61), "49:01:01");
  EXPECT_EQ(of(-1), "0:00:00");
  EXPECT_EQ(of(1e300), "277777:46:40");
}

TEST(StepLine, DrawsABarThatFits) {
  auto bar = [](int columns, int64_t steps) {
    char text[256];
    return std::string(text,
                       writeBar(text, sizeof text, step(), steps, 65, columns));
  };
  EXPECT_EQ(bar(0, 14), "[====================>                   ]  50 %  "
                        "0:01:05 left  epoch 0.123  1.23 M tokens");
  EXPECT_EQ(bar(60, 14), "[====>    ]  50 %  0:01:05 left  epoch 0.123  1.23 M "
                         "tokens");
  EXPECT_EQ(bar(50, 14), "[=======>      ]  50 %  0:01:05 left  epoch 0.123");
  EXPECT_EQ(bar(20, 14), "[=====>     ]  50 %");
  EXPECT_EQ(bar(10, 14), " 50 %");
  EXPECT_EQ(bar(44, 7), "[========] 100 %  0:01:05 left  epoch 0.123");
  // A resumed run may be beyond its end.
  EXPECT_EQ(bar(50, 5).find("[==============]"), 0u);
}

TEST(StepLine, CountsGraphsInEpochs) {
  StepReport report = step();
  report.tokens = report.tokensSeen = 0;
  StepLine line(0);
  addStep(line, report, 7);
  addProgress(line, report, 1);
  EXPECT_EQ(textOf(line), "step 7/7  loss 2.5          grad norm 0.25        "
                          "lr 1.000e-03  100.0 ms  10.0 epochs/s  0:00:01 "
                          "left");
}

} // namespace
