//===- FuseHead.cpp - Fuse a head with its loss -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Contracts.h"
#include "passes/train/Passes.h"

namespace tessera::train {
#define GEN_PASS_DEF_FUSEHEAD
#include "passes/train/Passes.h.inc"
} // namespace tessera::train

using namespace mlir;
using namespace tessera;

namespace {
struct FuseHead : train::impl::FuseHeadBase<FuseHead> {
  void runOnOperation() override {
    if (failed(verifyPrograms(getOperation())))
      return signalPassFailure();
    getOperation().walk([&](nn::CrossEntropyOp loss) {
      auto matmul = loss.getLogits().getDefiningOp<nn::MatmulOp>();
      if (!matmul || !matmul->hasOneUse() || matmul.getTransposeA() ||
          !matmul.getTransposeB())
        return;
      OpBuilder builder(loss);
      auto fused = nn::LinearCrossEntropyOp::create(
          builder, loss.getLoc(), matmul.getA(), matmul.getB(),
          loss.getTargets(), loss.getScale());
      loss.replaceAllUsesWith(fused.getLoss());
      loss.erase();
      matmul.erase();
      ++numFused;
    });
  }
};
} // namespace
