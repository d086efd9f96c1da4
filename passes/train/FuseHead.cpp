//===- FuseHead.cpp - Fuse a head with its loss -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Contracts.h"
#include "dialects/nn/TargetScores.h"
#include "passes/train/Passes.h"

namespace tessera::train {
#define GEN_PASS_DEF_FUSEHEAD
#include "passes/train/Passes.h.inc"
} // namespace tessera::train

using namespace mlir;
using namespace tessera;

/// The matmul input · weightᵀ that \p logits are and nothing else uses, or
/// null.
static nn::MatmulOp findHead(Value logits) {
  auto matmul = logits.getDefiningOp<nn::MatmulOp>();
  if (!matmul || !matmul->hasOneUse() || matmul.getTransposeA() ||
      !matmul.getTransposeB())
    return nullptr;
  return matmul;
}

namespace {
struct FuseHead : train::impl::FuseHeadBase<FuseHead> {
  void runOnOperation() override {
    if (failed(verifyPrograms(getOperation())))
      return signalPassFailure();
    getOperation().walk([&](nn::CrossEntropyOp loss) {
      nn::MatmulOp head = findHead(loss.getLogits());
      if (!head)
        return;
      OpBuilder builder(loss);
      auto fused = nn::LinearCrossEntropyOp::create(
          builder, loss.getLoc(), head.getA(), head.getB(), loss.getTargets(),
          loss.getScale());
      replace(loss, fused.getLoss(), head);
    });
    getOperation().walk([&](nn::TargetScoresOp scores) {
      nn::MatmulOp head = findHead(scores.getLogits());
      if (!head)
        return;
      OpBuilder builder(scores);
      auto fused = nn::LinearTargetScoresOp::create(
          builder, scores.getLoc(), scores.getResultTypes(), head.getA(),
          head.getB(), scores.getTargets());
      replace(scores, fused.getResults(), head);
    });
  }

  void replace(Operation *op, ValueRange values, Operation *head) {
    op->replaceAllUsesWith(values);
    op->erase();
    head->erase();
    ++numFused;
  }
};
} // namespace
