//===- Pipeline.cpp - The phase plan ----------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/plan/Passes.h"

using namespace mlir;

void tessera::plan::buildPlanPipeline(OpPassManager &manager) {
  manager.addPass(createPlace());
  manager.addPass(createOffload());
  manager.addPass(createLayout());
  manager.addPass(createVerifyPlan());
}
