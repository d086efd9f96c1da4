//===- KernelEmission.h - Kernels that write their code ----------*- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_KERNELEMISSION_H
#define TESSERA_CODEGEN_CUDA_KERNELEMISSION_H

#include "codegen/cuda/ThreadBuilder.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/OpDefinition.h"

namespace tessera::cuda {

/// A grid of blocks of threads, both of one dimension. At most 1024 threads.
struct Grid {
  int64_t blocks = 1;
  int64_t threads = 1;
  /// Blocks that a multiprocessor has registers for at the same time, at least.
  int64_t resident = 1;
};

/// The memory that a kernel works on: memrefs of static shape and identity
/// layout.
struct KernelBuffers {
  llvm::SmallVector<mlir::Value> inputs;
  llvm::SmallVector<mlir::Value> outputs;
  /// memref<Nxi8> of the kernel's scratch bytes.
  mlir::Value scratch;
};

/// Attaches KernelEmissionOpInterface to the operations of this project that
/// are kernels by themselves.
void registerKernels(mlir::DialectRegistry &registry);

} // namespace tessera::cuda

#include "codegen/cuda/KernelEmission.h.inc"

#endif // TESSERA_CODEGEN_CUDA_KERNELEMISSION_H
