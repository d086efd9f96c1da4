//===- Kernels.h - Registration of single kernels ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_KERNELS_H
#define TESSERA_CODEGEN_CPU_KERNELS_H

#include "codegen/cpu/KernelEmission.h"

namespace tessera::cpu {

/// Each attaches KernelEmissionOpInterface to the operations of one file.
void registerUpdate(mlir::MLIRContext *context);
void registerAggregate(mlir::MLIRContext *context);
void registerAttention(mlir::MLIRContext *context);
void registerAttentionGrad(mlir::MLIRContext *context);
void registerCache(mlir::MLIRContext *context);
void registerCachedAttention(mlir::MLIRContext *context);
void registerGraphAttention(mlir::MLIRContext *context);
void registerGraphDropout(mlir::MLIRContext *context);
void registerNeighborMax(mlir::MLIRContext *context);
void registerNorm(mlir::MLIRContext *context);
void registerQuantize(mlir::MLIRContext *context);
void registerQuantizedMatmul(mlir::MLIRContext *context);
void registerRowLoop(mlir::MLIRContext *context);
void registerRowMatmul(mlir::MLIRContext *context);
void registerScatterAdd(mlir::MLIRContext *context);
void registerTranspose(mlir::MLIRContext *context);

} // namespace tessera::cpu

#endif // TESSERA_CODEGEN_CPU_KERNELS_H
