//===- AttentionTiles.h - What attention and its gradient share -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Both directions work on tiles of scores that are transposed: one row per
// key, one lane per query. Then the maximum and the sum of a softmax, the
// causal mask and the rescaling of partial results are all lane by lane, with
// no operation across a vector, and every matmul has the form of SmallGemm.h.
//
// Scores are kept in base 2: queries are scaled by `scale * log2(e)` when they
// are packed, so that a probability is one exp2. ALiBi's bias of a score is
// slope * (key - query), which differs from slope * key by a constant per
// row, to which a softmax is blind; it stays small near the diagonal, where the
// probabilities are.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_ATTENTIONTILES_H
#define TESSERA_CODEGEN_CPU_ATTENTIONTILES_H

#include "codegen/cpu/SmallGemm.h"
#include "codegen/kernels/Attention.h"

namespace tessera::cpu {

/// An attention, and what its tiles cover.
struct TiledAttention : codegen::AttentionShape {
  int64_t paddedKeys; ///< sequence in whole register blocks

  /// \p op is an AttentionOp or an AttentionGradOp.
  template <typename Op> static TiledAttention get(Op op) {
    TiledAttention s{codegen::AttentionShape::get(op), 0};
    s.paddedKeys = codegen::roundUp(s.sequence, blockRows);
    return s;
  }

  /// A divisor of the head dimension by which inner loops unroll.
  int64_t dimUnroll() const { return dim % 4 == 0 ? 4 : dim % 2 == 0 ? 2 : 1; }
  int64_t vectors() const { return paddedDim / vectorLanes; }
};

/// The slope of head \p head of \p heads times log2(e), a scalar.
mlir::Value emitAlibiSlope(VectorBuilder &vb, int64_t heads, mlir::Value head);

/// The mask of the columns from \p column on that belong to token \p token:
/// none where \p checkToken and the token is past the sequence. Null where all
/// lanes are wanted in any case.
mlir::Value emitTokenMask(VectorBuilder &vb, const TiledAttention &shape,
                          mlir::Value token, mlir::Value column,
                          bool checkToken);

/// Copies tokens [first, first + count) to \p target, rows of paddedDim
/// elements from \p start on; columns past the head and tokens past the
/// sequence become zero.
void emitPackRows(VectorBuilder &vb, const TiledAttention &shape,
                  codegen::HeadRows rows, mlir::Value first, int64_t count,
                  mlir::Value target, mlir::Value start);

/// Copies tokens [first, first + lanes) times \p factor to \p target,
/// transposed: [paddedDim, lanes]. What lies past the head or the sequence
/// becomes zero.
void emitPackTransposed(VectorBuilder &vb, const TiledAttention &shape,
                        codegen::HeadRows rows, mlir::Value first,
                        int64_t lanes, double factor, mlir::Value target);

/// The reverse: stores \p source, [paddedDim, lanes], lane l multiplied by
/// element l of the buffer \p factors, as tokens [first, first + lanes).
/// Tokens past the sequence are left out.
void emitUnpackTransposed(VectorBuilder &vb, const TiledAttention &shape,
                          mlir::Value source, int64_t lanes,
                          mlir::Value factors, codegen::HeadRows rows,
                          mlir::Value first);

/// The first key that \p query sees, or one before it: keys come in whole
/// register blocks.
mlir::Value emitFirstKey(VectorBuilder &vb, const TiledAttention &shape,
                         mlir::Value query);

/// A register block of values, one row per key from \p key on, one lane per
/// query from \p query on, with \p other in place of those whose query may not
/// see the key. Blocks that are visible as a whole branch around it.
llvm::SmallVector<mlir::Value> emitMasked(VectorBuilder &vb,
                                          const TiledAttention &shape,
                                          mlir::Value key, mlir::Value query,
                                          mlir::ValueRange block, double other);

/// What the probabilities of key \p key are multiplied by, one lane per query
/// from \p query on, a multiple of vectorLanes.
mlir::Value emitTileDropFactors(VectorBuilder &vb, const TiledAttention &shape,
                                const codegen::HeadDraw &draw, mlir::Value key,
                                mlir::Value query);

/// Lane l of vector \p vector holds l + vector * vectorLanes.
mlir::Value emitLaneNumbers(VectorBuilder &vb, int64_t vector);

} // namespace tessera::cpu

#endif // TESSERA_CODEGEN_CPU_ATTENTIONTILES_H
