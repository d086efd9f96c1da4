//===- Adagrad.cpp - An optimizer from outside ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/extension/Adagrad.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::extension;

#include "test/extension/AdagradDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "test/extension/AdagradAttrs.cpp.inc"

void OutsideDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "test/extension/AdagradAttrs.cpp.inc"
      >();
}

StringRef AdagradAttr::getName() const { return "adagrad"; }

SmallVector<optimizer::State> AdagradAttr::getStates() const {
  return {{"squares", "sum"}};
}

SmallVector<optimizer::Scalar> AdagradAttr::getScalars() const {
  return {{optimizer::Scalar::LearningRate}};
}

SmallVector<Value> AdagradAttr::computeNumbers(
    optimizer::Formula &f, ValueRange scalars,
    const optimizer::ClassParameters &parameters) const {
  return {f.neg(f.mul(scalars[0], parameters.lrScale)),
          f.constant(scalars[0], parameters.weightDecay)};
}

SmallVector<Value>
AdagradAttr::computeUpdate(optimizer::Formula &f,
                           const optimizer::Element &e) const {
  Value gradient = f.fma(e.parameter, e.numbers[1], e.gradient);
  Value squares = f.fma(gradient, gradient, e.states[0]);
  Value root = f.sqrt(squares);
  Value denominator =
      f.add(root, f.constant(root, getEps().getValueAsDouble()));
  return {f.fma(e.numbers[0], f.div(gradient, denominator), e.parameter),
          squares};
}
