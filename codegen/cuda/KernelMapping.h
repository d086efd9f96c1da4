//===- KernelMapping.h - Who computes what on a grid ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_KERNELMAPPING_H
#define TESSERA_CODEGEN_CUDA_KERNELMAPPING_H

#include "codegen/cuda/KernelEmission.h"
#include "codegen/kernels/KernelValues.h"

namespace tessera::cuda {

/// Who computes what of a kernel of rows and columns.
struct KernelMapping {
  codegen::KernelSpace shape;
  int64_t lanes = 1; ///< elements of a vector
  Grid grid;
  // Elementwise, by rows: a thread's vectors that are on their way at a time.
  int64_t unroll = 1;
  // By rows.
  int64_t group = 1;   ///< threads of a row
  int64_t vectors = 1; ///< of a row, that a thread takes at most
  bool keeps = false;  ///< in registers, from pass to pass
  // By columns.
  int64_t across = 1, down = 1; ///< threads of a block along columns and rows
  int64_t strips = 1, parts = 1, partRows = 1;

  /// By columns: rows on their way at a time, and the fewest that a thread
  /// sums.
  static constexpr int64_t rowsInFlight = 4;
  /// Threads of a block whose rows have a warp or less each, and of the grid
  /// that adds up parts.
  static constexpr int64_t rowThreads = 128;

  explicit KernelMapping(mlir::func::FuncOp kernel);

  int64_t rows() const { return shape.space.rows; }
  int64_t columns() const { return shape.space.columns; }
  int64_t rowsOfBlock() const { return grid.threads / group; }

private:
  void setLanes(mlir::func::FuncOp kernel);
  void mapElements();
  void mapRows();
  void mapColumns();
};

} // namespace tessera::cuda

#endif // TESSERA_CODEGEN_CUDA_KERNELMAPPING_H
