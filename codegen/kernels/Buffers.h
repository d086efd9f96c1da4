//===- Buffers.h - The memory that stands for a kernel's tensors *- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_KERNELS_BUFFERS_H
#define TESSERA_CODEGEN_KERNELS_BUFFERS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tessera::codegen {

/// The number of elements of \p tensor.
inline int64_t getElements(mlir::Value tensor) {
  return mlir::cast<mlir::RankedTensorType>(tensor.getType()).getNumElements();
}

/// The buffer that stands for a tensor of \p type.
mlir::MemRefType getBufferType(mlir::Type type);

/// For each argument and then each result of \p kernel, whether `plan.inplace`
/// lets its buffer overlap another one.
llvm::SmallVector<bool> getMayAlias(mlir::func::FuncOp kernel);

/// Of \p buffers, the arguments' and then the results', those that stand for
/// the operands and the results of \p op, the operation that \p kernel is made
/// of: a graph is its arrays, a constant a null value. All of them where \p op
/// is null.
mlir::LogicalResult collectBuffers(mlir::func::FuncOp kernel,
                                   mlir::Operation *op,
                                   mlir::ValueRange buffers,
                                   llvm::SmallVectorImpl<mlir::Value> &inputs,
                                   llvm::SmallVectorImpl<mlir::Value> &outputs);

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_KERNELS_BUFFERS_H
