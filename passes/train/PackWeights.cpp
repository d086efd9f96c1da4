//===- PackWeights.cpp - Weights as kernels read them ------------*- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "passes/train/Passes.h"
#include "runtime/program/PackedWeights.h"
#include "target/Target.h"

namespace tessera::train {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "passes/train/Passes.h.inc"
} // namespace tessera::train

using namespace mlir;
using namespace tessera;

namespace {

/// Whether \p slice takes whole panels of rows, which lie in it as they lie in
/// the packed matrix.
static bool isOfPanels(nn::SliceOp slice) {
  int64_t rows = slice.getInput().getType().getDimSize(0);
  int64_t begin = slice.getOffset();
  int64_t end = begin + slice.getResult().getType().getDimSize(0);
  return begin % runtime::panelWidth == 0 &&
         (end % runtime::panelWidth == 0 || end == rows);
}

/// Who reads a parameter.
struct Readers {
  SmallVector<nn::MatmulOp> matmuls;
  SmallVector<nn::GatherOp> gathers;
  bool hasSlices = false, hasOthers = false;

  void add(OpOperand &use) {
    Operation *op = use.getOwner();
    if (auto slice = dyn_cast<nn::SliceOp>(op); slice && isOfPanels(slice)) {
      hasSlices = true;
      for (OpOperand &inner : slice.getResult().getUses())
        addMatmul(inner);
    } else if (auto gather = dyn_cast<nn::GatherOp>(op)) {
      gathers.push_back(gather);
    } else {
      addMatmul(use);
    }
  }

  void addMatmul(OpOperand &use) {
    Operation *op = use.getOwner();
    if (auto matmul = dyn_cast<nn::MatmulOp>(op);
        matmul && use.getOperandNumber() == 1 && matmul.getA() != use.get() &&
        !matmul.getTransposeA() && nn::getRowCount(matmul))
      matmuls.push_back(matmul);
    else
      hasOthers = true;
  }

  /// What the parameter may have panels of.
  std::optional<nn::Panels> getPanels() {
    if (hasOthers || matmuls.empty())
      return {};
    bool transposes = matmuls.front().getTransposeB();
    if (!llvm::all_of(matmuls,
                      [&](nn::MatmulOp op) {
                        return op.getTransposeB() == transposes;
                      }) ||
        ((!gathers.empty() || hasSlices) && !transposes))
      return {};
    return transposes ? nn::Panels::Rows : nn::Panels::Columns;
  }
};

struct PackWeights : train::impl::PackWeightsBase<PackWeights> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(verifyPrograms(module)))
      return signalPassFailure();
    const Target *target = getTarget(module);
    if (!target)
      return signalPassFailure();
    if (!target->packsWeights())
      return;
    DenseMap<StringAttr, Readers> readers;
    module.walk([&](nn::GetParameterOp read) {
      for (OpOperand &use : read.getResult().getUses())
        readers[read.getParameterAttr().getAttr()].add(use);
    });
    for (auto parameter : module.getOps<nn::ParameterOp>()) {
      Readers &of = readers[parameter.getSymNameAttr()];
      std::optional<nn::Panels> panels = of.getPanels();
      if (!panels)
        continue;
      parameter.setPacked(*panels);
      pack(of);
      ++numPacked;
    }
  }

  void pack(const Readers &readers) {
    for (nn::MatmulOp op : readers.matmuls) {
      OpBuilder builder(op);
      auto packed = nn::RowMatmulOp::create(
          builder, op.getLoc(), op.getResult().getType(), op.getA(), op.getB(),
          nn::getRowCount(op), /*bias=*/Value(), op.getTransposeB(),
          /*packed=*/true);
      op.replaceAllUsesWith(packed.getResult());
      op.erase();
    }
    for (nn::GatherOp op : readers.gathers) {
      OpBuilder builder(op);
      auto packed = nn::PackedGatherOp::create(builder, op.getLoc(),
                                               op.getResult().getType(),
                                               op.getTable(), op.getIndices());
      op.replaceAllUsesWith(packed.getResult());
      op.erase();
    }
  }
};

} // namespace
