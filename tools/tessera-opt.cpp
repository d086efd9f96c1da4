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
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "tools/ToolPage.h"

static const tessera::ToolPage page = {
    "tessera-opt", "run passes of Tessera on a module of MLIR", "[FILE]",
    "tessera-opt reads a module of MLIR, from the standard input where no FILE "
    "is given, runs the passes and pipelines that are given, in their order, "
    "and writes the module that comes of it. Each phase of tessera(1) is a "
    "pipeline, and tessera compile --dump-phases-to DIR writes the "
    "modules between them.\n\n"
    "A pass with options takes them as --PASS=name=value; --help says which "
    "there are, and --pass-pipeline takes passes on functions. "
    "Options of LLVM's code generators are shown by --help-hidden.",
    "tessera(1), tessera-lsp-server(1)"};

int main(int argc, char **argv) {
  tessera::setUpTool(page);
  tessera::registerAllTargets();
  mlir::DialectRegistry registry;
  tessera::registerAllDialects(registry);
  tessera::codegen::registerKernels(registry);
  tessera::registerPhasePipelines();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Tessera's pass driver\n", registry));
}
