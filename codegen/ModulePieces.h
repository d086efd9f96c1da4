//===- ModulePieces.h - A module as several ----------------------*- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_MODULEPIECES_H
#define TESSERA_CODEGEN_MODULEPIECES_H

#include "mlir/IR/BuiltinOps.h"

namespace tessera::codegen {

/// Moves what \p module, which holds nothing but the LLVM dialect, defines into
/// modules within it that can be compiled side by side and linked together.
/// They have its attributes. What is internal stays with all that names it;
/// what other pieces define is declared. The first has all that is no function,
/// with the functions that this names; then come the others, the largest first.
/// Which pieces there are follows from the module alone.
llvm::SmallVector<mlir::ModuleOp> splitModule(mlir::ModuleOp module);

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_MODULEPIECES_H
