//===- Passes.h - CPU code generation ---------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_PASSES_H
#define TESSERA_CODEGEN_CPU_PASSES_H

#include "mlir/Pass/PassManager.h"

namespace tessera::cpu {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "codegen/cpu/Passes.h.inc"

/// Takes a module of func, scf, arith, math, memref and vector operations to
/// the LLVM dialect. A buffer that is a function's argument is passed as one
/// bare pointer.
void addLowerToLLVMPasses(mlir::OpPassManager &manager);

/// The phase `target`: from a plan and its kernels to the LLVM dialect.
void buildPipeline(mlir::OpPassManager &manager);

} // namespace tessera::cpu

#endif // TESSERA_CODEGEN_CPU_PASSES_H
