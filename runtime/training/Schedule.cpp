//===- Schedule.cpp - The learning rate of a step -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/training/Schedule.h"
#include <algorithm>
#include <cmath>
#include <numbers>

namespace tessera::runtime {

int64_t globalBatchAt(const Training &training, int64_t samples) {
  const BatchRamp &ramp = training.ramp;
  if (ramp.increment == 0 || samples >= ramp.samples)
    return training.globalBatch;
  int64_t increments = (training.globalBatch - ramp.start) / ramp.increment;
  auto done = static_cast<__int128>(samples) * increments / ramp.samples;
  return ramp.start + static_cast<int64_t>(done) * ramp.increment;
}

double learningRate(const Training &training, const Moment &moment) {
  const ScheduleSpec &schedule = training.schedule;
  double lr = training.optimizer.lr;
  bool bySamples = schedule.countsSamples;
  int64_t now = bySamples ? moment.samples : moment.step;
  int64_t warmup = bySamples ? schedule.warmupSamples : schedule.warmupSteps;
  int64_t decay = bySamples ? schedule.decaySamples : schedule.decaySteps;
  if (now < warmup)
    return lr * double(now) / double(warmup);
  if (schedule.kind != "cosine")
    return lr;
  int64_t length = std::max<int64_t>(1, decay - warmup);
  double done = std::min(1.0, double(now - warmup) / double(length));
  return schedule.minLr +
         0.5 * (lr - schedule.minLr) * (1 + std::cos(std::numbers::pi * done));
}

void fillHyper(const Training &training, const Moment &moment, int64_t t,
               float *hyper) {
  for (const OptimizerScalar &scalar : training.optimizer.scalars) {
    double value = 0;
    switch (scalar.kind) {
    case OptimizerScalar::Kind::LearningRate:
      value = learningRate(training, moment);
      break;
    case OptimizerScalar::Kind::Correction:
      value = 1 - std::pow(scalar.base, double(t));
      break;
    case OptimizerScalar::Kind::Step:
      value = static_cast<double>(t);
      break;
    }
    *hyper++ = static_cast<float>(value);
  }
}

} // namespace tessera::runtime
