//===- ObjectEmission.h - Object files for a CPU ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_OBJECTEMISSION_H
#define TESSERA_CODEGEN_OBJECTEMISSION_H

#include "mlir/IR/BuiltinOps.h"
#include "target/Target.h"
#include "llvm/ADT/StringRef.h"
#include <vector>

namespace tessera::codegen {

/// Compiles \p module, which holds nothing but the LLVM dialect, for the CPU
/// that its specification names ("native": this machine's) into object files
/// that are linked together, the same with any number of threads; one alone
/// where \p inOne, else \p module is taken apart. \p deviceImage is in the
/// first as `tessera_device_image`; of several models either all have one or
/// none.
mlir::FailureOr<std::vector<ObjectFile>>
emitObjects(mlir::ModuleOp module, bool inOne,
            llvm::StringRef deviceImage = {});

/// Writes the same code into the file \p path as assembly or, if not that, as
/// LLVM IR.
mlir::LogicalResult emitText(mlir::ModuleOp module, bool isAssembly,
                             llvm::StringRef path);

/// Whether that CPU has LLVM's feature \p name.
bool hasCpuFeature(mlir::ModuleOp module, llvm::StringRef name);

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_OBJECTEMISSION_H
