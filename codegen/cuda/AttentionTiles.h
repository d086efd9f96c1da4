//===- AttentionTiles.h - What attention and its gradient share -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block of threads holds a tile of rows (queries or keys) of one head, and
// tiles of columns (keys or queries) come by. The threads lie as a grid over
// the tile of scores: thread (y, x) has kRows rows from kRows · y on, and the
// columns x, x + across, ... The rows' results lie in its registers too: of its
// rows every `across`-th group of four columns of the head.
//
// Tiles of tokens are fp32 in shared memory, a row a token, padded by one
// access so that rows begin in different banks. Scores are in base 2.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_ATTENTIONTILES_H
#define TESSERA_CODEGEN_CUDA_ATTENTIONTILES_H

#include "codegen/cpu/AttentionTiles.h"
#include "codegen/cuda/KernelInterface.h"

namespace tessera::cuda {

/// How a block's threads share a tile.
struct TileShape {
  static constexpr int64_t kRows = 4;   ///< of a thread
  static constexpr int64_t kVector = 4; ///< columns of a head in one access

  int64_t tokens;       ///< rows and columns of a tile
  int64_t across, down; ///< threads
  int64_t dim;          ///< of a head, in whole vectors
  int64_t stride;       ///< elements from one token's row to the next
  int64_t scoreStride;  ///< the same in a tile of scores

  /// The largest tiles, of at most 32 tokens, of which \p tiles tiles of tokens
  /// and \p scores of scores fit shared memory.
  TileShape(int64_t headDim, int64_t tiles, int64_t scores);

  int64_t threads() const { return across * down; }
  /// Columns of scores of a thread.
  int64_t columns() const { return tokens / across; }
  /// Vectors of a head's columns of a thread.
  int64_t vectors() const { return llvm::divideCeil(dim / kVector, across); }
};

/// Writes the work of a thread on tiles.
class TileBuilder {
public:
  TileBuilder(ThreadBuilder &tb, const cpu::AttentionShape &shape,
              const TileShape &tile);

  /// The place of a head's matrix in the packed columns or the output.
  using HeadRows = cpu::HeadRows;

  /// Shared memory for a tile of tokens, or of scores.
  mlir::Value tokensMemory();
  mlir::Value scoresMemory();

  /// Copies the tokens from \p first on to \p memory, times \p factor; columns
  /// past the head become zero, tokens past the sequence repeat the last one.
  void load(HeadRows rows, mlir::Value first, mlir::Value memory,
            double factor = 1);

  /// The products of this thread's rows of \p a and columns of \p b, row by
  /// row.
  llvm::SmallVector<mlir::Value> multiply(mlir::Value a, mlir::Value b);

  /// Stores this thread's \p scores, row by row, to \p memory.
  void storeScores(mlir::ValueRange scores, mlir::Value memory);

  /// Adds the products of this thread's rows of \p scores with all of \p tokens
  /// to \p sums: kRows times vectors() vectors.
  llvm::SmallVector<mlir::Value>
  accumulate(mlir::Value scores, mlir::Value tokens, mlir::ValueRange sums);

  /// Stores \p sums as the tokens from \p first on, each row times its number
  /// in \p factors; tokens past the sequence are left out.
  void store(mlir::ValueRange sums, mlir::ValueRange factors, HeadRows rows,
             mlir::Value first);

  /// Zeros for accumulate.
  llvm::SmallVector<mlir::Value> zeros();

  /// The number of this thread's row \p i, or column \p j, in its tile.
  mlir::Value row(int64_t i) { return tb.add(firstRow, i); }
  mlir::Value column(int64_t j) { return tb.add(x, j * tile.across); }
  /// True for the threads that have a row's first columns.
  mlir::Value isFirst() { return tb.isEqual(x, tb.index(0)); }

  /// 2 to the power of \p exponent, a scalar.
  mlir::Value exp2(mlir::Value exponent);
  /// ALiBi's slope of head \p head times log2(e).
  mlir::Value slope(mlir::Value head);
  /// Whether token \p query sees token \p key, where both are in the sequence;
  /// null where all do.
  mlir::Value isVisible(mlir::Value query, mlir::Value key);

  ThreadBuilder &tb;
  const cpu::AttentionShape &shape;
  const TileShape &tile;

private:
  /// The column of the head of this thread's vector \p j, and whether it is
  /// there (null: it is).
  std::pair<mlir::Value, mlir::Value> headColumn(int64_t j);

  mlir::Value x, y, firstRow;
};

} // namespace tessera::cuda

#endif // TESSERA_CODEGEN_CUDA_ATTENTIONTILES_H
