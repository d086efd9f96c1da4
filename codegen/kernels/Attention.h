//===- Attention.h - What attention is on every target ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_KERNELS_ATTENTION_H
#define TESSERA_CODEGEN_KERNELS_ATTENTION_H

#include "codegen/kernels/Philox.h"
#include "dialects/nn/NN.h"
#include "llvm/ADT/SmallVector.h"

namespace tessera::codegen {

/// The score of a pair that the mask forbids: finite, so that no difference of
/// two is NaN.
constexpr double maskedScore = -1.0e30;
constexpr double log2E = 1.4426950408889634;
constexpr double ln2 = 0.6931471805599453;

/// Sizes of an attention, all in elements.
struct AttentionShape {
  int64_t batch, heads, sequence, dim;
  int64_t kvHeads, group; ///< heads of keys, and heads that share one of them
  int64_t window;         ///< keys that a query sees at most: up to sequence
  int64_t columns;        ///< of the packed queries, keys and values
  int64_t column[3];      ///< of head 0's queries, keys, values
  int64_t headStride;     ///< columns from one head to the next
  bool causal, alibi;
  double scale;
  int64_t paddedDim; ///< dim in whole multiples of vectorLanes
  bool dropout;      ///< of probabilities, at this rate
  double rate;

  /// \p op is an AttentionOp or an AttentionGradOp.
  template <typename Op> static AttentionShape get(Op op) {
    AttentionShape s;
    s.batch = op.getBatch();
    s.heads = op.getHeads();
    s.sequence = op.getSequence();
    s.dim = op.getHeadDim();
    s.kvHeads = op.getKvHeads();
    s.group = op.getGroup();
    s.window = op.getVisibleKeys();
    s.columns = (s.heads + 2 * s.kvHeads) * s.dim;
    for (int64_t which : {0, 1, 2})
      s.column[which] = op.getColumn(which);
    s.headStride = op.getHeadStride();
    s.causal = op.getCausal();
    s.alibi = op.getAlibi();
    s.scale = op.getScale().convertToDouble();
    s.paddedDim = roundUp(s.dim, vectorLanes);
    s.dropout = op.hasDropout();
    s.rate = op.getRate().convertToDouble();
    return s;
  }

  /// Whether late queries see fewer keys than there are before them.
  bool hasWindow() const { return window < sequence; }

  /// Visible pairs of a query and a key, of all heads.
  int64_t pairs() const {
    // The first queries of a causal head have fewer keys than the window.
    int64_t missing = causal ? window * (window - 1) / 2 : 0;
    return batch * heads * (sequence * window - missing);
  }
};

/// What drops the probabilities of one head: see nn.attention.
struct HeadDraw {
  RandomStream stream;
  mlir::Value sample;

  /// From the buffers of an operand `draw`, for positions \p batch and
  /// \p head.
  static HeadDraw load(VectorBuilder &vb, mlir::ValueRange draw,
                       mlir::Value batch, mlir::Value head);
};

/// What probabilities are multiplied by that are dropped at \p rate, for their
/// \p bits: numbers or vectors.
mlir::Value emitDropFactors(VectorBuilder &vb, double rate, mlir::Value bits);

/// ALiBi's slope of each head, by BLOOM's rule for counts that are no power of
/// two: with p the largest power of two up to \p heads, the first p heads have
/// 2^(-8k/p), k = 1, 2, ..., p, the others 2^(-4k/p), k = 1, 3, 5, ...
llvm::SmallVector<double> getAlibiSlopes(int64_t heads);

/// A matrix of a head in the packed columns or in the output: \p offset is the
/// position of token 0, column 0; tokens are `stride` apart.
struct HeadRows {
  mlir::Value buffer;
  mlir::Value offset;
  int64_t stride;

  /// Matrix \p which (0 queries, 1 keys, 2 values) of \p buffer, the packed
  /// columns, from row \p token on. \p head counts heads of queries or of keys.
  static HeadRows ofPacked(VectorBuilder &vb, const AttentionShape &shape,
                           mlir::Value buffer, mlir::Value token, int64_t which,
                           mlir::Value head);
  /// The same of a buffer like the output, of which \p head is a head.
  static HeadRows ofOutput(VectorBuilder &vb, const AttentionShape &shape,
                           mlir::Value buffer, mlir::Value token,
                           mlir::Value head);
};

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_KERNELS_ATTENTION_H
