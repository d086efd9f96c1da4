//===- Update.cpp - The step of an optimizer --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Update.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;

UpdateEmitter::UpdateEmitter(VectorBuilder &vb, zero::UpdateOp op,
                             ValueRange inputs, ValueRange outputs)
    : vb(vb), op(op), numStates(op.getStates().size()) {
  for (Value input : inputs)
    in.push_back(vb.flatten(input));
  for (Value output : outputs)
    out.push_back(vb.flatten(output));
  OpBuilder &b = vb.builder;
  // Behind parameter, gradient and states: clip, scalars, ends.
  Value clips = in[2 + numStates], scalars = in[3 + numStates],
        ends = in[4 + numStates];
  optimizer::OptimizerAttrInterface optimizer = op.getOptimizer();
  SmallVector<Value> wide;
  for (size_t i = 0; i < optimizer.getScalars().size(); ++i)
    wide.push_back(arith::ExtFOp::create(b, vb.loc, b.getF64Type(),
                                         vb.loadScalar(scalars, vb.index(i))));
  optimizer::Formula formula(b, vb.loc);
  for (const optimizer::ClassParameters &parameters : op.getClasses()) {
    SmallVector<Value> &own = numbers.emplace_back();
    for (Value number : optimizer.computeNumbers(formula, wide, parameters))
      own.push_back(vb.splat(
          Value(arith::TruncFOp::create(b, vb.loc, b.getF32Type(), number))));
  }
  clip = vb.splat(vb.loadScalar(clips, vb.index(0)));
  for (size_t c = 0; c + 1 < numbers.size(); ++c)
    classEnds.push_back(vb.toIndex(vb.loadScalar(ends, vb.index(c))));
}

SmallVector<Value> UpdateEmitter::selectNumbers(ValueRange before) {
  // What is the same in all classes LLVM finds, and selects nothing.
  SmallVector<Value> chosen = numbers.back();
  for (size_t c = before.size(); c-- > 0;)
    for (auto [value, own] : llvm::zip(chosen, numbers[c]))
      value =
          arith::SelectOp::create(vb.builder, vb.loc, before[c], own, value);
  return chosen;
}

void UpdateEmitter::emit(Value position, Value mask, ValueRange before) {
  optimizer::Element element;
  element.parameter = vb.load(in[0], position, mask);
  element.gradient = vb.mulf(vb.load(in[1], position, mask), clip);
  for (int64_t i = 0; i < numStates; ++i)
    element.states.push_back(vb.load(in[2 + i], position, mask));
  element.numbers = selectNumbers(before);
  optimizer::Formula formula(vb.builder, vb.loc);
  SmallVector<Value> next = op.getOptimizer().computeUpdate(formula, element);
  for (auto [value, buffer] : llvm::zip(next, out))
    vb.store(value, buffer, position, mask);
  if (op.getRounded())
    vb.store(next.front(), out.back(), position, mask);
}
