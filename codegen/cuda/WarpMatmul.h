//===- WarpMatmul.h - Matrix products of a warp -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A warp keeps a matrix of 16 rows in registers, as fragments: of each block of
// eight columns, lane 4 g + t has four numbers, rows g and g + 8, columns 2 t
// and 2 t + 1, in the order (g, 2 t), (g, 2 t + 1), (g + 8, 2 t),
// (g + 8, 2 t + 1). This is how tensor cores leave results of m16n8k16 (PTX
// ISA, "Matrix fragments for mma.m16n8k16"), and, two blocks taken together,
// how they want a left operand of 16 columns, so that a result is the next
// matmul's operand where it is. Numbers of 16 bits are multiplied by tensor
// cores, and summed in fp32; matmuls in fp32 keep the same layout.
//
// Other operands are rows of `dim` numbers in shared memory. They lie `stride`
// apart, an odd multiple of 16 bytes, so that eight rows' vectors of 16 bytes
// are in different banks.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_WARPMATMUL_H
#define TESSERA_CODEGEN_CUDA_WARPMATMUL_H

#include "codegen/cuda/ThreadBuilder.h"

namespace tessera::cuda {

/// Adds A B to \p sums by tensor cores (m16n8k16), A being 16 x 16 and B
/// 16 x 8 numbers of 16 bits. Lane 4 g + t has of A rows g and g + 8 in columns
/// 2 t and 2 t + 1, then the same rows in columns 2 t + 8 and 2 t + 9; of B
/// rows 2 t and 2 t + 1, then 2 t + 8 and 2 t + 9 of column g; and of the sums
/// a block of fragments. \p a has four pairs of numbers, \p b two, vectors that
/// lie in one register each.
void addByTensorCores(ThreadBuilder &tb, llvm::ArrayRef<mlir::Value> a,
                      llvm::ArrayRef<mlir::Value> b,
                      llvm::MutableArrayRef<mlir::Value> sums);

class WarpMatmul {
public:
  /// Rows of the matrix in registers.
  static constexpr int64_t matrixRows = 16;
  /// Columns of a block of fragments, and the numbers that a lane has of it.
  static constexpr int64_t blockColumns = 8, blockNumbers = 4;

  using Fragments = llvm::SmallVector<mlir::Value>;

  /// Numbers of \p element in memory, fp32 or of 16 bits; \p dim is a multiple
  /// of 16. Tiles have multiples of 8 columns, of 16 with 16 bits.
  WarpMatmul(ThreadBuilder &tb, mlir::Type element, int64_t dim);

  /// Elements from one row in shared memory to the next.
  static int64_t getStride(mlir::Type element, int64_t dim);

  /// Fragments of \p columns columns, all zero.
  Fragments zero(int64_t columns);

  /// A B^T: A is the 16 rows from \p row on in \p a, B the \p columns first
  /// rows of \p b.
  Fragments multiply(mlir::Value a, mlir::Value row, mlir::Value b,
                     int64_t columns);

  /// \p sums + W B: \p weights are the fragments of W, which has as many
  /// columns as rows of \p b are taken.
  Fragments accumulate(llvm::ArrayRef<mlir::Value> weights, mlir::Value b,
                       mlir::ValueRange sums);

  /// The row of a lane's number \p i (0 or 1), and its first column in block
  /// \p block of multiply's result or of accumulate's; the second one follows.
  mlir::Value getRow(int64_t i) { return tb.add(group, i * blockColumns); }
  mlir::Value getColumn(int64_t block) {
    return tb.add(tb.mul(member, 2), block * blockColumns);
  }
  mlir::Value getSumColumn(int64_t block);

  int64_t dim, stride;
  /// lane / 4 and lane % 4.
  mlir::Value group, member;

private:
  bool usesTensorCores() const { return !element.isF32(); }
  Fragments multiplyByFMA(mlir::Value a, mlir::Value row, mlir::Value b,
                          int64_t columns);
  void accumulateByFMA(llvm::ArrayRef<mlir::Value> weights, mlir::Value b,
                       Fragments &sums);

  /// The 16 x 16 numbers of \p buffer whose first row and column are at
  /// \p position, as four matrices of 8 x 8, each a pair per lane: those of
  /// the upper left, lower left, upper right and lower right; or, where
  /// \p byRows, upper left, upper right, lower left, lower right.
  llvm::SmallVector<mlir::Value> loadMatrices(mlir::Value buffer,
                                              mlir::Value position, bool byRows,
                                              bool transpose);
  /// Adds A B to \p sums, fragments of two blocks; \p a and \p b are four
  /// pairs each.
  void addMatmul(llvm::ArrayRef<mlir::Value> a, llvm::ArrayRef<mlir::Value> b,
                 llvm::MutableArrayRef<mlir::Value> sums);

  ThreadBuilder &tb;
  mlir::Type element;
  mlir::Value lane;
};

} // namespace tessera::cuda

#endif // TESSERA_CODEGEN_CUDA_WARPMATMUL_H
