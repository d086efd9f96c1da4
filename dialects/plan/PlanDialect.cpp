//===- PlanDialect.cpp - The plan dialect -----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/plan/Plan.h"

using namespace mlir;
using namespace tessera::plan;

#include "dialects/plan/PlanDialect.cpp.inc"
#include "dialects/plan/PlanEnums.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/plan/PlanOps.cpp.inc"

void PlanDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/plan/PlanOps.cpp.inc"
      >();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  auto kernel = symbolTable.lookupNearestSymbolFrom<func::FuncOp>(
      *this, getKernelAttr());
  if (!kernel || !kernel->hasAttr("plan.kernel"))
    return emitOpError("no kernel is named ") << getKernelAttr();
  // On buffers the kernel's results follow its arguments as operands.
  SmallVector<Type> expected(kernel.getArgumentTypes());
  llvm::append_range(expected, kernel.getResultTypes());
  SmallVector<Type> actual(getInputs().getTypes());
  llvm::append_range(actual, getOutputs().getTypes());
  if (actual.size() != expected.size())
    return emitOpError("kernel ")
           << getKernelAttr() << " has " << expected.size()
           << " arguments and results, the launch has " << actual.size();
  for (auto [i, pair] : llvm::enumerate(llvm::zip(actual, expected))) {
    auto have = cast<ShapedType>(std::get<0>(pair)),
         want = cast<ShapedType>(std::get<1>(pair));
    if (have.getShape() != want.getShape() ||
        have.getElementType() != want.getElementType())
      return emitOpError("operand or result #")
             << i << " is " << have << ", but kernel " << getKernelAttr()
             << " has " << want;
  }
  return success();
}

LogicalResult GemmOp::verify() {
  if (static_cast<bool>(getOut()) == static_cast<bool>(getResult()))
    return emitOpError("needs either a result or a buffer to write into");
  auto a = cast<ShapedType>(getA().getType()),
       b = cast<ShapedType>(getB().getType());
  if (a.getRank() != 2 || b.getRank() != 2)
    return emitOpError("operands must be matrices");
  if (getK() != b.getDimSize(getTransposeB()))
    return emitOpError("inner sizes differ: ")
           << getK() << " and " << b.getDimSize(getTransposeB());
  Value result = getResult() ? Value(getResult()) : Value(getOut());
  auto c = cast<ShapedType>(result.getType());
  if (c.getShape() != ArrayRef<int64_t>{getM(), getN()})
    return emitOpError("result must have shape ") << getM() << "x" << getN();
  if (getBias() && cast<ShapedType>(getBias().getType()).getShape() !=
                       ArrayRef<int64_t>{getN()})
    return emitOpError("bias must have one element a column: ") << getN();
  if (getAddend() &&
      cast<ShapedType>(getAddend().getType()).getShape() != c.getShape())
    return emitOpError("addend must have the result's shape");
  return success();
}
