//===- LossScaler.cpp - The scale of the loss in fp16 ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/training/LossScaler.h"
#include <algorithm>

namespace tessera::runtime {

LossScale initialLossScale(const Training &training) {
  LossScale result;
  if (training.lossScaling.initial > 0)
    result.scale = training.lossScaling.initial;
  return result;
}

void growLossScale(const LossScaling &rule, LossScale &scale) {
  // Beyond 2^127 its inverse would be no normal number.
  constexpr double largest = 0x1p127;
  if (++scale.goodSteps < rule.window)
    return;
  scale.goodSteps = 0;
  scale.overflows = 0;
  scale.scale = std::min(2 * scale.scale, std::max(largest, scale.scale));
}

bool shrinkLossScale(const LossScaling &rule, LossScale &scale) {
  scale.goodSteps = 0;
  if (scale.scale <= rule.minimum)
    return false;
  if (++scale.overflows < rule.hysteresis)
    return true;
  scale.scale = std::max(scale.scale / 2, rule.minimum);
  return true;
}

} // namespace tessera::runtime
