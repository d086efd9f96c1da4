//===- CachedAttention.h - Attention to cached keys -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attention takes a block of keys at a time, with an online softmax (Dao et
// al., arXiv 2205.14135). Blocks and parts begin at multiples of their size,
// counted from the text's beginning; each score, weight and sum of a part is
// one chain of operations in one order, whichever is in the lanes, and parts
// join one after another. So a row has the same bits in a tile or alone, and
// where threads share its parts.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_CACHEDATTENTION_H
#define TESSERA_CODEGEN_CPU_CACHEDATTENTION_H

#include "codegen/cpu/AttentionTiles.h"
#include "codegen/cpu/CachedRows.h"
#include "dialects/nn/AttentionParts.h"

namespace tessera::cpu {

/// Keys of a block, whole vectors of scores.
constexpr int64_t blockKeys = 64;
/// Keys of a part: whole blocks, enough that beginning and joining a part costs
/// a thread little beside reading it, few enough that a context of some
/// thousands keeps the cores of a socket busy with two heads.
constexpr int64_t partKeys = 512;
/// What the maximum of no scores is: beside it one that is masked weighs 0.
constexpr double noMaximum = codegen::maskedScore / 2;

/// Whether rows of \p op may see keys of several parts.
inline bool hasParts(nn::CachedAttentionOp op) {
  return op.getSlotLength() > partKeys;
}

/// Target::getAttentionPart.
int64_t getAttentionPart(nn::CachedAttentionOp op);

/// Rows of \p op each by itself: an iteration has one, of a key head.
int64_t getRowScratchBytes(nn::CachedAttentionOp op);
void emitRows(nn::CachedAttentionOp op, KernelBody &body);
/// The same of the parts of rows, which threads share out among themselves.
int64_t getRowScratchBytes(nn::CachedAttentionPartsOp op);
void emitParts(nn::CachedAttentionPartsOp op, KernelBody &body);

/// Rows of one text: an iteration has a tile of them, of a key head.
int64_t getTileIterations(nn::CachedAttentionOp op);
int64_t getTileScratchBytes(nn::CachedAttentionOp op);
void emitTiles(nn::CachedAttentionOp op, KernelBody &body);

/// How a part joins those before it; vectors.
struct Joint {
  Joint(VectorBuilder &vb, mlir::Value before, mlir::Value ofPart)
      : vb(vb), maximum(vb.maxf(before, ofPart)),
        decay(vb.exp2(vb.subf(before, maximum))),
        weight(vb.exp2(vb.subf(ofPart, maximum))) {}

  /// The sum \p before with that of the part.
  mlir::Value join(mlir::Value before, mlir::Value ofPart) {
    return vb.fma(ofPart, weight, vb.mulf(before, decay));
  }

  VectorBuilder &vb;
  mlir::Value maximum, decay, weight;
};

/// What an online softmax has of some keys, in memory.
struct SoftmaxState {
  mlir::Value sums, maxima, totals;
};

/// The first key that the query at \p position sees.
inline mlir::Value getFirstKey(VectorBuilder &vb, mlir::Value position,
                               std::optional<uint64_t> window) {
  if (!window)
    return vb.index(0);
  mlir::Value width = vb.index(static_cast<int64_t>(*window));
  return vb.max(vb.add(vb.sub(position, width), 1), vb.index(0));
}

/// What scores are made of, for a row and for a tile.
template <typename Op> class CachedScores : public CachedRows<Op> {
public:
  CachedScores(Op op, KernelBody &body)
      : CachedRows<Op>(op, body), group(op.getHeads() / op.getKeyHeads()),
        padded(this->vectors * codegen::vectorLanes),
        cache(vb.flatten(body.inputs[1])) {}

protected:
  using CachedRows<Op>::vb;
  using CachedRows<Op>::op;
  using CachedRows<Op>::dim;

  double getScale() { return op.getScale().convertToDouble() * codegen::log2E; }

  mlir::Value getFirst(mlir::Value position) {
    return getFirstKey(vb, position, op.getWindow());
  }

  mlir::Value locateResult(mlir::Value row, mlir::Value head) {
    return vb.add(vb.mul(row, static_cast<int64_t>(op.getHeads()) * dim),
                  vb.mul(head, dim));
  }

  /// Calls \p emit(begin, end) for the keys [begin, end) of each part, of
  /// \p length positions, of [first, end): begin is the first of a block.
  template <typename Emit>
  void forParts(mlir::Value first, mlir::Value end, int64_t length, Emit emit) {
    vb.loop(vb.mul(vb.div(first, length), length), end, length,
            [&](mlir::Value part) {
              emit(getFirstBlock(part, first),
                   vb.min(end, vb.add(part, length)));
            });
  }
  /// The first block of a part from \p part on that has \p first or a later
  /// key.
  mlir::Value getFirstBlock(mlir::Value part, mlir::Value first) {
    mlir::Value before = vb.max(vb.sub(first, part), vb.index(0));
    return vb.add(part, vb.mul(vb.div(before, blockKeys), blockKeys));
  }

  /// What the score of key \p key begins with: ALiBi's bias, or 0. Both are
  /// vectors of i32.
  mlir::Value emitBias(mlir::Value key, mlir::Value position,
                       mlir::Value slope) {
    if (!slope)
      return vb.splat(0.0);
    mlir::Value distance =
        vb.toF32(mlir::arith::SubIOp::create(vb.builder, vb.loc, key, position)
                     .getResult());
    return vb.mulf(distance, slope);
  }

  /// \p score where the key is not behind \p last and within the window of the
  /// query at \p position, else maskedScore. All are vectors of i32.
  mlir::Value emitMasked(mlir::Value score, mlir::Value key, mlir::Value last,
                         mlir::Value position) {
    mlir::OpBuilder &b = vb.builder;
    auto compare = [&](mlir::arith::CmpIPredicate predicate, mlir::Value x,
                       mlir::Value y) -> mlir::Value {
      return mlir::arith::CmpIOp::create(b, vb.loc, predicate, x, y);
    };
    mlir::Value isSeen = compare(mlir::arith::CmpIPredicate::sle, key, last);
    if (op.getWindow()) {
      mlir::Value first = mlir::arith::SubIOp::create(
          b, vb.loc, position, vb.splat(vb.toI32(vb.index(*op.getWindow()))));
      isSeen = mlir::arith::AndIOp::create(
          b, vb.loc, isSeen,
          compare(mlir::arith::CmpIPredicate::sgt, key, first));
    }
    return mlir::arith::SelectOp::create(b, vb.loc, isSeen, score,
                                         vb.splat(codegen::maskedScore));
  }

  mlir::Value getSlope(mlir::Value head) {
    return op.getAlibi() ? vb.splat(emitAlibiSlope(vb, op.getHeads(), head))
                         : mlir::Value();
  }

  /// A divisor of the head dimension by which loops unroll.
  int64_t getUnroll() { return dim % 4 == 0 ? 4 : dim % 2 == 0 ? 2 : 1; }

  int64_t group;  ///< queries that share a key head
  int64_t padded; ///< columns of a head in whole vectors
  mlir::Value cache;
};

} // namespace tessera::cpu

#endif // TESSERA_CODEGEN_CPU_CACHEDATTENTION_H
