//===- Decompose.cpp - Composites in terms of the core ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Contracts.h"
#include "dialects/nn/Losses.h"
#include "dialects/nn/TargetScores.h"
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

/// The head of a model, \p op, in chunks of rows, whose logits fit into a limit
/// of bytes.
template <typename Head> class HeadInChunks {
public:
  HeadInChunks(Head op, PatternRewriter &rewriter, int64_t chunkBytes)
      : formula{rewriter, op.getLoc()}, op(op), rewriter(rewriter),
        rows(nn::Formula::typeOf(op.getInput()).getDimSize(0)) {
    int64_t rowBytes =
        nn::Formula::typeOf(op.getWeight()).getDimSize(0) *
        nn::Formula::typeOf(op.getInput()).getElementTypeBitWidth() / 8;
    int64_t most = std::max<int64_t>(chunkBytes / rowBytes, 16);
    // Of equal size, in multiples of 16 rows.
    int64_t count = llvm::divideCeil(rows, most);
    chunk =
        static_cast<int64_t>(llvm::alignTo(llvm::divideCeil(rows, count), 16));
  }

  /// Calls \p take(x, logits) for each chunk: its rows of the input, and what
  /// their logits say of the targets.
  template <typename Take> void forEach(Take take) {
    for (int64_t row = 0; row < rows; row += chunk) {
      int64_t size = std::min(chunk, rows - row);
      auto slice = [&](Value value) -> Value {
        SmallVector<int64_t> shape(nn::Formula::typeOf(value).getShape());
        shape[0] = size;
        return rewriter.createOrFold<nn::SliceOp>(
            op.getLoc(), nn::Formula::typeOf(value).clone(shape), value, row);
      };
      Value x = slice(op.getInput());
      Value logits = formula.matmul(x, op.getWeight(), /*transposeA=*/false,
                                    /*transposeB=*/true);
      nn::RowLogits rowLogits(formula, logits, slice(op.getTargets()));
      take(x, rowLogits);
    }
  }

  /// All rows of a value of \p type of which chunks have \p parts.
  Value concat(RankedTensorType type, ArrayRef<Value> parts) {
    return rewriter.createOrFold<nn::ConcatOp>(op.getLoc(), type, parts);
  }

  nn::Formula formula;

private:
  Head op;
  PatternRewriter &rewriter;
  int64_t rows, chunk;
};

struct LinearCrossEntropy : OpRewritePattern<nn::LinearCrossEntropyOp> {
  LinearCrossEntropy(MLIRContext *context, int64_t chunkBytes)
      : OpRewritePattern(context), chunkBytes(chunkBytes) {}

  LogicalResult matchAndRewrite(nn::LinearCrossEntropyOp op,
                                PatternRewriter &rewriter) const override {
    HeadInChunks head(op, rewriter, chunkBytes);
    nn::Formula &f = head.formula;
    auto type = nn::Formula::typeOf(op.getInput());
    bool wantGradient = !op.getInputGradient().use_empty() ||
                        !op.getWeightGradient().use_empty();
    SmallVector<Value> losses, inputGradients;
    Value weightGradient;
    head.forEach([&](Value x, nn::RowLogits &logits) {
      losses.push_back(logits.loss(op.getScale()));
      if (!wantGradient)
        return;
      Value gradient = logits.gradient(op.getScale());
      inputGradients.push_back(f.matmul(gradient, op.getWeight(),
                                        /*transposeA=*/false,
                                        /*transposeB=*/false));
      Value part = nn::MatmulOp::create(
          rewriter, op.getLoc(), op.getWeightGradient().getType(), gradient, x,
          /*transpose_a=*/true, /*transpose_b=*/false);
      weightGradient = weightGradient
                           ? arith::AddFOp::create(rewriter, op.getLoc(),
                                                   weightGradient, part)
                           : part;
    });
    Value loss = f.rowSum(head.concat(
        nn::Formula::typeOf(op.getScale()).clone({type.getDimSize(0)}),
        losses));
    if (!wantGradient) {
      // Nothing uses the gradients.
      rewriter.replaceAllUsesWith(op.getLoss(), loss);
      rewriter.eraseOp(op);
      return success();
    }
    rewriter.replaceOp(
        op, {loss, head.concat(type, inputGradients), weightGradient});
    return success();
  }

private:
  int64_t chunkBytes;
};

struct LinearTargetScores : OpRewritePattern<nn::LinearTargetScoresOp> {
  LinearTargetScores(MLIRContext *context, int64_t chunkBytes)
      : OpRewritePattern(context), chunkBytes(chunkBytes) {}

  LogicalResult matchAndRewrite(nn::LinearTargetScoresOp op,
                                PatternRewriter &rewriter) const override {
    HeadInChunks head(op, rewriter, chunkBytes);
    SmallVector<Value> logProbabilities, correct;
    head.forEach([&](Value, nn::RowLogits &logits) {
      logProbabilities.push_back(logits.logProbability());
      correct.push_back(logits.correct());
    });
    auto type = nn::Formula::typeOf(op.getLogProbability());
    rewriter.replaceOp(
        op, {head.concat(type, logProbabilities), head.concat(type, correct)});
    return success();
  }

private:
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
    patterns.add<LinearCrossEntropy, LinearTargetScores>(&getContext(),
                                                         chunkBytes);
    FailureOr<int64_t> count =
        applyToRoots(getOperation(), std::move(patterns));
    if (failed(count))
      return signalPassFailure();
    numDecomposed += *count;
  }
};

} // namespace
