//===- CodeForms.h - Code as text -------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CODEFORMS_H
#define TESSERA_CODEGEN_CODEFORMS_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"

namespace tessera::codegen {

/// What code may be written as, beside an object file.
enum class CodeForm {
  LlvmIr,   ///< text, optimized
  Assembly, ///< of the CPU
  Ptx       ///< of a device
};

/// Writes the code of \p module, as the phase `target` leaves it, into the file
/// \p path as \p form. LlvmIr and Assembly are what the CPU runs, without a
/// device's code; PTX is for the first of the architectures that the
/// specification names. Fails with an error where there is no device code.
mlir::LogicalResult emitCode(mlir::ModuleOp module, CodeForm form,
                             llvm::StringRef path);

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_CODEFORMS_H
