//===- Attention.cpp - What attention is on every target --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Attention.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;

SmallVector<double> tessera::codegen::getAlibiSlopes(int64_t heads) {
  auto power = static_cast<int64_t>(llvm::bit_floor<uint64_t>(heads));
  SmallVector<double> slopes;
  for (int64_t head = 0; head < heads; ++head)
    slopes.push_back(head < power
                         ? std::exp2(-8.0 * (head + 1) / power)
                         : std::exp2(-4.0 * (2 * (head - power) + 1) / power));
  return slopes;
}
