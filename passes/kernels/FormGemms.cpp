//===- FormGemms.cpp - Matmuls as calls of a library ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "passes/StraightLine.h"
#include "passes/kernels/Passes.h"
#include "target/Target.h"

namespace tessera::kernels {
#define GEN_PASS_DEF_FORMGEMMS
#include "passes/kernels/Passes.h.inc"
} // namespace tessera::kernels

using namespace mlir;
using namespace tessera;

namespace {

/// The GEMM that only \p value's one user sees, or null.
plan::GemmOp getPrivateGemm(Value value) {
  auto gemm = value.getDefiningOp<plan::GemmOp>();
  return gemm && value.hasOneUse() ? gemm : plan::GemmOp();
}

/// True if nothing but a GEMM has been formed yet, whether its rows are
/// counted or not.
bool isPlain(plan::GemmOp gemm) {
  return gemm && !gemm.getBias() && !gemm.getAddend() &&
         !gemm.getAccumulate() && gemm.getEpilogue() == plan::Epilogue::None;
}

/// \p gemm again at the rewriter's place, with another bias, addend or end.
plan::GemmOp rebuild(PatternRewriter &rewriter, plan::GemmOp gemm, Value bias,
                     Value addend, bool accumulate, plan::Epilogue epilogue,
                     Value aux = {}) {
  SmallVector<Type, 2> types(epilogue == plan::Epilogue::GeluSaved ? 2 : 1,
                             gemm.getResult().getType());
  return plan::GemmOp::create(rewriter, gemm.getLoc(), types, gemm.getA(),
                              gemm.getB(), bias, aux, addend, /*out=*/Value(),
                              gemm.getCount(), gemm.getTransposeA(),
                              gemm.getTransposeB(), accumulate, epilogue,
                              gemm.getCountedAttr(), gemm.getRoomAttr());
}

/// Counted rows, if they are at most so many, need no GEMM of a library, whose
/// sums may depend on the number of rows.
constexpr int64_t fewRows = 64;

struct FormGemm : OpRewritePattern<nn::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::MatmulOp op,
                                PatternRewriter &rewriter) const override {
    int64_t rows = op.getResult().getType().getDimSize(0);
    Value count = op.getTransposeA() ? Value() : nn::getRowCount(op);
    if (count && rows <= fewRows) {
      rewriter.replaceOpWithNewOp<nn::RowMatmulOp>(
          op, op.getResult().getType(), op.getA(), op.getB(), count,
          /*bias=*/Value(), op.getTransposeB(), /*packed=*/false);
      return success();
    }
    plan::CountedAttr counted;
    IntegerAttr room;
    if (count) {
      counted =
          plan::CountedAttr::get(rewriter.getContext(), plan::Counted::Rows);
      room = rewriter.getI64IntegerAttr(rows);
    }
    rewriter.replaceOpWithNewOp<plan::GemmOp>(
        op, TypeRange(op.getResult().getType()), op.getA(), op.getB(),
        /*bias=*/Value(), /*aux=*/Value(), /*addend=*/Value(),
        /*out=*/Value(), count, op.getTransposeA(), op.getTransposeB(),
        /*accumulate=*/false, plan::Epilogue::None, counted, room);
    return success();
  }
};

/// A bias that every row gets, or the sum with another GEMM.
struct FuseSum : OpRewritePattern<arith::AddFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::AddFOp op,
                                PatternRewriter &rewriter) const override {
    for (auto [operand, other] : {std::pair(op.getLhs(), op.getRhs()),
                                  std::pair(op.getRhs(), op.getLhs())}) {
      plan::GemmOp gemm = getPrivateGemm(operand);
      if (!isPlain(gemm))
        continue;
      auto broadcast = other.getDefiningOp<nn::BroadcastOp>();
      if (broadcast && broadcast.getDims() == ArrayRef<int64_t>{1}) {
        rewriter.replaceOp(op, rebuild(rewriter, gemm, broadcast.getInput(),
                                       Value(), false, plan::Epilogue::None));
        rewriter.eraseOp(gemm);
        return success();
      }
      plan::GemmOp first = getPrivateGemm(other);
      if (first && first->isBeforeInBlock(gemm)) {
        rewriter.replaceOp(op, rebuild(rewriter, gemm, Value(), other, false,
                                       plan::Epilogue::None));
        rewriter.eraseOp(gemm);
        return success();
      }
    }
    return failure();
  }
};

/// What \p op adds to every row alike; null where it does not.
Value getRowBias(arith::AddFOp op) {
  auto broadcast = op.getRhs().getDefiningOp<nn::BroadcastOp>();
  if (!broadcast || broadcast.getDims() != ArrayRef<int64_t>{1})
    return {};
  return broadcast.getInput();
}

/// A bias that every row of few gets.
struct FuseRowBias : OpRewritePattern<arith::AddFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::AddFOp op,
                                PatternRewriter &rewriter) const override {
    auto matmul = op.getLhs().getDefiningOp<nn::RowMatmulOp>();
    Value bias = getRowBias(op);
    if (!matmul || !matmul->hasOneUse() || matmul.getBias() || !bias)
      return failure();
    rewriter.replaceOpWithNewOp<nn::RowMatmulOp>(
        op, matmul.getResult().getType(), matmul.getA(), matmul.getB(),
        matmul.getCount(), bias, matmul.getTransposeB(), matmul.getPacked());
    rewriter.eraseOp(matmul);
    return success();
  }
};

/// The same of weights in blocks.
struct FuseQuantizedBias : OpRewritePattern<arith::AddFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::AddFOp op,
                                PatternRewriter &rewriter) const override {
    auto matmul = op.getLhs().getDefiningOp<nn::QuantizedMatmulOp>();
    Value bias = getRowBias(op);
    if (!matmul || !matmul->hasOneUse() || matmul.getBias() || !bias)
      return failure();
    rewriter.replaceOpWithNewOp<nn::QuantizedMatmulOp>(
        op, matmul.getResult().getType(), matmul.getRows(), matmul.getScales(),
        matmul.getOffsets(), matmul.getWeight(), matmul.getCount(), bias);
    rewriter.eraseOp(matmul);
    return success();
  }
};

/// The training steps of a module: the functions that the runtime calls in
/// sections.
using Steps = DenseSet<Operation *>;

struct FuseGelu : OpRewritePattern<nn::GeluOp> {
  FuseGelu(MLIRContext *context, const Steps &steps)
      : OpRewritePattern(context), steps(steps) {}
  LogicalResult matchAndRewrite(nn::GeluOp op,
                                PatternRewriter &rewriter) const override {
    // The backward pass needs the operand. Where it recomputes that, the GELU
    // would seem to be its only use here; but the library's tanh has other
    // bits than a kernel's, and both GELUs must have the same.
    if (steps.contains(op->getParentOp()))
      return failure();
    plan::GemmOp gemm = getPrivateGemm(op.getInput());
    if (!gemm || gemm.getAddend() || gemm.getAccumulate() ||
        gemm.getEpilogue() != plan::Epilogue::None)
      return failure();
    rewriter.replaceOp(op, rebuild(rewriter, gemm, gemm.getBias(), Value(),
                                   false, plan::Epilogue::Gelu));
    rewriter.eraseOp(gemm);
    return success();
  }

  const Steps &steps;
};

/// Whether cuBLASLt takes an auxiliary matrix with \p gemm: its rows must begin
/// at multiples of 8 elements.
bool mayHaveAux(plan::GemmOp gemm) {
  return gemm.getN() % 8 == 0 && getElementTypeOrSelf(gemm.getA()) ==
                                     getElementTypeOrSelf(gemm.getResult());
}

/// Whether \p use is that of a GELU's operand by its backward pass.
bool isBackward(OpOperand &use) {
  if (auto gemm = dyn_cast<plan::GemmOp>(use.getOwner()))
    return gemm.getAux() == use.get() && gemm.getA() != use.get() &&
           gemm.getB() != use.get();
  auto back = dyn_cast<nn::GeluGradOp>(use.getOwner());
  return back && back.getGradient() != use.get();
}

/// A GELU whose operand nothing needs but its own backward pass.
struct FuseSavedGelu : OpRewritePattern<nn::GeluOp> {
  FuseSavedGelu(MLIRContext *context, const Steps &steps)
      : OpRewritePattern(context), steps(steps) {}
  LogicalResult matchAndRewrite(nn::GeluOp op,
                                PatternRewriter &rewriter) const override {
    auto gemm = op.getInput().getDefiningOp<plan::GemmOp>();
    if (!gemm || gemm.getAddend() || gemm.getAccumulate() ||
        gemm.getEpilogue() != plan::Epilogue::None ||
        !steps.contains(op->getParentOp()) || !mayHaveAux(gemm))
      return failure();
    for (OpOperand &use : gemm.getResult().getUses())
      if (use.getOwner() != op && !isBackward(use))
        return failure();
    bool isSaved = !gemm.getResult().hasOneUse();
    rewriter.setInsertionPoint(gemm);
    plan::GemmOp fused =
        rebuild(rewriter, gemm, gemm.getBias(), Value(), false,
                isSaved ? plan::Epilogue::GeluSaved : plan::Epilogue::Gelu);
    rewriter.replaceOp(op, fused.getResult());
    if (isSaved)
      rewriter.replaceOp(gemm, fused.getSaved());
    else
      rewriter.eraseOp(gemm);
    return success();
  }

  const Steps &steps;
};

/// The gradient that a GEMM gives, times the GELU's derivative.
struct FuseGeluGrad : OpRewritePattern<nn::GeluGradOp> {
  FuseGeluGrad(MLIRContext *context, const Steps &steps)
      : OpRewritePattern(context), steps(steps) {}
  LogicalResult matchAndRewrite(nn::GeluGradOp op,
                                PatternRewriter &rewriter) const override {
    plan::GemmOp gemm = getPrivateGemm(op.getGradient());
    if (!isPlain(gemm) || !steps.contains(op->getParentOp()) ||
        !mayHaveAux(gemm) ||
        gemm.getResult().getType() != op.getInput().getType())
      return failure();
    rewriter.replaceOp(op, rebuild(rewriter, gemm, Value(), Value(), false,
                                   plan::Epilogue::GeluGrad, op.getInput()));
    rewriter.eraseOp(gemm);
    return success();
  }

  const Steps &steps;
};

struct FuseAccumulate : OpRewritePattern<nn::AccumulateOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(nn::AccumulateOp op,
                                PatternRewriter &rewriter) const override {
    plan::GemmOp gemm = getPrivateGemm(op.getInput());
    if (!isPlain(gemm))
      return failure();
    rewriter.setInsertionPoint(gemm);
    rewriter.replaceOp(op, rebuild(rewriter, gemm, Value(), Value(), true,
                                   plan::Epilogue::None));
    rewriter.eraseOp(gemm);
    return success();
  }
};

struct FormGemms : kernels::impl::FormGemmsBase<FormGemms> {
  void runOnOperation() override {
    if (failed(verifyPrograms(getOperation())))
      return signalPassFailure();
    int64_t before = count();
    RewritePatternSet patterns(&getContext());
    Steps steps;
    for (auto program : getOperation().getOps<func::FuncOp>())
      if (!program.getOps<nn::SectionOp>().empty())
        steps.insert(program);
    patterns
        .add<FormGemm, FuseSum, FuseRowBias, FuseQuantizedBias, FuseAccumulate>(
            &getContext());
    patterns.add<FuseGelu>(&getContext(), steps);
    const Target *target = getTarget(getOperation());
    if (!target)
      return signalPassFailure();
    if (target->endsGemmsWithGelu(getOperation()))
      patterns.add<FuseSavedGelu, FuseGeluGrad>(&getContext(), steps);
    if (failed(applyToRoots(getOperation(), std::move(patterns))))
      return signalPassFailure();
    getOperation().walk([&](plan::GemmOp gemm) {
      ++numGemms;
      numEpilogues += !isPlain(gemm);
    });
    numGemms -= before;
  }

  int64_t count() {
    int64_t gemms = 0;
    getOperation().walk([&](plan::GemmOp) { ++gemms; });
    return gemms;
  }
};

} // namespace
