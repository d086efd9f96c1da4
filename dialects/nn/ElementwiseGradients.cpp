//===- ElementwiseGradients.cpp - Gradients of arith and math ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Gradients of the elementwise operations of `arith` and `math`.

#include "dialects/nn/NN.h"

using namespace mlir;
using namespace tessera::nn;

namespace {

Value mul(OpBuilder &b, Location loc, Value x, Value y) {
  return arith::MulFOp::create(b, loc, x, y);
}

/// Attaches a function as the gradient of an operation defined upstream.
template <typename Op>
using Formula = void (*)(Op op, OpBuilder &b, Value gradient,
                         MutableArrayRef<Value> operands);

template <typename Op, Formula<Op> formula>
struct Model
    : DifferentiableOpInterface::ExternalModel<Model<Op, formula>, Op> {
  void buildGradients(Operation *op, OpBuilder &builder, ValueRange gradients,
                      MutableArrayRef<Value> operands) const {
    formula(cast<Op>(op), builder, gradients[0], operands);
  }
};

void add(arith::AddFOp, OpBuilder &, Value g, MutableArrayRef<Value> out) {
  out[0] = out[1] = g;
}

void sub(arith::SubFOp op, OpBuilder &b, Value g, MutableArrayRef<Value> out) {
  out[0] = g;
  out[1] = arith::NegFOp::create(b, op.getLoc(), g);
}

void neg(arith::NegFOp op, OpBuilder &b, Value g, MutableArrayRef<Value> out) {
  out[0] = arith::NegFOp::create(b, op.getLoc(), g);
}

void product(arith::MulFOp op, OpBuilder &b, Value g,
             MutableArrayRef<Value> out) {
  out[0] = mul(b, op.getLoc(), g, op.getRhs());
  out[1] = mul(b, op.getLoc(), g, op.getLhs());
}

void quotient(arith::DivFOp op, OpBuilder &b, Value g,
              MutableArrayRef<Value> out) {
  Location loc = op.getLoc();
  out[0] = arith::DivFOp::create(b, loc, g, op.getRhs());
  out[1] = arith::NegFOp::create(b, loc, mul(b, loc, out[0], op.getResult()));
}

/// The gradient of a maximum goes to the larger operand, of equal ones to the
/// first.
void maximum(arith::MaximumFOp op, OpBuilder &b, Value g,
             MutableArrayRef<Value> out) {
  Location loc = op.getLoc();
  Value zero = createSplat(b, loc, cast<RankedTensorType>(g.getType()), 0);
  Value first = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGE,
                                      op.getLhs(), op.getRhs());
  out[0] = arith::SelectOp::create(b, loc, first, g, zero);
  out[1] = arith::SelectOp::create(b, loc, first, zero, g);
}

void select(arith::SelectOp op, OpBuilder &b, Value g,
            MutableArrayRef<Value> out) {
  Location loc = op.getLoc();
  Value zero = createSplat(b, loc, cast<RankedTensorType>(g.getType()), 0);
  out[1] = arith::SelectOp::create(b, loc, op.getCondition(), g, zero);
  out[2] = arith::SelectOp::create(b, loc, op.getCondition(), zero, g);
}

void exponential(math::ExpOp op, OpBuilder &b, Value g,
                 MutableArrayRef<Value> out) {
  out[0] = mul(b, op.getLoc(), g, op.getResult());
}

void logarithm(math::LogOp op, OpBuilder &b, Value g,
               MutableArrayRef<Value> out) {
  out[0] = arith::DivFOp::create(b, op.getLoc(), g, op.getOperand());
}

void tangent(math::TanhOp op, OpBuilder &b, Value g,
             MutableArrayRef<Value> out) {
  Location loc = op.getLoc();
  Value one = createSplat(b, loc, cast<RankedTensorType>(g.getType()), 1);
  Value square = mul(b, loc, op.getResult(), op.getResult());
  out[0] = mul(b, loc, g, arith::SubFOp::create(b, loc, one, square));
}

void squareRoot(math::SqrtOp op, OpBuilder &b, Value g,
                MutableArrayRef<Value> out) {
  Location loc = op.getLoc();
  Value half = createSplat(b, loc, cast<RankedTensorType>(g.getType()), 0.5);
  out[0] = arith::DivFOp::create(b, loc, mul(b, loc, g, half), op.getResult());
}

void inverseRoot(math::RsqrtOp op, OpBuilder &b, Value g,
                 MutableArrayRef<Value> out) {
  Location loc = op.getLoc();
  Value y = op.getResult();
  Value half = createSplat(b, loc, cast<RankedTensorType>(g.getType()), -0.5);
  Value cube = mul(b, loc, mul(b, loc, y, y), y);
  out[0] = mul(b, loc, g, mul(b, loc, half, cube));
}

void widening(arith::ExtFOp op, OpBuilder &b, Value g,
              MutableArrayRef<Value> out) {
  out[0] = arith::TruncFOp::create(b, op.getLoc(), op.getIn().getType(), g);
}

void narrowing(arith::TruncFOp op, OpBuilder &b, Value g,
               MutableArrayRef<Value> out) {
  out[0] = arith::ExtFOp::create(b, op.getLoc(), op.getIn().getType(), g);
}

} // namespace

void tessera::nn::registerElementwiseGradients(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, arith::ArithDialect *) {
    arith::AddFOp::attachInterface<Model<arith::AddFOp, add>>(*context);
    arith::SubFOp::attachInterface<Model<arith::SubFOp, sub>>(*context);
    arith::NegFOp::attachInterface<Model<arith::NegFOp, neg>>(*context);
    arith::MulFOp::attachInterface<Model<arith::MulFOp, product>>(*context);
    arith::DivFOp::attachInterface<Model<arith::DivFOp, quotient>>(*context);
    arith::MaximumFOp::attachInterface<Model<arith::MaximumFOp, maximum>>(
        *context);
    arith::SelectOp::attachInterface<Model<arith::SelectOp, select>>(*context);
    arith::ExtFOp::attachInterface<Model<arith::ExtFOp, widening>>(*context);
    arith::TruncFOp::attachInterface<Model<arith::TruncFOp, narrowing>>(
        *context);
  });
  registry.addExtension(+[](MLIRContext *context, math::MathDialect *) {
    math::ExpOp::attachInterface<Model<math::ExpOp, exponential>>(*context);
    math::LogOp::attachInterface<Model<math::LogOp, logarithm>>(*context);
    math::TanhOp::attachInterface<Model<math::TanhOp, tangent>>(*context);
    math::SqrtOp::attachInterface<Model<math::SqrtOp, squareRoot>>(*context);
    math::RsqrtOp::attachInterface<Model<math::RsqrtOp, inverseRoot>>(*context);
  });
}
