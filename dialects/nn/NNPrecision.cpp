//===- NNPrecision.cpp - Tensors of 16 bits ---------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Everything computes in fp32; 16 bits are what is stored. Where a value is
// rounded is said by its type, never decided by fusion, so that all ways to
// partition a step round alike.

#include "dialects/nn/NN.h"

using namespace mlir;
using namespace tessera::nn;

bool LayerNormOp::staysWide(Value value) {
  return value == getMean() || value == getRstd();
}
bool RmsNormOp::staysWide(Value value) { return value == getRstd(); }
bool RotaryOp::staysWide(Value value) { return value == getTable(); }
bool HeadNormOp::staysWide(Value value) { return value == getRstd(); }
bool AttentionOp::staysWide(Value value) { return value == getLse(); }
bool CrossEntropyOp::staysWide(Value value) {
  return value == getScale() || value == getLoss();
}
bool LinearCrossEntropyOp::staysWide(Value value) {
  return value == getScale() || value == getLoss();
}

Value tessera::nn::widen(OpBuilder &builder, Location loc, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getElementTypeBitWidth() >= 32)
    return value;
  return arith::ExtFOp::create(builder, loc, type.clone(builder.getF32Type()),
                               value);
}

Value tessera::nn::narrow(OpBuilder &builder, Location loc, Value value,
                          Value like) {
  auto type = cast<RankedTensorType>(value.getType());
  Type element = getElementTypeOrSelf(like);
  if (element.getIntOrFloatBitWidth() >= type.getElementTypeBitWidth())
    return value;
  return arith::TruncFOp::create(builder, loc, type.clone(element), value);
}

Value tessera::nn::unround(OpBuilder &builder, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  Operation *op = value.getDefiningOp();
  if (type.getElementTypeBitWidth() >= 32)
    return value;
  if (auto rounded = dyn_cast_if_present<arith::TruncFOp>(op))
    if (getElementTypeOrSelf(rounded.getIn()).isF32())
      return rounded.getIn();
  bool isTable = isa_and_present<ScatterAddOp>(op) &&
                 isSplat(cast<ScatterAddOp>(op).getInit(), 0);
  bool isWeight = isa_and_present<LinearCrossEntropyOp>(op) &&
                  value == cast<LinearCrossEntropyOp>(op).getWeightGradient();
  if (!value.use_empty() ||
      !(isTable || isWeight ||
        isa_and_present<MatmulOp, ReduceOp, ReshapeOp, ConcatOp>(op)))
    return op ? widen(builder, op->getLoc(), value)
              : widen(builder, value.getLoc(), value);
  RankedTensorType wide = type.clone(builder.getF32Type());
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(op);
  if (isTable) {
    cast<ScatterAddOp>(op).getInitMutable().assign(
        createSplat(builder, op->getLoc(), wide, 0));
  } else if (isa<ReshapeOp, ConcatOp>(op)) {
    for (OpOperand &operand : op->getOpOperands()) {
      Value part = operand.get();
      operand.drop();
      operand.set(unround(builder, part));
    }
  }
  value.setType(wide);
  return value;
}
