//===- ComposedKernel.h - Kernels made of kernels ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A composed kernel is a straight line of launches and local GEMMs, which one
// thread runs one after the other: its loop has one iteration. What one step
// leaves for the next lies in the thread's scratch memory, unless it is a
// result or has the place of one.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_COMPOSEDKERNEL_H
#define TESSERA_CODEGEN_CPU_COMPOSEDKERNEL_H

#include "codegen/cpu/KernelFunction.h"

namespace tessera::cpu {

/// Whether steps of \p kernel are launches or GEMMs.
bool isComposed(mlir::func::FuncOp kernel);

/// Whether \p kernel, where it is composed or runs composed ones, can be built:
/// its GEMMs are local ones of fp32, what it launches is not composed itself,
/// and it returns what its steps give.
mlir::LogicalResult verifyComposed(mlir::func::FuncOp kernel);

/// The shape of a composed kernel.
KernelShape getComposedShape(mlir::func::FuncOp kernel);

/// Writes the steps of a composed kernel on \p body's buffers. Calls are of
/// @k.body for each kernel @k that it launches.
void emitComposed(mlir::func::FuncOp kernel, KernelBody &body);

} // namespace tessera::cpu

#endif // TESSERA_CODEGEN_CPU_COMPOSEDKERNEL_H
