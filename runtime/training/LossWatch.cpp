//===- LossWatch.cpp - Spikes of the loss ---------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/training/LossWatch.h"
#include <algorithm>
#include <cmath>

namespace tessera::runtime {

// Tony Finch, "Incremental calculation of weighted mean and variance", 2009,
// section 9; the first losses weigh the same.
bool LossStatistics::observe(double loss) {
  static constexpr int64_t warmup = 20;
  static constexpr double deviations = 5, least = 0.01;
  bool spike = false;
  if (count >= warmup) {
    double deviation = std::max(std::sqrt(variance), least * std::abs(mean));
    double limit = mean + deviations * deviation;
    spike = loss > limit;
    loss = std::min(loss, limit);
  }
  count = std::min(count + 1, memory);
  double weight = 1 / double(count), difference = loss - mean;
  mean += weight * difference;
  variance = (1 - weight) * (variance + weight * difference * difference);
  return spike;
}

} // namespace tessera::runtime
