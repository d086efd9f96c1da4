//===- RowGroups.h - Groups of threads that own rows ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels that gather the rows that make up one row of their result: lanes lie
// over columns, so that the sum of a column is one thread's, in its order.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_ROWGROUPS_H
#define TESSERA_CODEGEN_CUDA_ROWGROUPS_H

#include "codegen/cuda/KernelEmission.h"

namespace tessera::cuda {

/// The elements of one access of memory, in the narrowest of \p types, that
/// divide \p count.
int64_t getAccessLanes(mlir::TypeRange types, int64_t count);

/// A group of threads, a warp at most, has a strip of one row: all of it, or as
/// many columns as it keeps in registers.
class RowGroups {
public:
  /// A vector of a thread, moved to the row's last one if it lies past the end;
  /// \p exists says whether it does not (null: never).
  struct Place {
    mlir::Value column, exists;
  };

  /// \p rows rows of \p width elements, in tensors of \p types. No vector holds
  /// columns of two blocks of \p block, where that is given, a divisor of
  /// \p width.
  RowGroups(int64_t rows, int64_t width, mlir::TypeRange types,
            int64_t block = 0);

  Grid getGrid() const;

  /// Sets the lanes of \p tb and writes \p body for the row of a thread and its
  /// vectors.
  void emit(ThreadBuilder &tb,
            llvm::function_ref<void(mlir::Value row, llvm::ArrayRef<Place>)>
                body) const;

private:
  int64_t rows, width;
  int64_t lanes;   ///< of a vector
  int64_t group;   ///< threads of a strip
  int64_t vectors; ///< of a thread
  int64_t strips;  ///< of a row
};

} // namespace tessera::cuda

#endif // TESSERA_CODEGEN_CUDA_ROWGROUPS_H
