//===- AttentionTiles.h - What attention and its gradient share -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Both directions work on tiles of scores that are transposed: a row a key, a
// lane a query. Then the maximum and the sum of a softmax, the causal mask and
// the rescaling of partial results are all lane by lane, with no operation
// across a vector, and every product has the form of SmallGemm.h.
//
// Scores are kept in base 2: queries are scaled by `scale * log2(e)` when they
// are packed, so that a probability is one exp2. ALiBi's bias of a score is
// slope * (key - query), which differs from slope * key by a constant a row,
// to which a softmax is blind; it stays small near the diagonal, where the
// probabilities are.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_ATTENTIONTILES_H
#define TESSERA_CODEGEN_CPU_ATTENTIONTILES_H

#include "codegen/cpu/SmallGemm.h"
#include "dialects/nn/NN.h"

namespace tessera::cpu {

/// The score of a pair that the mask forbids: finite, so that no difference of
/// two is NaN.
constexpr double kMaskedScore = -1.0e30;
constexpr double kLog2E = 1.4426950408889634;
constexpr double kLn2 = 0.6931471805599453;

/// Sizes of an attention, all in elements.
struct AttentionShape {
  int64_t batch, heads, sequence, dim;
  int64_t columns;    ///< of the packed queries, keys and values
  int64_t column[3];  ///< of head 0's queries, keys, values
  int64_t headStride; ///< columns from one head to the next
  bool causal, alibi;
  double scale;
  int64_t paddedDim;  ///< dim in whole vectors
  int64_t paddedKeys; ///< sequence in whole register blocks

  /// \p op is an AttentionOp or an AttentionGradOp.
  template <typename Op> static AttentionShape get(Op op) {
    AttentionShape s;
    s.batch = op.getBatch();
    s.heads = op.getHeads();
    s.sequence = op.getSequence();
    s.dim = op.getHeadDim();
    s.columns = 3 * s.heads * s.dim;
    for (int64_t which : {0, 1, 2})
      s.column[which] = op.getColumn(which);
    s.headStride = op.getHeadStride();
    s.causal = op.getCausal();
    s.alibi = op.getAlibi();
    s.scale = op.getScale().convertToDouble();
    s.paddedDim = roundUp(s.dim, kLanes);
    s.paddedKeys = roundUp(s.sequence, kBlockRows);
    return s;
  }

  /// A divisor of the head dimension by which inner loops unroll.
  int64_t dimUnroll() const { return dim % 4 == 0 ? 4 : dim % 2 == 0 ? 2 : 1; }
  int64_t vectors() const { return paddedDim / kLanes; }
  /// Visible pairs of a query and a key, of all heads.
  int64_t pairs() const {
    return batch * heads * sequence * (causal ? sequence + 1 : 2 * sequence) /
           2;
  }
};

/// ALiBi's slope of each head, by BLOOM's rule for counts that are no power of
/// two: with p the largest power of two up to \p heads, the first p heads have
/// 2^(-8k/p), k = 1, 2, ..., p, the others 2^(-4k/p), k = 1, 3, 5, ...
llvm::SmallVector<double> getAlibiSlopes(int64_t heads);

/// The slope of head \p head times log2(e), a scalar.
mlir::Value emitAlibiSlope(VectorBuilder &vb, const AttentionShape &shape,
                           mlir::Value head);

/// A matrix of a head in the packed columns or in the output: \p offset is the
/// position of token 0, column 0; tokens are `stride` apart.
struct HeadRows {
  mlir::Value buffer;
  mlir::Value offset;
  int64_t stride;
};

/// The mask of the columns from \p column on that belong to token \p token:
/// none where \p checkToken and the token is past the sequence. Null where all
/// lanes are wanted in any case.
mlir::Value emitTokenMask(VectorBuilder &vb, const AttentionShape &shape,
                          mlir::Value token, mlir::Value column,
                          bool checkToken);

/// Copies tokens [first, first + count) to \p target, rows of paddedDim
/// elements from \p start on; columns past the head and tokens past the
/// sequence become zero.
void emitPackRows(VectorBuilder &vb, const AttentionShape &shape, HeadRows rows,
                  mlir::Value first, int64_t count, mlir::Value target,
                  mlir::Value start);

/// Copies tokens [first, first + lanes) times \p factor to \p target,
/// transposed: [paddedDim, lanes]. What lies past the head or the sequence
/// becomes zero.
void emitPackTransposed(VectorBuilder &vb, const AttentionShape &shape,
                        HeadRows rows, mlir::Value first, int64_t lanes,
                        double factor, mlir::Value target);

/// The reverse: stores \p source, [paddedDim, lanes], lane l multiplied by
/// element l of the buffer \p factors, as tokens [first, first + lanes).
/// Tokens past the sequence are left out.
void emitUnpackTransposed(VectorBuilder &vb, const AttentionShape &shape,
                          mlir::Value source, int64_t lanes,
                          mlir::Value factors, HeadRows rows,
                          mlir::Value first);

/// A register block of values, a row a key from \p key on, a lane a query from
/// \p query on, with \p other in place of those whose query may not see the
/// key. Blocks that are visible as a whole branch around it.
llvm::SmallVector<mlir::Value> emitMasked(VectorBuilder &vb,
                                          const AttentionShape &shape,
                                          mlir::Value key, mlir::Value query,
                                          mlir::ValueRange block, double other);

/// Lane l of vector \p vector holds l + vector * kLanes.
mlir::Value emitLaneNumbers(VectorBuilder &vb, int64_t vector);

} // namespace tessera::cpu

#endif // TESSERA_CODEGEN_CPU_ATTENTIONTILES_H
