//===- GradientNorm.cpp - The norm of all gradients -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/NN.h"

using namespace mlir;
using namespace tessera::nn;

SmallVector<Value> SumSquaresOp::decompose(OpBuilder &builder) {
  // The blocks of each tensor are summed in parallel, and their sums in order,
  // so that the result does not depend on the number of threads.
  SmallVector<Value> partials;
  for (Value input : getInputs())
    partials.push_back(PartialSumSquaresOp::create(builder, getLoc(), input));
  return {SumPartialsOp::create(builder, getLoc(), getResult().getType(),
                                partials)};
}
