//===- Optimize.h - LLVM's passes for emitted code --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_OPTIMIZE_H
#define TESSERA_CODEGEN_OPTIMIZE_H

#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace tessera {

/// Runs LLVM's default passes for \p machine, without vectorisation: kernels
/// are vectorised already.
void optimizeModule(llvm::Module &module, llvm::TargetMachine &machine);

/// Makes each kernel of \p module one function and runs those of LLVM's passes
/// on it that make loops of vectors faster. What becomes of a kernel does not
/// depend on what else is in its module.
void optimizeKernels(llvm::Module &module, llvm::TargetMachine &machine);

} // namespace tessera

#endif // TESSERA_CODEGEN_OPTIMIZE_H
