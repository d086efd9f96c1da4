//===- Decompose.cpp - Composites in terms of the core ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Contracts.h"
#include "passes/StraightLine.h"
#include "passes/kernels/Passes.h"

namespace tessera::kernels {
#define GEN_PASS_DEF_DECOMPOSE
#include "passes/kernels/Passes.h.inc"
} // namespace tessera::kernels

using namespace mlir;
using namespace tessera;

namespace {

RankedTensorType tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Writes formulas over a matrix of rows and one value a row, in fp32 at
/// least: what has fewer bits is widened where it is read.
struct RowMath {
  OpBuilder &builder;
  Location loc;

  Value wide(Value a) { return nn::widen(builder, loc, a); }
  /// \p a rounded to the type of \p like.
  Value as(Value like, Value a) { return nn::narrow(builder, loc, a, like); }
  template <typename Op> Value apply(Value a, Value b) {
    return Op::create(builder, loc, wide(a), wide(b));
  }
  Value add(Value a, Value b) { return apply<arith::AddFOp>(a, b); }
  Value sub(Value a, Value b) { return apply<arith::SubFOp>(a, b); }
  Value mul(Value a, Value b) { return apply<arith::MulFOp>(a, b); }
  Value div(Value a, Value b) { return apply<arith::DivFOp>(a, b); }
  Value exp(Value a) { return math::ExpOp::create(builder, loc, a); }
  Value log(Value a) { return math::LogOp::create(builder, loc, a); }
  Value select(Value condition, Value a, Value b) {
    return arith::SelectOp::create(builder, loc, condition, a, b);
  }
  Value splat(RankedTensorType type, double value) {
    return nn::createSplat(builder, loc, type, value);
  }
  Value reduce(nn::Reduction kind, Value a) {
    a = wide(a);
    auto type = tensorType(a);
    return nn::ReduceOp::create(builder, loc,
                                type.clone(type.getShape().drop_back()), kind,
                                a, ArrayRef<int64_t>{type.getRank() - 1});
  }
  Value sum(Value a) { return reduce(nn::Reduction::Sum, a); }
  Value max(Value a) { return reduce(nn::Reduction::Max, a); }
  /// One value a row, along all columns of \p type.
  Value spread(Value a, RankedTensorType type) {
    auto dims = llvm::to_vector(llvm::seq<int64_t>(type.getRank() - 1));
    return nn::createBroadcast(builder, loc, a, type.getShape(), dims);
  }
  /// One value a column, along all rows of \p type.
  Value repeat(Value a, RankedTensorType type) {
    return nn::createBroadcast(builder, loc, a, type.getShape(),
                               {type.getRank() - 1});
  }
};

struct LayerNorm : OpRewritePattern<nn::LayerNormOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::LayerNormOp op,
                                PatternRewriter &rewriter) const override {
    RowMath m{rewriter, op.getLoc()};
    auto type = tensorType(op.getInput()), rows = tensorType(op.getMean());
    Value inverse = m.splat(rows, 1.0 / type.getShape().back());
    Value mean = m.mul(m.sum(op.getInput()), inverse);
    Value centered = m.sub(op.getInput(), m.spread(mean, type));
    Value variance = m.mul(m.sum(m.mul(centered, centered)), inverse);
    Value shifted =
        m.add(variance, m.splat(rows, op.getEpsilon().convertToDouble()));
    Value rstd = m.div(m.splat(rows, 1),
                       math::SqrtOp::create(rewriter, op.getLoc(), shifted));
    Value scaled = m.mul(m.mul(centered, m.spread(rstd, type)),
                         m.repeat(op.getWeight(), type));
    Value result = m.add(scaled, m.repeat(op.getBias(), type));
    rewriter.replaceOp(op, {m.as(op.getResult(), result), mean, rstd});
    return success();
  }
};

struct Gelu : OpRewritePattern<nn::GeluOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::GeluOp op,
                                PatternRewriter &rewriter) const override {
    constexpr double a = 0.7978845608028654, b = 0.044715;
    RowMath m{rewriter, op.getLoc()};
    Value x = m.wide(op.getInput());
    auto type = tensorType(x);
    Value inner = m.mul(
        x, m.add(m.mul(m.mul(x, x), m.splat(type, a * b)), m.splat(type, a)));
    Value t = math::TanhOp::create(rewriter, op.getLoc(), inner);
    Value result =
        m.mul(m.mul(x, m.splat(type, 0.5)), m.add(t, m.splat(type, 1)));
    rewriter.replaceOp(op, m.as(op.getResult(), result));
    return success();
  }
};

struct GeluGrad : OpRewritePattern<nn::GeluGradOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::GeluGradOp op,
                                PatternRewriter &rewriter) const override {
    constexpr double a = 0.7978845608028654, b = 0.044715;
    RowMath m{rewriter, op.getLoc()};
    Value x = m.wide(op.getInput());
    auto type = tensorType(x);
    auto offset = [&](Value value, double term) {
      return m.add(value, m.splat(type, term));
    };
    auto scale = [&](Value value, double factor) {
      return m.mul(value, m.splat(type, factor));
    };
    Value x2 = m.mul(x, x);
    Value inner = m.mul(x, offset(scale(x2, a * b), a));
    Value t = math::TanhOp::create(rewriter, op.getLoc(), inner);
    Value left = m.mul(m.mul(x, m.sub(m.splat(type, 1), m.mul(t, t))),
                       offset(scale(x2, 3 * a * b), a));
    Value derivative = scale(m.add(left, offset(t, 1)), 0.5);
    rewriter.replaceOp(
        op, m.as(op.getResult(), m.mul(op.getGradient(), derivative)));
    return success();
  }
};

struct Relu : OpRewritePattern<nn::ReluOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::ReluOp op,
                                PatternRewriter &rewriter) const override {
    RowMath m{rewriter, op.getLoc()};
    rewriter.replaceOpWithNewOp<arith::MaximumFOp>(
        op, op.getInput(), m.splat(tensorType(op.getInput()), 0));
    return success();
  }
};

struct Softmax : OpRewritePattern<nn::SoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::SoftmaxOp op,
                                PatternRewriter &rewriter) const override {
    RowMath m{rewriter, op.getLoc()};
    auto type = tensorType(op.getInput());
    Value max = m.spread(m.max(op.getInput()), type);
    Value e = m.exp(m.sub(op.getInput(), max));
    auto sum = m.sum(e);
    Value inverse = m.div(m.splat(tensorType(sum), 1), sum);
    rewriter.replaceOp(op,
                       m.as(op.getResult(), m.mul(e, m.spread(inverse, type))));
    return success();
  }
};

/// The loss of each row of a block of logits and, if wanted, the gradient with
/// respect to the logits.
struct RowLoss {
  Value loss;     ///< [rows], 0 where the target does not count
  Value gradient; ///< [rows, classes]
};

RowLoss buildRowLoss(RowMath &m, Value logits, Value targets, Value scale,
                     bool wantGradient) {
  Value narrow = logits;
  logits = m.wide(logits);
  auto type = tensorType(logits);
  auto rows = type.clone(type.getShape().take_front());
  OpBuilder &builder = m.builder;
  Value max = m.max(logits);
  Value e = m.exp(m.sub(logits, m.spread(max, type)));
  Value sum = m.sum(e);
  Value column =
      nn::IotaOp::create(builder, m.loc, type.clone(builder.getI32Type()), 1);
  Value hit =
      arith::CmpIOp::create(builder, m.loc, arith::CmpIPredicate::eq, column,
                            m.spread(targets, tensorType(column)));
  Value zero = m.splat(type, 0), rowZero = m.splat(rows, 0);
  Value picked = m.sum(m.select(hit, logits, zero));
  auto counts = [&](Value targets) -> Value {
    Value none = arith::ConstantOp::create(
        builder, m.loc,
        DenseElementsAttr::get(tensorType(targets),
                               builder.getI32IntegerAttr(0)));
    return arith::CmpIOp::create(builder, m.loc, arith::CmpIPredicate::sge,
                                 targets, none);
  };
  Value rowScale = nn::broadcastScalar(builder, m.loc, scale, rows);
  // Selected, not multiplied by 0: what does not count may be Inf or NaN.
  RowLoss result;
  result.loss =
      m.select(counts(targets),
               m.mul(m.sub(m.add(m.log(sum), max), picked), rowScale), rowZero);
  if (wantGradient) {
    Value gradient = m.sub(m.mul(e, m.spread(m.div(rowScale, sum), type)),
                           m.select(hit, m.spread(rowScale, type), zero));
    result.gradient =
        m.as(narrow, m.select(counts(m.spread(targets, tensorType(column))),
                              gradient, zero));
  }
  return result;
}

struct CrossEntropy : OpRewritePattern<nn::CrossEntropyOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::CrossEntropyOp op,
                                PatternRewriter &rewriter) const override {
    RowMath m{rewriter, op.getLoc()};
    RowLoss rows = buildRowLoss(m, op.getLogits(), op.getTargets(),
                                op.getScale(), /*wantGradient=*/false);
    rewriter.replaceOp(op, m.sum(rows.loss));
    return success();
  }
};

struct LinearCrossEntropy : OpRewritePattern<nn::LinearCrossEntropyOp> {
  LinearCrossEntropy(MLIRContext *context, int64_t chunkBytes)
      : OpRewritePattern(context), chunkBytes(chunkBytes) {}

  LogicalResult matchAndRewrite(nn::LinearCrossEntropyOp op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RowMath m{rewriter, loc};
    Value input = op.getInput(), weight = op.getWeight();
    auto type = tensorType(input);
    int64_t rows = type.getDimSize(0), columns = type.getDimSize(1),
            classes = tensorType(weight).getDimSize(0);
    bool wantGradient = !op.getInputGradient().use_empty() ||
                        !op.getWeightGradient().use_empty();
    int64_t chunk =
        getChunkRows(rows, classes * type.getElementTypeBitWidth() / 8);

    SmallVector<Value> losses, inputGradients;
    Value weightGradient;
    for (int64_t row = 0; row < rows; row += chunk) {
      int64_t size = std::min(chunk, rows - row);
      auto slice = [&](Value value) -> Value {
        SmallVector<int64_t> shape(tensorType(value).getShape());
        shape[0] = size;
        return rewriter.createOrFold<nn::SliceOp>(
            loc, tensorType(value).clone(shape), value, row);
      };
      Value x = slice(input);
      Value logits =
          nn::MatmulOp::create(rewriter, loc, type.clone({size, classes}), x,
                               weight, /*transpose_a=*/false,
                               /*transpose_b=*/true);
      RowLoss rowLoss = buildRowLoss(m, logits, slice(op.getTargets()),
                                     op.getScale(), wantGradient);
      losses.push_back(rowLoss.loss);
      if (!wantGradient)
        continue;
      inputGradients.push_back(nn::MatmulOp::create(
          rewriter, loc, type.clone({size, columns}), rowLoss.gradient, weight,
          /*transpose_a=*/false, /*transpose_b=*/false));
      Value part = nn::MatmulOp::create(
          rewriter, loc, op.getWeightGradient().getType(), rowLoss.gradient, x,
          /*transpose_a=*/true, /*transpose_b=*/false);
      weightGradient =
          weightGradient
              ? arith::AddFOp::create(rewriter, loc, weightGradient, part)
              : part;
    }
    Value loss = m.sum(rewriter.createOrFold<nn::ConcatOp>(
        loc, tensorType(op.getScale()).clone({rows}), losses));
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
    patterns.add<LayerNorm, Gelu, GeluGrad, Relu, Softmax, CrossEntropy>(
        &getContext());
    patterns.add<LinearCrossEntropy>(&getContext(), chunkBytes);
    kernels::populateExpandSumSquares(patterns);
    FailureOr<int64_t> count =
        applyToRoots(getOperation(), std::move(patterns));
    if (failed(count))
      return signalPassFailure();
    numDecomposed += *count;
  }
};

} // namespace
