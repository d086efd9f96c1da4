//===- LossScaler.h - The scale of the loss in fp16 ------------- -*- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Dynamic loss scaling (Micikevicius et al., arXiv 1710.03740, section 3.2,
// with the hysteresis of DeepSpeed and Megatron-LM): the scale doubles after a
// window of steps without an overflow, and halves at an overflow once as many
// as the hysteresis have come. All ranks see the same norm, so all have the
// same scale.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TRAINING_LOSSSCALER_H
#define TESSERA_RUNTIME_TRAINING_LOSSSCALER_H

#include "runtime/program/Manifest.h"

namespace tessera::runtime {

/// Where the search for a scale stands. Scales are powers of two times the
/// first one, so that scaling rounds nothing. A run that does not scale keeps
/// the initial values; one that does never comes back to them.
struct LossScale {
  double scale = 1;
  int64_t goodSteps = 0; ///< since the last change or overflow
  int64_t overflows = 0; ///< that the hysteresis has borne
  bool operator==(const LossScale &) const = default;
};

/// What a run starts with; 1 where the loss is not scaled.
LossScale initialLossScale(const Training &training);

/// After a step without an overflow.
void growLossScale(const LossScaling &rule, LossScale &scale);

/// After an overflow, whose step is skipped. False where the scale is at its
/// minimum already: no smaller one can help.
bool shrinkLossScale(const LossScaling &rule, LossScale &scale);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TRAINING_LOSSSCALER_H
