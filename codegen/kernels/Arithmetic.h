//===- Arithmetic.h - What kernels compute and move -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_KERNELS_ARITHMETIC_H
#define TESSERA_CODEGEN_KERNELS_ARITHMETIC_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectRegistry.h"

namespace tessera::codegen {

/// Attaches KernelOpInterface to the operations of this project that are
/// kernels by themselves, and the code of all registered targets.
void registerKernels(mlir::DialectRegistry &registry);

/// Floating-point operations of a launch of \p kernel, a function from tensors
/// to tensors; a transcendental function counts as one.
int64_t getFlops(mlir::func::FuncOp kernel);

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_KERNELS_ARITHMETIC_H
