//===- tessera-opt.cpp - Runs passes on textual IR --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/AllTargets.h"
#include "codegen/kernels/Arithmetic.h"
#include "dialects/AllDialects.h"
#include "driver/PhasePipelines.h"
#include "driver/Version.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  tessera::setVersionPrinter("tessera-opt");
  tessera::registerAllTargets();
  mlir::DialectRegistry registry;
  tessera::registerAllDialects(registry);
  tessera::codegen::registerKernels(registry);
  tessera::registerPhasePipelines();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Tessera's pass driver\n", registry));
}
