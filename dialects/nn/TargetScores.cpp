//===- TargetScores.cpp - How likely targets are ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/TargetScores.h"
#include "dialects/nn/Losses.h"

using namespace mlir;
using namespace tessera::nn;

#define GET_OP_CLASSES
#include "dialects/nn/TargetScores.cpp.inc"

bool TargetScoresOp::staysWide(Value value) { return value != getLogits(); }

bool LinearTargetScoresOp::staysWide(Value value) {
  return value != getInput() && value != getWeight();
}

/// A target and a number of \p scores for each row of \p rows.
static LogicalResult verifyScores(Operation *op, Value rows, Value targets,
                                  Value scores) {
  int64_t count = Formula::typeOf(rows).getDimSize(0);
  if (Formula::typeOf(targets).getShape() != ArrayRef<int64_t>{count})
    return op->emitOpError("needs one target per row: ") << count;
  if (Formula::typeOf(scores).getShape() != ArrayRef<int64_t>{count})
    return op->emitOpError("results must have one number per row: ") << count;
  return success();
}

LogicalResult TargetScoresOp::verify() {
  if (Formula::typeOf(getLogits()).getRank() != 2)
    return emitOpError("logits must be a matrix");
  return verifyScores(*this, getLogits(), getTargets(), getLogProbability());
}

LogicalResult LinearTargetScoresOp::verify() {
  auto input = Formula::typeOf(getInput()),
       weight = Formula::typeOf(getWeight());
  if (input.getRank() != 2 || weight.getRank() != 2 ||
      input.getDimSize(1) != weight.getDimSize(1))
    return emitOpError(
        "input and weight must be matrices with equally many columns");
  return verifyScores(*this, getInput(), getTargets(), getLogProbability());
}

SmallVector<Value> TargetScoresOp::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  RowLogits rows(f, getLogits(), getTargets());
  return {rows.logProbability(), rows.correct()};
}
