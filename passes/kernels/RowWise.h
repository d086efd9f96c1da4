//===- RowWise.h - Which steps take rows one by one -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A step works row by row if a row of what it gives depends on nothing but the
// same row of what it takes in rows, and on what it takes whole. What it gives
// is either such rows or a sum over them.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_KERNELS_ROWWISE_H
#define TESSERA_PASSES_KERNELS_ROWWISE_H

#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tessera::kernels {

/// How a step takes its operands and what its results are.
struct RowWise {
  llvm::SmallVector<bool> inRows; ///< by operand; false: whole
  llvm::SmallVector<bool> sums;   ///< by result; false: has a row for each row
};

/// \p step, a launch or a GEMM, as one that works on \p rows rows, or nothing
/// where it does not.
std::optional<RowWise> getRowWise(mlir::Operation *step, int64_t rows,
                                  mlir::SymbolTable &symbols);

/// \p type with \p rows rows where it has \p from of them.
mlir::Type withRows(mlir::Type type, int64_t from, int64_t rows);

} // namespace tessera::kernels

#endif // TESSERA_PASSES_KERNELS_ROWWISE_H
