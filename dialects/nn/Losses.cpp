//===- Losses.cpp - Cross-entropy, its gradients and formulas ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/Losses.h"

#include <limits>

using namespace mlir;
using namespace tessera::nn;

void CrossEntropyOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                    MutableArrayRef<Value> operands) {
  // dlogits = (softmax(logits) - onehot(target)) · scale · dloss in rows whose
  // target counts.
  Formula f{builder, getLoc()};
  Location loc = getLoc();
  Value logits = f.wide(getLogits());
  auto type = Formula::typeOf(logits);
  auto intType = type.clone(builder.getI32Type());
  Value p = SoftmaxOp::create(builder, loc, logits);
  Value target =
      createBroadcast(builder, loc, getTargets(), type.getShape(), {0});
  Value column = IotaOp::create(builder, loc, intType, 1);
  Value hit = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                    column, target);
  Value zero = createSplat(builder, loc, type, 0);
  Value one = createSplat(builder, loc, type, 1);
  Value onehot = arith::SelectOp::create(builder, loc, hit, one, zero);
  Value factor =
      broadcastScalar(builder, loc, f.mul(getScale(), gradients[0]), type);
  Value gradient = f.mul(f.sub(p, onehot), factor);
  Value none = arith::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::get(intType, builder.getI32IntegerAttr(0)));
  Value counts = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge,
                                       target, none);
  operands[0] = f.as(getLogits(), arith::SelectOp::create(builder, loc, counts,
                                                          gradient, zero));
}

RowLogits::RowLogits(Formula &f, Value logits, Value targets)
    : f(f), narrow(logits), logits(f.wide(logits)), targets(targets),
      type(Formula::typeOf(this->logits)),
      integers(type.clone(f.builder.getI32Type())),
      perRow(type.clone(type.getShape().take_front())) {
  max = f.rowMax(this->logits);
  exponentials = f.exp(f.sub(this->logits, f.alongColumns(max, type)));
  sum = f.rowSum(exponentials);
  column = IotaOp::create(f.builder, f.loc, integers, 1);
  hit = f.compare(arith::CmpIPredicate::eq, column,
                  f.alongColumns(targets, integers));
  picked = f.rowSum(f.select(hit, this->logits, f.splat(type, 0)));
}

Value RowLogits::isCounted(Value targets) {
  Value none = f.splat(Formula::typeOf(targets), 0);
  return f.compare(arith::CmpIPredicate::sge, targets, none);
}

// Selected, not multiplied by 0: what does not count may be Inf or NaN.
Value RowLogits::ofCounted(Value value) {
  return f.select(isCounted(targets), value, f.splat(perRow, 0));
}

Value RowLogits::loss(Value scale) {
  Value rowScale = broadcastScalar(f.builder, f.loc, scale, perRow);
  return ofCounted(f.mul(f.sub(f.add(f.log(sum), max), picked), rowScale));
}

Value RowLogits::gradient(Value scale) {
  Value rowScale = broadcastScalar(f.builder, f.loc, scale, perRow);
  Value zero = f.splat(type, 0);
  Value gradient =
      f.sub(f.mul(exponentials, f.alongColumns(f.div(rowScale, sum), type)),
            f.select(hit, f.alongColumns(rowScale, type), zero));
  return f.as(narrow, f.select(isCounted(f.alongColumns(targets, integers)),
                               gradient, zero));
}

Value RowLogits::logProbability() {
  return ofCounted(f.sub(f.sub(picked, max), f.log(sum)));
}

Value RowLogits::correct() {
  Value lowest = f.splat(type, -std::numeric_limits<float>::max());
  Value isBefore = f.compare(arith::CmpIPredicate::slt, column,
                             f.alongColumns(targets, integers));
  Value before = f.rowMax(f.select(isBefore, logits, lowest));
  Value one = f.splat(perRow, 1), zero = f.splat(perRow, 0);
  Value isLargest = f.compare(arith::CmpFPredicate::OEQ, picked, max);
  Value isFirst = f.compare(arith::CmpFPredicate::OLT, before, max);
  return ofCounted(f.select(isLargest, f.select(isFirst, one, zero), zero));
}

SmallVector<Value> CrossEntropyOp::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  RowLogits rows(f, getLogits(), getTargets());
  return {f.rowSum(rows.loss(getScale()))};
}

void LinearCrossEntropyOp::buildGradients(OpBuilder &builder,
                                          ValueRange gradients,
                                          MutableArrayRef<Value> operands) {
  if (!gradients[0])
    return;
  Formula f{builder, getLoc()};
  // The objective's own gradient is the constant 1: nothing is left to scale.
  auto scaled = [&](Value gradient) {
    if (isSplat(gradients[0], 1))
      return gradient;
    return f.as(gradient,
                f.mul(gradient, broadcastScalar(builder, getLoc(), gradients[0],
                                                Formula::typeOf(gradient))));
  };
  operands[0] = scaled(getInputGradient());
  operands[1] = scaled(getWeightGradient());
}
