//===- ExpandSumSquares.cpp - A norm as partial sums ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/NN.h"
#include "passes/kernels/Passes.h"

using namespace mlir;
using namespace tessera;

namespace {
/// The blocks of each tensor are summed in parallel, and their sums in order,
/// so that the result does not depend on the number of threads.
struct ExpandSumSquares : OpRewritePattern<nn::SumSquaresOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(nn::SumSquaresOp op,
                                PatternRewriter &rewriter) const override {
    SmallVector<Value> partials;
    for (Value input : op.getInputs())
      partials.push_back(
          nn::PartialSumSquaresOp::create(rewriter, op.getLoc(), input));
    rewriter.replaceOpWithNewOp<nn::SumPartialsOp>(op, op.getResult().getType(),
                                                   partials);
    return success();
  }
};
} // namespace

void tessera::kernels::populateExpandSumSquares(RewritePatternSet &patterns) {
  patterns.add<ExpandSumSquares>(patterns.getContext());
}
