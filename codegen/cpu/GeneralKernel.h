//===- GeneralKernel.h - Kernels of rows and columns ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_GENERALKERNEL_H
#define TESSERA_CODEGEN_CPU_GENERALKERNEL_H

#include "codegen/cpu/KernelEmission.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tessera::cpu {

/// Iterations of the parallel loop of a kernel that is made of elementwise
/// operations, broadcasts and reductions: rows, strips of columns, or blocks of
/// elements.
int64_t getGeneralIterations(mlir::func::FuncOp kernel);

/// Iterations for a count of rows: count · numerator / denominator, rounded up.
struct CountedIterations {
  int64_t numerator, denominator;
};

/// How many of them compute the first of \p room rows of the results; nothing
/// where these do not come one after the other.
std::optional<CountedIterations> getCountedIterations(mlir::func::FuncOp kernel,
                                                      int64_t room);

/// Writes the iterations [begin, end) of such a kernel. The body's inputs are
/// the kernel's arguments, its outputs the kernel's results.
void emitGeneralKernel(mlir::func::FuncOp kernel, KernelBody &body);

} // namespace tessera::cpu

#endif // TESSERA_CODEGEN_CPU_GENERALKERNEL_H
