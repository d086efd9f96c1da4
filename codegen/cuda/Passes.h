//===- Passes.h - CUDA code generation --------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_PASSES_H
#define TESSERA_CODEGEN_CUDA_PASSES_H

#include "mlir/Pass/PassManager.h"

namespace tessera::cuda {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "codegen/cuda/Passes.h.inc"

/// Takes the device's functions of a module to the LLVM and NVVM dialects.
void addLowerDevicePasses(mlir::OpPassManager &manager);

/// Registers the pipeline `cuda-lower-device`.
void registerCUDAPipeline();

/// The phase `target`: from a plan and its kernels to the LLVM dialect, with a
/// module of device code.
void buildPipeline(mlir::OpPassManager &manager);

} // namespace tessera::cuda

#endif // TESSERA_CODEGEN_CUDA_PASSES_H
