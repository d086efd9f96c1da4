//===- AttentionThread.h - What attention and its gradient share *- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Both directions go over a head's scores tile by tile: a block of threads has
// some rows of the scores, 16 per warp, and takes columns a tile at a time.
// Rows are queries and columns keys, or the other way round. What matmuls need
// of both lies in shared memory; the scores themselves are fragments in
// registers (WarpMatmul.h).
//
// Scores are in base 2, so that a probability is one exp2, and ALiBi's bias of
// a score is slope * (key - query), which differs from slope * key by a
// constant per row, to which a softmax is blind; it stays small near the
// diagonal, where the probabilities are.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_ATTENTIONTHREAD_H
#define TESSERA_CODEGEN_CUDA_ATTENTIONTHREAD_H

#include "codegen/cuda/KernelEmission.h"
#include "codegen/cuda/WarpMatmul.h"
#include "codegen/kernels/Attention.h"

namespace tessera::cuda {

/// 2^x of a number, by the GPU's instruction.
mlir::Value emitExp2(ThreadBuilder &tb, mlir::Value x);
/// ALiBi's slope of head \p head of \p heads times log2(e), a scalar.
mlir::Value emitAlibiSlope(ThreadBuilder &tb, int64_t heads, mlir::Value head);

/// How a block of threads covers the scores of a head.
struct AttentionTiling {
  int64_t warps;   ///< each has 16 rows
  int64_t columns; ///< of a tile
  /// Both matrices of columns take turns in the same shared memory.
  bool sharesColumns;
  mlir::Type element; ///< in shared memory

  /// The largest tiles that fit in shared memory together with \p rowMatrices
  /// matrices of rows and two of columns, with tiles of at most \p mostColumns
  /// columns. \p types are those of all matrices in memory.
  static AttentionTiling get(const codegen::AttentionShape &shape,
                             llvm::ArrayRef<mlir::Type> types,
                             int64_t rowMatrices, int64_t mostColumns);

  int64_t rows() const { return warps * WarpMatmul::matrixRows; }
  /// A block of threads for each head, of keys if \p rowsAreKeys, and each
  /// `rows` of its sequence, or of its \p count tokens where fewer are there.
  Grid getGrid(const codegen::AttentionShape &shape, bool rowsAreKeys,
               std::optional<int64_t> count = {}) const;
};

/// Writes what is the same in all grids over scores.
class AttentionThread {
public:
  AttentionThread(ThreadBuilder &tb, const codegen::AttentionShape &shape,
                  const AttentionTiling &tiling, bool rowsAreKeys);

  /// Only the \p count tokens from \p origin on are there, of which the
  /// block's queries are some, and keys none past them: what lies there is
  /// never read. Without a batch; called once, before anything is written.
  void restrict(mlir::Value origin, mlir::Value count);

  /// Shared memory for \p rows rows of a head's matrix.
  mlir::Value makeTile(int64_t rows) {
    return tb.shared(rows * matmul.stride, tiling.element);
  }

  /// What is written from here on is about head \p member of those that share
  /// this block's keys; it begins with the first one where rows are keys.
  void startHead(mlir::Value member);

  /// Matrix \p which of the packed columns (0 queries, 1 keys, 2 values) of
  /// the head, and a matrix of a head's columns alone.
  codegen::HeadRows getPacked(mlir::Value buffer, int64_t which);
  codegen::HeadRows getPlain(mlir::Value buffer);

  struct Copy {
    codegen::HeadRows from;
    mlir::Value to;
  };
  /// Copies tokens [first, first + rows) to shared memory, all \p copies at the
  /// same time; what lies past the head or the tokens becomes zero. \p first
  /// is a multiple of \p rows, or else the tokens are restricted.
  void copyTiles(llvm::ArrayRef<Copy> copies, mlir::Value first, int64_t rows);

  /// A vector of each copied matrix, on its way to shared memory.
  struct Vectors {
    mlir::Value place, exists;
    llvm::SmallVector<mlir::Value> values;
  };
  /// A copy of a tile of columns of which the loads may be under way.
  struct Pending {
    llvm::SmallVector<Copy> copies;
    mlir::Value first;
    llvm::SmallVector<Vectors> vectors;
  };
  /// copyTiles in two steps, for the tile of columns at \p first: what is
  /// written between them goes on while memory answers.
  Pending startCopy(llvm::ArrayRef<Copy> copies, mlir::Value first);
  void finishCopy(const Pending &pending);
  /// The tile of columns behind the one at \p column; the last one again, where
  /// there is none.
  mlir::Value getNextColumn(mlir::Value column);

  /// The tiles of columns, [begin, end), that hold pairs the mask allows.
  mlir::Value getBeginColumn();
  mlir::Value getEndColumn();

  /// Products of queries and keys of the tile at \p column become scores in
  /// base 2, with ALiBi's bias; those the mask forbids are maskedScore.
  void finishScores(mlir::Value column, WarpMatmul::Fragments &scores);

  /// Draws from the operand `draw`, if attention drops probabilities: for the
  /// head that is written about.
  void loadDraw(mlir::ValueRange buffers);
  /// What the probabilities of the tile at \p column are multiplied by. Lanes
  /// that share a counter compute it once: all threads of the warp take part.
  WarpMatmul::Fragments getDropFactors(mlir::Value column);

  /// Stores sums times \p factors, one for each of a lane's two rows.
  void storeRows(mlir::ValueRange sums, llvm::ArrayRef<mlir::Value> factors,
                 codegen::HeadRows to);

  ThreadBuilder &tb;
  codegen::AttentionShape shape;
  AttentionTiling tiling;
  bool rowsAreKeys;
  WarpMatmul matmul;
  /// batch * heads + head, and the head of keys.
  mlir::Value batchHead, kvHead;
  /// The first row of the block, the warp's first one behind it, and the two
  /// rows of this lane in the sequence.
  mlir::Value firstRow, warpRow, row[2];

private:
  /// How threads share the copy of a tile: each has one place of a row, in
  /// rows that are a constant apart; of rows that are wider than a block of
  /// threads, one place in each piece. Left over threads have none.
  struct CopyShape {
    int64_t lanes;  ///< elements of a vector
    int64_t across; ///< vectors of a row
    int64_t width;  ///< threads of a row
    int64_t pieces; ///< of a row
    int64_t step;   ///< rows at a time
    int64_t count;  ///< vectors of a thread
  };
  CopyShape getCopyShape(int64_t rows) const;
  /// Vectors [begin, end) of this thread, all loaded at a time.
  llvm::SmallVector<Vectors> loadVectors(llvm::ArrayRef<Copy> copies,
                                         mlir::Value first, int64_t rows,
                                         int64_t begin, int64_t end);
  void storeVectors(llvm::ArrayRef<Copy> copies,
                    llvm::ArrayRef<Vectors> vectors);

  /// \p a - \p b as an i32.
  mlir::Value distance(mlir::Value a, mlir::Value b) {
    return tb.toI32(tb.sub(a, b));
  }
  WarpMatmul::Fragments mask(mlir::Value column,
                             const WarpMatmul::Fragments &scores);

  /// The bits of the four numbers of a block of columns from \p column on.
  std::array<mlir::Value, 4> drawForKeys(mlir::Value column);
  std::array<mlir::Value, 4> drawForQueries(mlir::Value column);
  /// The words that key \p key has for queries [4 · \p quad, 4 · \p quad + 4).
  std::array<mlir::Value, 4> drawWords(mlir::Value key, mlir::Value quad);

  mlir::Value batch, head; ///< of queries
  mlir::Value token, slope;
  /// Where tokens end; null: with the sequence.
  mlir::Value tokensEnd;
  codegen::HeadDraw draw;
};

} // namespace tessera::cuda

#endif // TESSERA_CODEGEN_CUDA_ATTENTIONTHREAD_H
