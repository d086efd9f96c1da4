//===- KernelInterface.h - Operations that are kernels ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_KERNELINTERFACE_H
#define TESSERA_CODEGEN_CPU_KERNELINTERFACE_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/OpDefinition.h"
#include "llvm/ADT/SmallVector.h"

namespace tessera::cpu {

/// Lanes of a generated fp32 vector, on every CPU: LLVM splits vectors where
/// registers are narrower, and the order of additions stays the same.
constexpr int64_t kLanes = 16;

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
};

/// Bytes of all tensors that \p op takes and gives.
int64_t getTensorBytes(mlir::Operation *op);

/// Attaches KernelOpInterface to the operations of this project that are
/// kernels by themselves.
void registerKernels(mlir::DialectRegistry &registry);

} // namespace tessera::cpu

#include "codegen/cpu/KernelInterface.h.inc"

#endif // TESSERA_CODEGEN_CPU_KERNELINTERFACE_H
