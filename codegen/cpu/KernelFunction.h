//===- KernelFunction.h - Kernels as functions on memory --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_KERNELFUNCTION_H
#define TESSERA_CODEGEN_CPU_KERNELFUNCTION_H

#include "codegen/cpu/KernelEmission.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tessera::cpu {

/// What a launch has to know of a kernel.
struct KernelShape {
  int64_t iterations;   ///< of its parallel loop
  int64_t scratchBytes; ///< a thread's own memory; a multiple of 64
  /// Where an argument counts the rows of the results: the argument, numerator
  /// and denominator of `plan.counted_iterations`. Else empty.
  llvm::SmallVector<int64_t, 3> counted = {};
};

/// The shape of \p kernel, a function from tensors to tensors.
KernelShape getKernelShape(mlir::func::FuncOp kernel);

/// Replaces \p kernel, a function @k from tensors to tensors, by two:
///
///   func.func private @k.body(arguments' buffers..., results' buffers...,
///                             begin: index, end: index, scratch)
///   llvm.func @k(args: ptr, begin: i64, end: i64, scratch: ptr)
///
/// The second is a `tessera_kernel` (runtime/abi.h), which loads the addresses
/// and calls the first. Buffers that `plan.inplace` does not name do not alias
/// what the kernel writes.
mlir::LogicalResult buildKernelFunction(mlir::func::FuncOp kernel);

} // namespace tessera::cpu

#endif // TESSERA_CODEGEN_CPU_KERNELFUNCTION_H
