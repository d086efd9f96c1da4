//===- tessera-opt.cpp - Runs passes on textual IR --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/AllTargets.h"
#include "codegen/Passes.h"
#include "codegen/cpu/Passes.h"
#include "codegen/cuda/Passes.h"
#include "codegen/kernels/Arithmetic.h"
#include "codegen/kernels/Passes.h"
#include "dialects/AllDialects.h"
#include "driver/Version.h"
#include "passes/kernels/Passes.h"
#include "passes/plan/Passes.h"
#include "passes/train/Passes.h"
#include "passes/zero/Passes.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  tessera::setVersionPrinter("tessera-opt");
  tessera::registerAllTargets();
  mlir::DialectRegistry registry;
  tessera::registerAllDialects(registry);
  tessera::codegen::registerKernels(registry);
  mlir::registerTransformsPasses();
  tessera::train::registerTrainPasses();
  tessera::zero::registerZeroPasses();
  tessera::zero::registerZeroPipeline();
  tessera::kernels::registerKernelsPasses();
  tessera::plan::registerPlanPasses();
  tessera::cpu::registerCPUPasses();
  tessera::cuda::registerCUDAPasses();
  tessera::cuda::registerCUDAPipeline();
  tessera::codegen::registerCodegenPasses();
  tessera::registerTargetPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Tessera's pass driver\n", registry));
}
