//===- OptimizerDialect.cpp - The optimizer dialect -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/optimizer/Optimizer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tessera::optimizer;

#include "dialects/optimizer/OptimizerDialect.cpp.inc"
#include "dialects/optimizer/OptimizerInterface.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/optimizer/OptimizerAttrs.cpp.inc"

void OptimizerDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/optimizer/OptimizerAttrs.cpp.inc"
      >();
}

int64_t tessera::optimizer::countFlops(OptimizerAttrInterface optimizer) {
  MLIRContext *context = optimizer.getContext();
  OpBuilder builder(context);
  Location loc = builder.getUnknownLoc();
  Block block;
  builder.setInsertionPointToStart(&block);
  Formula formula(builder, loc);
  auto arguments = [&](Type type, size_t count) {
    SmallVector<Value> values;
    for (size_t i = 0; i < count; ++i)
      values.push_back(block.addArgument(type, loc));
    return values;
  };
  size_t numbers = optimizer
                       .computeNumbers(formula,
                                       arguments(builder.getF64Type(),
                                                 optimizer.getScalars().size()),
                                       ClassParameters())
                       .size();
  SmallVector<Value> values =
      arguments(builder.getF32Type(), 2 + optimizer.getStates().size());
  Element element{values[0], values[1],
                  SmallVector<Value>(ArrayRef<Value>(values).drop_front(2)),
                  arguments(builder.getF32Type(), numbers)};
  // What comes before is of a class, not of an element.
  Operation *last = block.empty() ? nullptr : &block.back();
  (void)optimizer.computeUpdate(formula, element);
  int64_t flops = 1;
  for (auto op = last ? std::next(last->getIterator()) : block.begin();
       op != block.end(); ++op)
    if (!isa<arith::ConstantOp, arith::SelectOp, arith::CmpFOp>(*op))
      flops += isa<math::FmaOp>(*op) ? 2 : 1;
  return flops;
}
