//===- Losses.cpp - Cross-entropy, its gradients and formulas ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/Losses.h"

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

RowLoss tessera::nn::buildRowLoss(Formula &f, Value logits, Value targets,
                                  Value scale, bool wantGradient) {
  Value narrow = logits;
  logits = f.wide(logits);
  auto type = Formula::typeOf(logits);
  auto rows = type.clone(type.getShape().take_front());
  OpBuilder &builder = f.builder;
  Value max = f.rowMax(logits);
  Value e = f.exp(f.sub(logits, f.alongColumns(max, type)));
  Value sum = f.rowSum(e);
  auto integers = type.clone(builder.getI32Type());
  Value column = IotaOp::create(builder, f.loc, integers, 1);
  Value hit = f.compare(arith::CmpIPredicate::eq, column,
                        f.alongColumns(targets, integers));
  Value zero = f.splat(type, 0), rowZero = f.splat(rows, 0);
  Value picked = f.rowSum(f.select(hit, logits, zero));
  auto counts = [&](Value targets) -> Value {
    Value none = f.splat(Formula::typeOf(targets), 0);
    return f.compare(arith::CmpIPredicate::sge, targets, none);
  };
  Value rowScale = broadcastScalar(builder, f.loc, scale, rows);
  // Selected, not multiplied by 0: what does not count may be Inf or NaN.
  RowLoss result;
  result.loss =
      f.select(counts(targets),
               f.mul(f.sub(f.add(f.log(sum), max), picked), rowScale), rowZero);
  if (wantGradient) {
    Value gradient = f.sub(f.mul(e, f.alongColumns(f.div(rowScale, sum), type)),
                           f.select(hit, f.alongColumns(rowScale, type), zero));
    result.gradient =
        f.as(narrow, f.select(counts(f.alongColumns(targets, integers)),
                              gradient, zero));
  }
  return result;
}

SmallVector<Value> CrossEntropyOp::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  RowLoss rows = buildRowLoss(f, getLogits(), getTargets(), getScale(),
                              /*wantGradient=*/false);
  return {f.rowSum(rows.loss)};
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
