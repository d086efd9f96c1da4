//===- SplitAttention.cpp - Long contexts in parts --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Contracts.h"
#include "dialects/nn/AttentionParts.h"
#include "passes/kernels/Passes.h"
#include "target/Target.h"

namespace tessera::kernels {
#define GEN_PASS_DEF_SPLITATTENTION
#include "passes/kernels/Passes.h.inc"
} // namespace tessera::kernels

using namespace mlir;
using namespace tessera;

/// \p op by parts of \p length positions.
static void split(nn::CachedAttentionOp op, int64_t length) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  SmallVector<int64_t> shape = {
      op.getRows(), static_cast<int64_t>(op.getHeads()),
      nn::CachedAttentionPartsOp::countParts(op.getSlotLength(), op.getWindow(),
                                             length)};
  auto perPart = RankedTensorType::get(shape, builder.getF32Type());
  shape.push_back(op.getHeadDim());
  auto parts = nn::CachedAttentionPartsOp::create(
      builder, loc, perPart.clone(shape), perPart, perPart, op.getQkv(),
      op.getCache(), op.getSlots(), op.getPositions(), op.getCount(),
      op.getScales(), op.getHeads(), op.getLayout(), op.getAlibi(),
      op.getScale(), op.getWindowAttr(), length);
  auto merge = nn::MergeAttentionPartsOp::create(
      builder, loc, op.getResult().getType(), parts.getSums(),
      parts.getMaxima(), parts.getTotals(), op.getPositions(), op.getCount(),
      op.getWindowAttr(), length);
  op.replaceAllUsesWith(merge.getResult());
  op.erase();
}

namespace {

struct SplitAttention : kernels::impl::SplitAttentionBase<SplitAttention> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(verifyPrograms(module)))
      return signalPassFailure();
    const Target *target = getTarget(module);
    if (!target)
      return signalPassFailure();
    module.walk([&](nn::CachedAttentionOp op) {
      if (int64_t length = target->getAttentionPart(op)) {
        split(op, length);
        ++numSplit;
      }
    });
  }
};

} // namespace
