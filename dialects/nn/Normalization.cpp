//===- Normalization.cpp - Norms of rows and softmax ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/Formula.h"

using namespace mlir;
using namespace tessera::nn;

void LayerNormOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                 MutableArrayRef<Value> operands) {
  Formula f{builder, getLoc()};
  auto type = Formula::typeOf(getInput());
  Value dy = gradients[0];
  if (!dy)
    return;
  Value rstd = f.alongColumns(getRstd(), type);
  Value normalized =
      f.mul(f.sub(getInput(), f.alongColumns(getMean(), type)), rstd);
  operands[1] = f.as(getWeight(), f.columnSum(f.mul(dy, normalized)));
  operands[2] = f.as(getBias(), f.columnSum(dy));
  // With x̂ the normalised input and g = dy · weight:
  // dx = rstd (g - mean(g) - x̂ mean(g x̂)), means over the row.
  double inverse = 1.0 / type.getShape().back();
  Value g = f.mul(dy, f.alongRows(getWeight(), type));
  Value meanG = f.scale(f.rowSum(g), inverse);
  Value meanGX = f.scale(f.rowSum(f.mul(g, normalized)), inverse);
  Value centered = f.sub(g, f.alongColumns(meanG, type));
  Value dx = f.sub(centered, f.mul(normalized, f.alongColumns(meanGX, type)));
  operands[0] = f.as(getInput(), f.mul(dx, rstd));
}

SmallVector<Value> LayerNormOp::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  auto type = Formula::typeOf(getInput()), rows = Formula::typeOf(getMean());
  Value inverse = f.splat(rows, 1.0 / type.getShape().back());
  Value mean = f.mul(f.rowSum(getInput()), inverse);
  Value centered = f.sub(getInput(), f.alongColumns(mean, type));
  Value variance = f.mul(f.rowSum(f.mul(centered, centered)), inverse);
  Value rstd = f.rsqrt(f.offset(variance, getEpsilon().convertToDouble()));
  Value normalized = f.mul(centered, f.alongColumns(rstd, type));
  Value scaled = f.mul(normalized, f.alongRows(getWeight(), type));
  Value result = f.add(scaled, f.alongRows(getBias(), type));
  return {f.as(getResult(), result), mean, rstd};
}

void RmsNormOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                               MutableArrayRef<Value> operands) {
  Formula f{builder, getLoc()};
  auto type = Formula::typeOf(getInput());
  Value dy = gradients[0];
  if (!dy)
    return;
  Value rstd = f.alongColumns(getRstd(), type);
  Value normalized = f.mul(getInput(), rstd);
  operands[1] = f.as(getWeight(), f.columnSum(f.mul(dy, normalized)));
  // With x̂ the normalised input and g = dy · weight:
  // dx = rstd (g - x̂ mean(g x̂)), the mean over the row.
  Value g = f.mul(dy, f.alongRows(getWeight(), type));
  Value meanGX =
      f.scale(f.rowSum(f.mul(g, normalized)), 1.0 / type.getShape().back());
  Value dx = f.sub(g, f.mul(normalized, f.alongColumns(meanGX, type)));
  operands[0] = f.as(getInput(), f.mul(dx, rstd));
}

SmallVector<Value> RmsNormOp::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  auto type = Formula::typeOf(getInput());
  Value x = f.wide(getInput());
  Value square = f.scale(f.rowSum(f.mul(x, x)), 1.0 / type.getShape().back());
  Value rstd = f.rsqrt(f.offset(square, getEpsilon().convertToDouble()));
  Value normalized = f.as(getResult(), f.mul(x, f.alongColumns(rstd, type)));
  Value result = f.mul(normalized, f.alongRows(getWeight(), type));
  return {f.as(getResult(), result), rstd};
}

void SoftmaxOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                               MutableArrayRef<Value> operands) {
  Formula f{builder, getLoc()};
  Value y = getResult(), dy = gradients[0];
  auto type = Formula::typeOf(y);
  Value dot = f.alongColumns(f.rowSum(f.mul(dy, y)), type);
  operands[0] = f.as(y, f.mul(y, f.sub(dy, dot)));
}

SmallVector<Value> SoftmaxOp::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  auto type = Formula::typeOf(getInput());
  Value max = f.alongColumns(f.rowMax(getInput()), type);
  Value e = f.exp(f.sub(getInput(), max));
  Value sum = f.rowSum(e);
  Value inverse = f.div(f.splat(Formula::typeOf(sum), 1), sum);
  return {f.as(getResult(), f.mul(e, f.alongColumns(inverse, type)))};
}
