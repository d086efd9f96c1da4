//===- ObjectEmission.h - Object files for a CPU ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_OBJECTEMISSION_H
#define TESSERA_CODEGEN_OBJECTEMISSION_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"

namespace tessera::codegen {

/// Compiles \p module, which holds nothing but the LLVM dialect, for the CPU
/// that its specification names ("native": this machine's) and writes the
/// object file \p path, with \p deviceImage in it as `tessera_device_image`;
/// of several models either all have one or none.
mlir::LogicalResult emitObject(mlir::ModuleOp module, llvm::StringRef path,
                               llvm::StringRef deviceImage = {});

/// Writes the same code into the file \p path as assembly or, if not that, as
/// LLVM IR.
mlir::LogicalResult emitText(mlir::ModuleOp module, bool isAssembly,
                             llvm::StringRef path);

/// Whether that CPU has LLVM's feature \p name.
bool hasCpuFeature(mlir::ModuleOp module, llvm::StringRef name);

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_OBJECTEMISSION_H
