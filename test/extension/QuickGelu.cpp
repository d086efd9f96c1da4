//===- QuickGelu.cpp - An activation from outside -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In the tree an activation touches three files: its operation in
// dialects/nn/NNCompositeOps.td, its gradient and formula in
// dialects/nn/Activations.cpp, and its name in frontends/spec.proto.
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/Formula.h"
#include "test/extension/Extension.h"

#include "test/extension/ExtensionDialect.cpp.inc"

#define GET_OP_CLASSES
#include "test/extension/ExtensionOps.cpp.inc"

using namespace mlir;
using namespace tessera;
using namespace tessera::extension;

void ExtensionDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "test/extension/ExtensionOps.cpp.inc"
      >();
}

static constexpr double factor = 1.702;

/// sigmoid(1.702 · x).
static Value gate(nn::Formula &f, Value x) {
  Value one = f.splat(nn::Formula::typeOf(x), 1);
  return f.div(one, f.add(one, f.exp(f.scale(x, -factor))));
}

SmallVector<Value> QuickGeluOp::decompose(OpBuilder &builder) {
  nn::Formula f{builder, getLoc()};
  Value x = f.wide(getInput());
  return {f.as(getResult(), f.mul(x, gate(f, x)))};
}

void QuickGeluOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                 MutableArrayRef<Value> operands) {
  nn::Formula f{builder, getLoc()};
  // With s = sigmoid(a · x): dx = dy · s · (1 + a · x · (1 - s)).
  Value x = f.wide(getInput());
  Value s = gate(f, x);
  Value rest = f.scale(f.offset(f.scale(s, -1), 1), factor);
  Value slope = f.mul(s, f.offset(f.mul(x, rest), 1));
  operands[0] = f.as(getInput(), f.mul(gradients[0], slope));
}
