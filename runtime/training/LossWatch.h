//===- LossWatch.h - Spikes of the loss -------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TRAINING_LOSSWATCH_H
#define TESSERA_RUNTIME_TRAINING_LOSSWATCH_H

#include <cstdint>

namespace tessera::runtime {

/// Running mean and variance of the losses, in which a loss weighs 1/50 of
/// what is left to it, so that about the last 50 count.
struct LossStatistics {
  /// The most that count is.
  static constexpr int64_t memory = 50;

  int64_t count = 0;
  double mean = 0, variance = 0;

  /// Whether \p loss, which is finite, is a spike: more than 5 running
  /// deviations above the running mean of at least 20 losses, where a
  /// deviation counts as at least a hundredth of the mean. Then takes it in, a
  /// spike as the largest loss that would be none (so that one does not hide
  /// the next, and a new level is no spike for long).
  bool observe(double loss);
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TRAINING_LOSSWATCH_H
