//===- Formula.cpp - Arithmetic of an optimizer's step ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/optimizer/Formula.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tessera::optimizer;

StringRef tessera::optimizer::getName(Scalar::Kind kind) {
  switch (kind) {
  case Scalar::LearningRate:
    return "learning_rate";
  case Scalar::Correction:
    return "correction";
  case Scalar::Step:
    return "step";
  }
  llvm_unreachable("all kinds are named");
}

Value Formula::constant(Value like, double value) {
  Type type = like.getType();
  TypedAttr attr = builder.getFloatAttr(getElementTypeOrSelf(type), value);
  if (auto shaped = dyn_cast<ShapedType>(type))
    attr = DenseElementsAttr::get(shaped, Attribute(attr));
  return arith::ConstantOp::create(builder, loc, attr);
}

Value Formula::add(Value a, Value b) {
  return arith::AddFOp::create(builder, loc, a, b);
}

Value Formula::sub(Value a, Value b) {
  return arith::SubFOp::create(builder, loc, a, b);
}

Value Formula::mul(Value a, Value b) {
  return arith::MulFOp::create(builder, loc, a, b);
}

Value Formula::div(Value a, Value b) {
  return arith::DivFOp::create(builder, loc, a, b);
}

Value Formula::neg(Value a) { return arith::NegFOp::create(builder, loc, a); }

Value Formula::sqrt(Value a) { return math::SqrtOp::create(builder, loc, a); }

Value Formula::fma(Value a, Value b, Value c) {
  return math::FmaOp::create(builder, loc, a, b, c);
}

Value Formula::sign(Value a) {
  Value zero = constant(a, 0);
  auto choose = [&](arith::CmpFPredicate predicate, double value,
                    Value other) -> Value {
    Value holds = arith::CmpFOp::create(builder, loc, predicate, a, zero);
    return arith::SelectOp::create(builder, loc, holds, constant(a, value),
                                   other);
  };
  return choose(arith::CmpFPredicate::OGT, 1,
                choose(arith::CmpFPredicate::OLT, -1, zero));
}
