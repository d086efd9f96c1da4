//===- tessera-lsp-server.cpp - Language server for IR ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AllDialects.h"
#include "driver/Version.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "tools/ServerAnswers.h"
#include "llvm/Support/raw_ostream.h"

int main(int argc, char **argv) {
  tessera::setVersionPrinter("tessera-lsp-server");
  mlir::DialectRegistry registry;
  tessera::registerAllDialects(registry);
  // Static, since --help and --version exit; outs() must then still be there.
  (void)llvm::outs();
  static tessera::AnswerPipe answers;
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
