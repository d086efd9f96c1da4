//===- Kernels.h - Registration of single kernels ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_KERNELS_H
#define TESSERA_CODEGEN_CUDA_KERNELS_H

#include "mlir/IR/MLIRContext.h"

namespace tessera::cuda {

/// Each attaches KernelEmissionOpInterface to the operations of one file.
void registerUpdate(mlir::MLIRContext *context);
void registerAggregate(mlir::MLIRContext *context);
void registerAttention(mlir::MLIRContext *context);
void registerAttentionGrad(mlir::MLIRContext *context);
void registerCache(mlir::MLIRContext *context);
void registerGraphAttention(mlir::MLIRContext *context);
void registerGraphDropout(mlir::MLIRContext *context);
void registerNeighborMax(mlir::MLIRContext *context);
void registerNorm(mlir::MLIRContext *context);
void registerQuantize(mlir::MLIRContext *context);
void registerRowMatmul(mlir::MLIRContext *context);
void registerScatterAdd(mlir::MLIRContext *context);
void registerTranspose(mlir::MLIRContext *context);

} // namespace tessera::cuda

#endif // TESSERA_CODEGEN_CUDA_KERNELS_H
