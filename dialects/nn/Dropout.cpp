//===- Dropout.cpp - Dropout, its gradient and formula ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/Formula.h"

using namespace mlir;
using namespace tessera::nn;

uint32_t tessera::nn::getDropThreshold(double rate) {
  return static_cast<uint32_t>(rate * 0x1p32);
}

void DropoutOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                               MutableArrayRef<Value> operands) {
  operands[0] = DropoutOp::create(builder, getLoc(), gradients[0], getStream(),
                                  getSamples(), getRate());
}

SmallVector<Value> DropoutOp::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  Value x = f.wide(getInput());
  auto type = Formula::typeOf(x), integers = type.clone(builder.getI32Type());
  double rate = getRate().convertToDouble();
  Value bits = RandomBitsOp::create(builder, getLoc(), integers, getStream(),
                                    getSamples());
  auto threshold = static_cast<int32_t>(getDropThreshold(rate));
  Value kept =
      f.compare(arith::CmpIPredicate::uge, bits, f.splat(integers, threshold));
  // A product with 0, not a choice of 0: what is not finite must show.
  Value factor =
      f.select(kept, f.splat(type, 1 / (1 - rate)), f.splat(type, 0));
  return {f.as(getResult(), f.mul(x, factor))};
}
