//===- Passes.h - The phase train -------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_TRAIN_PASSES_H
#define TESSERA_PASSES_TRAIN_PASSES_H

#include "dialects/graph/Graph.h"
#include "dialects/nn/NN.h"
#include "dialects/optimizer/Optimizer.h"
#include "mlir/Pass/Pass.h"

namespace tessera::train {

#define GEN_PASS_DECL
#include "passes/train/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/train/Passes.h.inc"

/// The phase `train`: from an objective to a training step.
void buildPipeline(mlir::OpPassManager &manager,
                   const RecomputeOptions &recompute = {});

} // namespace tessera::train

#endif // TESSERA_PASSES_TRAIN_PASSES_H
