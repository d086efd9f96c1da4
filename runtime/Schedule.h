//===- Schedule.h - The learning rate of a step -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_SCHEDULE_H
#define TESSERA_RUNTIME_SCHEDULE_H

#include "runtime/Manifest.h"

namespace tessera {

/// The learning rate of \p step, counted from 1: lr * step / warmup during the
/// warmup; then constant, or half a cosine from lr at the warmup's end to
/// min_lr at decay_steps, and min_lr after it.
double learningRate(const Training &training, int64_t step);

/// The content of the input `hyper`: lr of \p step, 1 - beta1^t, 1 - beta2^t
/// and t, the number of this update, counted from 1.
void fillHyper(const Training &training, int64_t step, int64_t t,
               float hyper[4]);

} // namespace tessera

#endif // TESSERA_RUNTIME_SCHEDULE_H
