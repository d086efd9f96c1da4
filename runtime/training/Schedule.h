//===- Schedule.h - The learning rate of a step -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TRAINING_SCHEDULE_H
#define TESSERA_RUNTIME_TRAINING_SCHEDULE_H

#include "runtime/program/Manifest.h"

namespace tessera::runtime {

/// How far a run is when a step ends.
struct Moment {
  int64_t step = 0;    ///< counted from 1
  int64_t samples = 0; ///< that were learned from, this step's included
};

/// Samples of the step that begins when \p samples have been learned from: the
/// global batch, or on its way there start + increment · n, where n grows
/// evenly over the ramp's samples (Megatron-LM's --rampup-batch-size).
int64_t globalBatchAt(const Training &training, int64_t samples);

/// The learning rate of the step that ends at \p moment: lr * t / warmup during
/// the warmup, t being steps or samples as the schedule counts; then constant,
/// or half a cosine from lr at the warmup's end to min_lr at the decay's, and
/// min_lr after it.
double learningRate(const Training &training, const Moment &moment);

/// The content of the input `hyper`: the optimizer's numbers at \p moment, \p t
/// being the number of this update, counted from 1.
void fillHyper(const Training &training, const Moment &moment, int64_t t,
               float *hyper);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TRAINING_SCHEDULE_H
