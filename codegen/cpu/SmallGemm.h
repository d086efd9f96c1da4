//===- SmallGemm.h - Matmuls of tiles in cache ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Matmuls C += A . B of tiles that lie in cache, for kernels in which a
// library's GEMM would have to store what attention must not. B and C have
// their columns contiguous, in whole vectors; A has any strides, its elements
// are broadcast. A block of the result stays in registers over the whole inner
// dimension.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_SMALLGEMM_H
#define TESSERA_CODEGEN_CPU_SMALLGEMM_H

#include "codegen/kernels/VectorBuilder.h"

namespace tessera::cpu {

using codegen::VectorBuilder;
using codegen::vectorLanes;

/// Rows of a register block: with two vectors per row, 16 sums hide the latency
/// of two multiply-add units, and a step loads 10 times for 16 of them.
constexpr int64_t blockRows = 8;
/// Vectors per row of a register block.
constexpr int64_t blockVectors = 2;

/// A matrix in a flat buffer: element (i, j) is at offset + i * row + j *
/// column.
struct Matrix {
  mlir::Value buffer;
  mlir::Value offset;
  int64_t row;
  int64_t column = 1;
};

/// Adds A . B to \p sums, the block of rows [0, rows) x [0, vectors *
/// vectorLanes) of C in row-major order, over the inner indices [begin, end);
/// `end - begin` must be a multiple of \p unroll.
llvm::SmallVector<mlir::Value> emitBlock(VectorBuilder &vb, int64_t rows,
                                         int64_t vectors, mlir::Value begin,
                                         mlir::Value end, int64_t unroll,
                                         Matrix a, Matrix b,
                                         mlir::ValueRange sums);

/// C = A . B + C over rows [0, rows), \p vectors whole vectors of columns and
/// the inner indices [begin, end). \p unroll divides end - begin. If \p scales
/// is not empty, C is first multiplied by it: one vector for each of the
/// columns' vectors, of which there is but one block.
void emitTileMatmul(VectorBuilder &vb, int64_t rows, int64_t vectors,
                    mlir::Value begin, mlir::Value end, int64_t unroll,
                    Matrix a, Matrix b, Matrix c, mlir::ValueRange scales = {});

} // namespace tessera::cpu

#endif // TESSERA_CODEGEN_CPU_SMALLGEMM_H
