//===- extension-opt.cpp - Runs passes from outside on textual IR ---------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AllDialects.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "passes/train/Passes.h"
#include "test/extension/ApproximateGelu.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  tessera::registerAllDialects(registry);
  registry.insert<tessera::extension::ExtensionDialect>();
  tessera::train::registerTrainPasses();
  tessera::extension::registerApproximateGeluPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv, "Tessera's pass driver with a pass from outside\n",
      registry));
}
