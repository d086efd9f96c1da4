//===- Chains.h - Steps that work row by row together -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Steps that work row by row are gathered into chains, which run at one place
// of the program: a step joins where either all others can move down to it or
// it can move up to them.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_KERNELS_CHAINS_H
#define TESSERA_PASSES_KERNELS_CHAINS_H

#include "passes/kernels/RowWise.h"
#include "llvm/ADT/MapVector.h"
#include <vector>

namespace tessera::kernels {

/// Steps that run together, chunk by chunk.
struct Chain {
  int64_t rows = 0;
  llvm::SmallVector<mlir::Operation *> steps; ///< in program order
  mlir::Operation *place = nullptr; ///< the chain runs in place of this step
  llvm::DenseMap<mlir::Operation *, RowWise> how;
  /// What comes from outside, and whether it is taken in rows.
  llvm::MapVector<mlir::Value, bool> inputs;

  bool contains(mlir::Operation *op) const { return how.contains(op); }
  const RowWise &getHow(mlir::Operation *step) const {
    return how.find(step)->second;
  }

  /// Adds \p step, which takes its operands and gives its results as \p its
  /// says.
  void insert(mlir::Operation *step, const RowWise &its);
  void remove(mlir::Operation *step);
  /// Notes anew what the steps take from outside.
  void collectInputs();

  /// Whether something outside reads \p value.
  bool isReadOutside(mlir::Value value) const;
  /// Bytes of rows that are read and written whole.
  int64_t getTraffic() const;
  /// Bytes of a row of all that the steps take and make.
  int64_t getRowBytes() const;
};

/// Which chains are made.
struct ChainLimits {
  /// Bytes of rows, and rows, from which a chain is worth it.
  int64_t leastBytes, leastRows;
  /// With fewer, weights are as large as activations, and a chunk would not fit
  /// beside them.
  int64_t rowsPerColumn;
};

/// The chains of a program that are worth it, by their places. One that has
/// lost the step at its place to a later one comes before it.
std::vector<Chain> findChains(mlir::Block &block, mlir::SymbolTable &symbols,
                              const ChainLimits &limits);

} // namespace tessera::kernels

#endif // TESSERA_PASSES_KERNELS_CHAINS_H
