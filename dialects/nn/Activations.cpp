//===- Activations.cpp - Activations, their gradients and formulas *- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/Formula.h"

using namespace mlir;
using namespace tessera::nn;

// The tanh form of the GELU (Hendrycks and Gimpel, arXiv 1606.08415, section
// 2): sqrt(2 / pi) and the factor of the cube.
static constexpr double geluScale = 0.7978845608028654, geluCube = 0.044715;

/// tanh(a·x·(1 + b·x²)) with a and b as above, \p square being x².
static Value geluTanh(Formula &f, Value x, Value square) {
  return f.tanh(
      f.mul(x, f.offset(f.scale(square, geluScale * geluCube), geluScale)));
}

void GeluOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                            MutableArrayRef<Value> operands) {
  operands[0] = GeluGradOp::create(builder, getLoc(), getInput(), gradients[0]);
}

SmallVector<Value> GeluOp::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  Value x = f.wide(getInput());
  Value t = geluTanh(f, x, f.mul(x, x));
  Value half = f.scale(x, 0.5);
  return {f.as(getResult(), f.mul(half, f.offset(t, 1)))};
}

SmallVector<Value> GeluGradOp::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  Value x = f.wide(getInput());
  Value square = f.mul(x, x);
  Value t = geluTanh(f, x, square);
  Value one = f.splat(Formula::typeOf(x), 1);
  Value slope = f.mul(x, f.sub(one, f.mul(t, t)));
  Value left = f.mul(
      slope, f.offset(f.scale(square, 3 * geluScale * geluCube), geluScale));
  Value derivative = f.scale(f.add(left, f.offset(t, 1)), 0.5);
  return {f.as(getResult(), f.mul(getGradient(), derivative))};
}

/// max(x, 0).
static Value positivePart(Formula &f, Value x) {
  Value zero = f.splat(Formula::typeOf(x), 0);
  return arith::MaximumFOp::create(f.builder, f.loc, x, zero);
}

void ReluOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                            MutableArrayRef<Value> operands) {
  // The result says as much as the operand, and is alive anyway.
  Value zero = createSplat(builder, getLoc(), Formula::typeOf(getResult()), 0);
  Value positive = arith::CmpFOp::create(
      builder, getLoc(), arith::CmpFPredicate::OGT, getResult(), zero);
  operands[0] =
      arith::SelectOp::create(builder, getLoc(), positive, gradients[0], zero);
}

SmallVector<Value> ReluOp::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  return {positivePart(f, getInput())};
}

void Relu2Op::buildGradients(OpBuilder &builder, ValueRange gradients,
                             MutableArrayRef<Value> operands) {
  // dx = dy · 2 · max(x, 0).
  Formula f{builder, getLoc()};
  Value slope = f.scale(positivePart(f, f.wide(getInput())), 2);
  operands[0] = f.as(getInput(), f.mul(gradients[0], slope));
}

SmallVector<Value> Relu2Op::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  Value part = positivePart(f, f.wide(getInput()));
  return {f.as(getResult(), f.mul(part, part))};
}

void EluOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                           MutableArrayRef<Value> operands) {
  // Where x is not positive, the derivative exp(x) is the result plus 1.
  Formula f{builder, getLoc()};
  Value y = f.wide(getResult());
  RankedTensorType type = Formula::typeOf(y);
  Value positive = f.compare(arith::CmpFPredicate::OGT, y, f.splat(type, 0));
  Value slope = f.select(positive, f.splat(type, 1), f.offset(y, 1));
  operands[0] = f.as(getInput(), f.mul(gradients[0], slope));
}

SmallVector<Value> EluOp::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  Value x = f.wide(getInput());
  Value zero = f.splat(Formula::typeOf(x), 0);
  // Kernels compute both branches: the exponential must not overflow.
  Value negative = arith::MinimumFOp::create(builder, getLoc(), x, zero);
  Value positive = f.compare(arith::CmpFPredicate::OGT, x, zero);
  return {
      f.as(getResult(), f.select(positive, x, f.offset(f.exp(negative), -1)))};
}

/// 1 / (1 + exp(-x)).
static Value sigmoid(Formula &f, Value x) {
  Value one = f.splat(Formula::typeOf(x), 1);
  return f.div(one, f.add(one, f.exp(f.scale(x, -1))));
}

void SiluOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                            MutableArrayRef<Value> operands) {
  // With s = sigmoid(x): dx = dy · s · (1 + x · (1 - s)).
  Formula f{builder, getLoc()};
  Value x = f.wide(getInput());
  Value s = sigmoid(f, x);
  Value rest = f.offset(f.scale(s, -1), 1);
  Value slope = f.mul(s, f.offset(f.mul(x, rest), 1));
  operands[0] = f.as(getInput(), f.mul(gradients[0], slope));
}

SmallVector<Value> SiluOp::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  Value x = f.wide(getInput());
  return {f.as(getResult(), f.mul(x, sigmoid(f, x)))};
}
