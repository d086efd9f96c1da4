//===- GeneralKernel.h - Kernels of rows and columns on a grid --*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_GENERALKERNEL_H
#define TESSERA_CODEGEN_CUDA_GENERALKERNEL_H

#include "codegen/cuda/KernelEmission.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tessera::cuda {

/// The grids of a kernel that is made of elementwise operations, broadcasts and
/// reductions, and the scratch memory that they share.
llvm::SmallVector<Grid> getGeneralGrids(mlir::func::FuncOp kernel);
int64_t getGeneralScratchBytes(mlir::func::FuncOp kernel);

/// Writes what one thread of grid number \p grid of such a kernel does. The
/// inputs are the kernel's arguments, the outputs its results.
void emitGeneralThread(mlir::func::FuncOp kernel, unsigned grid,
                       ThreadBuilder &builder, const KernelBuffers &buffers);

} // namespace tessera::cuda

#endif // TESSERA_CODEGEN_CUDA_GENERALKERNEL_H
