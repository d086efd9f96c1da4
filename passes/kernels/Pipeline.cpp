//===- Pipeline.cpp - The phase kernels -------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/StraightLine.h"
#include "passes/kernels/Passes.h"

using namespace mlir;

void tessera::kernels::buildPipeline(OpPassManager &manager) {
  // A GELU can only end a GEMM while it is one operation; a head's chunks
  // are GEMMs only once it is decomposed.
  manager.addPass(createFormGemms());
  manager.addPass(createDecompose());
  manager.addPass(createSplitAttention());
  manager.addPass(createFormGemms());
  manager.addPass(createCanonicalizerPass(getStraightLineConfig()));
  manager.addPass(createCSEPass());
  manager.addPass(createOutlineKernels());
  manager.addPass(createCanonicalizerPass(getStraightLineConfig()));
  manager.addPass(createBoundRows());
  manager.addPass(createChunkRows());
  manager.addPass(createDropUnreadInputs());
  manager.addPass(createVerifyKernels());
}
