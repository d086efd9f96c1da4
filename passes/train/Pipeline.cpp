//===- Pipeline.cpp - The phase train ---------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/StraightLine.h"
#include "passes/train/Passes.h"

using namespace mlir;

void tessera::train::buildPipeline(OpPassManager &manager,
                                   const RecomputeOptions &recompute) {
  manager.addPass(createVerifyModel());
  manager.addPass(createCanonicalizerPass(getStraightLineConfig()));
  manager.addPass(createCSEPass());
  manager.addPass(createApplyPrecision());
  manager.addPass(createFuseHead());
  manager.addPass(createDifferentiate());
  manager.addPass(createCanonicalizerPass(getStraightLineConfig()));
  manager.addPass(createCSEPass());
  manager.addPass(createRecompute(recompute));
  manager.addPass(createPackWeights());
  manager.addPass(createVerifyTrain());
}
