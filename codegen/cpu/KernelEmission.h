//===- KernelEmission.h - Kernels that write their code ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_KERNELEMISSION_H
#define TESSERA_CODEGEN_CPU_KERNELEMISSION_H

#include "codegen/kernels/VectorBuilder.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/OpDefinition.h"
#include "llvm/ADT/SmallVector.h"

namespace tessera::cpu {

/// Where a kernel's code is written. All buffers are memrefs of static shape
/// and identity layout.
struct KernelBody {
  mlir::OpBuilder &builder;
  mlir::Location loc;
  llvm::SmallVector<mlir::Value> inputs;
  llvm::SmallVector<mlir::Value> outputs;
  mlir::Value begin; ///< index
  mlir::Value end;   ///< index
  /// memref<Nxi8> of the operation's scratch bytes; null where it has none.
  mlir::Value scratch;
  /// Iterations of the whole loop, as they were planned.
  int64_t iterations = 0;
  /// index: how many of `room` rows the kernel's sums over rows have; null
  /// where they have all.
  mlir::Value count = {};
  int64_t room = 0;
};

/// Attaches KernelEmissionOpInterface to the operations of this project that
/// are kernels by themselves.
void registerKernels(mlir::DialectRegistry &registry);

} // namespace tessera::cpu

#include "codegen/cpu/KernelEmission.h.inc"

#endif // TESSERA_CODEGEN_CPU_KERNELEMISSION_H
