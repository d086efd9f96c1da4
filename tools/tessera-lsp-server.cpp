//===- tessera-lsp-server.cpp - Language server for IR ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AllDialects.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "tools/ServerAnswers.h"
#include "tools/ToolPage.h"
#include "llvm/Support/raw_ostream.h"

static const tessera::ToolPage page = {
    "tessera-lsp-server", "language server for modules of Tessera", "",
    "tessera-lsp-server is MLIR's language server with the dialects of "
    "Tessera. An editor starts it and speaks to it by the standard input and "
    "output: errors as one types, definitions and uses of values, types and "
    "the pages of operations under the pointer. How editors are told of it "
    "says share/doc/tessera/docs/editors.md.",
    "tessera-opt(1), tessera(1)"};

int main(int argc, char **argv) {
  tessera::setUpTool(page);
  mlir::DialectRegistry registry;
  tessera::registerAllDialects(registry);
  // Static, since --help and --version exit; outs() must then still be there.
  (void)llvm::outs();
  static tessera::AnswerPipe answers;
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
