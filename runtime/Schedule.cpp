//===- Schedule.cpp - The learning rate of a step -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Schedule.h"
#include <algorithm>
#include <cmath>
#include <numbers>

namespace tessera {

double learningRate(const Training &training, int64_t step) {
  const ScheduleSpec &schedule = training.schedule;
  double lr = training.optimizer.lr;
  if (step < schedule.warmupSteps)
    return lr * double(step) / double(schedule.warmupSteps);
  if (schedule.kind != "cosine")
    return lr;
  int64_t length =
      std::max<int64_t>(1, schedule.decaySteps - schedule.warmupSteps);
  double done =
      std::min(1.0, double(step - schedule.warmupSteps) / double(length));
  return schedule.minLr +
         0.5 * (lr - schedule.minLr) * (1 + std::cos(std::numbers::pi * done));
}

void fillHyper(const Training &training, int64_t step, int64_t t,
               float hyper[4]) {
  const Optimizer &optimizer = training.optimizer;
  hyper[0] = static_cast<float>(learningRate(training, step));
  hyper[1] = static_cast<float>(1 - std::pow(optimizer.beta1, double(t)));
  hyper[2] = static_cast<float>(1 - std::pow(optimizer.beta2, double(t)));
  hyper[3] = static_cast<float>(t);
}

} // namespace tessera
