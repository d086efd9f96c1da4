//===- Emulation.h - Device functions as a CPU's ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_CODEGEN_CUDA_EMULATION_H
#define TESSERA_TEST_CODEGEN_CUDA_EMULATION_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"

namespace tessera::test {

/// Replaces the module `@device` of \p module by functions of this CPU:
/// for each device function @k one with the calling convention of
/// EmulatedKernel (Emulator.h), in the LLVM dialect. What the device does
/// becomes calls of the emulator; everything else is lowered as kernels of a
/// CPU are.
mlir::LogicalResult lowerToEmulation(mlir::ModuleOp module);

} // namespace tessera::test

#endif // TESSERA_TEST_CODEGEN_CUDA_EMULATION_H
