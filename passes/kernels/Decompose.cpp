//===- Decompose.cpp - Composites in terms of the core ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Contracts.h"
#include "dialects/nn/Losses.h"
#include "passes/StraightLine.h"
#include "passes/kernels/Passes.h"

namespace tessera::kernels {
#define GEN_PASS_DEF_DECOMPOSE
#include "passes/kernels/Passes.h.inc"
} // namespace tessera::kernels

using namespace mlir;
using namespace tessera;

namespace {

/// Writes out the operations of one name that say what they are made of.
struct Composite : RewritePattern {
  Composite(StringRef name, MLIRContext *context)
      : RewritePattern(name, /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    auto composite = cast<nn::DecomposableOpInterface>(op);
    rewriter.replaceOp(op, composite.decompose(rewriter));
    return success();
  }
};

/// The head of a model in chunks of rows, whose logits fit into a limit.
struct LinearCrossEntropy : OpRewritePattern<nn::LinearCrossEntropyOp> {
  LinearCrossEntropy(MLIRContext *context, int64_t chunkBytes)
      : OpRewritePattern(context), chunkBytes(chunkBytes) {}

  LogicalResult matchAndRewrite(nn::LinearCrossEntropyOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    nn::Formula f{rewriter, loc};
    Value input = op.getInput(), weight = op.getWeight();
    auto type = nn::Formula::typeOf(input);
    int64_t rows = type.getDimSize(0),
            classes = nn::Formula::typeOf(weight).getDimSize(0);
    bool wantGradient = !op.getInputGradient().use_empty() ||
                        !op.getWeightGradient().use_empty();
    int64_t chunk =
        getChunkRows(rows, classes * type.getElementTypeBitWidth() / 8);

    SmallVector<Value> losses, inputGradients;
    Value weightGradient;
    for (int64_t row = 0; row < rows; row += chunk) {
      int64_t size = std::min(chunk, rows - row);
      auto slice = [&](Value value) -> Value {
        SmallVector<int64_t> shape(nn::Formula::typeOf(value).getShape());
        shape[0] = size;
        return rewriter.createOrFold<nn::SliceOp>(
            loc, nn::Formula::typeOf(value).clone(shape), value, row);
      };
      Value x = slice(input);
      Value logits = f.matmul(x, weight, /*transposeA=*/false,
                              /*transposeB=*/true);
      nn::RowLoss rowLoss = nn::buildRowLoss(f, logits, slice(op.getTargets()),
                                             op.getScale(), wantGradient);
      losses.push_back(rowLoss.loss);
      if (!wantGradient)
        continue;
      inputGradients.push_back(f.matmul(rowLoss.gradient, weight,
                                        /*transposeA=*/false,
                                        /*transposeB=*/false));
      Value part = nn::MatmulOp::create(
          rewriter, loc, op.getWeightGradient().getType(), rowLoss.gradient, x,
          /*transpose_a=*/true, /*transpose_b=*/false);
      weightGradient =
          weightGradient
              ? arith::AddFOp::create(rewriter, loc, weightGradient, part)
              : part;
    }
    Value loss = f.rowSum(rewriter.createOrFold<nn::ConcatOp>(
        loc, nn::Formula::typeOf(op.getScale()).clone({rows}), losses));
    if (!wantGradient) {
      // Nothing uses the gradients.
      rewriter.replaceAllUsesWith(op.getLoss(), loss);
      rewriter.eraseOp(op);
      return success();
    }
    Value inputGradient =
        rewriter.createOrFold<nn::ConcatOp>(loc, type, inputGradients);
    rewriter.replaceOp(op, {loss, inputGradient, weightGradient});
    return success();
  }

private:
  /// Chunks of equal size within the limit, in multiples of 16 rows.
  int64_t getChunkRows(int64_t rows, int64_t rowBytes) const {
    int64_t most = std::max<int64_t>(chunkBytes / rowBytes, 16);
    int64_t chunks = llvm::divideCeil(rows, most);
    return llvm::alignTo(llvm::divideCeil(rows, chunks), 16);
  }

  int64_t chunkBytes;
};

struct Decompose : kernels::impl::DecomposeBase<Decompose> {
  using DecomposeBase::DecomposeBase;
  void runOnOperation() override {
    if (failed(verifyPrograms(getOperation())))
      return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    for (RegisteredOperationName name : getContext().getRegisteredOperations())
      if (name.hasInterface<nn::DecomposableOpInterface>())
        patterns.add<Composite>(name.getStringRef(), &getContext());
    patterns.add<LinearCrossEntropy>(&getContext(), chunkBytes);
    FailureOr<int64_t> count =
        applyToRoots(getOperation(), std::move(patterns));
    if (failed(count))
      return signalPassFailure();
    numDecomposed += *count;
  }
};

} // namespace
