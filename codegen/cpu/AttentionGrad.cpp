//===- AttentionGrad.cpp - The kernel of nn.attention_grad ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attention's way back (Dao et al., arXiv 2205.14135, algorithm 4). With P the
// probabilities, recomputed from the log-sum-exps, G the gradient of the
// output and delta_i = g_i . out_i:
//
//   dV = P^T G      dS = P o (G V^T - delta)
//   dQ = scale dS K         dK = scale dS^T Q
//
// One iteration does a whole head, tile after tile, so that the order of all
// sums is fixed. AttentionTiles.h says how the tiles lie.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/AttentionTiles.h"
#include "codegen/cpu/Kernels.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cpu;

namespace {

/// Queries of a tile. They are the inner dimension of dV and dK, whose sums
/// are loaded and stored once a tile.
constexpr int64_t kQueries = 64;
constexpr int64_t kKeys = 64;
/// Queries of a register block.
constexpr int64_t kBlockQueries = kBlockVectors * kLanes;

class AttentionGradEmitter {
public:
  AttentionGradEmitter(nn::AttentionGradOp op, KernelBody &body)
      : vb(body), shape(AttentionShape::get(op)), body(body) {}

  static int64_t getScratchBytes(nn::AttentionGradOp op) {
    AttentionShape s = AttentionShape::get(op);
    return (4 * s.paddedKeys * s.paddedDim + 5 * s.paddedDim * kQueries +
            2 * kQueries + 2 * kKeys * kQueries) *
           static_cast<int64_t>(sizeof(float));
  }

  void emit() {
    carveScratch();
    Value packed = vb.flatten(body.inputs[0]);
    Value result = vb.flatten(body.outputs[0]);
    zero = vb.index(0);
    vb.loop(body.begin, body.end, 1, [&](Value batchHead) {
      Value head = vb.rem(batchHead, shape.heads);
      Value token = vb.mul(vb.div(batchHead, shape.heads), shape.sequence);
      Value start =
          vb.add(vb.mul(token, shape.columns), vb.mul(head, shape.headStride));
      auto columns = [&](Value buffer, int64_t which) {
        return HeadRows{buffer, vb.add(start, shape.column[which]),
                        shape.columns};
      };
      int64_t hidden = shape.heads * shape.dim;
      Value outStart = vb.add(vb.mul(token, hidden), vb.mul(head, shape.dim));
      HeadRows out{vb.flatten(body.inputs[1]), outStart, hidden};
      HeadRows gradient{vb.flatten(body.inputs[3]), outStart, hidden};
      lseStart = vb.mul(batchHead, shape.sequence);
      if (shape.alibi)
        slope = emitAlibiSlope(vb, shape, head);
      emitPackRows(vb, shape, columns(packed, 1), zero, shape.paddedKeys, keys,
                   zero);
      emitPackRows(vb, shape, columns(packed, 2), zero, shape.paddedKeys,
                   values, zero);
      int64_t elements = shape.paddedKeys * shape.paddedDim;
      emitClear(keyGradients, elements);
      emitClear(valueGradients, elements);
      vb.loop(zero, vb.index(shape.sequence), kQueries, [&](Value first) {
        emitQueries(first, columns(packed, 0), out, gradient,
                    columns(result, 0));
      });
      emitStoreRows(keyGradients, shape.scale, columns(result, 1));
      emitStoreRows(valueGradients, 1, columns(result, 2));
    });
  }

private:
  void carveScratch() {
    int64_t offset = 0, head = shape.paddedKeys * shape.paddedDim;
    int64_t tile = shape.paddedDim * kQueries;
    auto carve = [&](int64_t count) {
      return vb.carve(body.scratch, offset, count);
    };
    keys = carve(head);
    values = carve(head);
    keyGradients = carve(head);
    valueGradients = carve(head);
    queries = carve(tile);
    queriesAcross = carve(tile);
    outGradients = carve(tile);
    outGradientsAcross = carve(tile);
    queryGradientsAcross = carve(tile);
    shifts = carve(kQueries);
    deltas = carve(kQueries);
    weights = carve(kKeys * kQueries);
    scoreGradients = carve(kKeys * kQueries);
  }

  void emitClear(Value buffer, int64_t count) {
    vb.loop(0, count, kLanes,
            [&](Value i) { vb.store(vb.splat(0.0), buffer, i); });
  }

  void emitStoreRows(Value source, double factor, HeadRows rows) {
    vb.loop(0, shape.sequence, 1, [&](Value r) {
      Value from = vb.mul(r, shape.paddedDim);
      Value to = vb.add(rows.offset, vb.mul(r, rows.stride));
      for (int64_t c = 0; c < shape.dim; c += kLanes)
        vb.store(vb.mulf(vb.load(source, vb.add(from, c)), vb.splat(factor)),
                 rows.buffer, vb.add(to, c), vb.mask(shape.dim - c));
    });
  }

  /// What queries [first, first + kQueries) give to all gradients.
  void emitQueries(Value first, HeadRows queryRows, HeadRows out,
                   HeadRows gradient, HeadRows resultRows) {
    emitPackRows(vb, shape, queryRows, first, kQueries, queries, zero);
    emitPackTransposed(vb, shape, queryRows, first, kQueries,
                       shape.scale * kLog2E, queriesAcross);
    emitPackRows(vb, shape, gradient, first, kQueries, outGradients, zero);
    emitPackTransposed(vb, shape, gradient, first, kQueries, 1,
                       outGradientsAcross);
    emitShifts(first);
    emitDeltas(first, out);
    emitClear(queryGradientsAcross, shape.paddedDim * kQueries);
    Value allKeys = vb.index(shape.paddedKeys);
    bool ragged = !shape.causal && shape.paddedKeys != shape.sequence;
    emitKeys(zero, shape.causal ? first : allKeys, first, ragged);
    if (shape.causal)
      emitKeys(first, vb.min(vb.add(first, kQueries), allKeys), first, true);
    SmallVector<Value> scale(kQueries / kLanes, vb.splat(shape.scale));
    emitUnpackTransposed(vb, shape, queryGradientsAcross, kQueries, scale,
                         resultRows, first);
  }

  /// What a lane's scores start from: minus its log-sum-exp, and ALiBi's bias
  /// from the tile's first query to the lane's. Queries past the sequence have
  /// no gradient; their lanes only must stay finite.
  void emitShifts(Value first) {
    Value lse = vb.flatten(body.inputs[2]);
    for (int64_t v = 0; v < kQueries / kLanes; ++v) {
      Value query = vb.add(first, v * kLanes);
      Value mask;
      if (shape.sequence % kQueries)
        mask = vb.mask(vb.sub(vb.index(shape.sequence), query));
      Value shift = vb.mulf(vb.load(lse, vb.add(lseStart, query), mask),
                            vb.splat(-kLog2E));
      if (shape.alibi)
        shift = vb.subf(
            shift, vb.mulf(vb.toF32(emitLaneNumbers(vb, v)), vb.splat(slope)));
      vb.store(shift, shifts, vb.index(v * kLanes));
    }
  }

  /// -delta of each query.
  void emitDeltas(Value first, HeadRows out) {
    bool checkToken = shape.sequence % kQueries != 0;
    vb.loop(0, kQueries, 1, [&](Value r) {
      Value token = vb.add(first, r), sum = vb.splat(0.0);
      Value from = vb.add(out.offset, vb.mul(token, out.stride));
      Value with = vb.mul(r, shape.paddedDim);
      for (int64_t c = 0; c < shape.dim; c += kLanes) {
        Value mask = emitTokenMask(vb, shape, token, vb.index(c), checkToken);
        sum = vb.fma(vb.load(out.buffer, vb.add(from, c), mask),
                     vb.load(outGradients, vb.add(with, c)), sum);
      }
      Value delta = arith::NegFOp::create(vb.builder, vb.loc, vb.sum(sum));
      vb.storeScalar(delta, deltas, r);
    });
  }

  /// Keys [begin, end) in tiles; \p masked where not all pairs are visible.
  void emitKeys(Value begin, Value end, Value first, bool masked) {
    vb.loop(begin, end, kKeys, [&](Value key) {
      Value count = vb.min(vb.sub(end, key), vb.index(kKeys));
      vb.loop(zero, count, kBlockRows,
              [&](Value r) { emitRows(vb.add(key, r), r, first, masked); });
      for (int64_t q = 0; q < kQueries; q += kBlockQueries) {
        // No query of the block sees keys past its last one.
        Value visible = count;
        if (masked && shape.causal)
          visible =
              vb.min(count, vb.sub(vb.add(first, q + kBlockQueries), key));
        emitProduct(vb, shape.dim, kBlockVectors, zero, visible, 4,
                    {keys, vb.mul(key, shape.paddedDim), 1, shape.paddedDim},
                    {scoreGradients, vb.index(q), kQueries},
                    {queryGradientsAcross, vb.index(q), kQueries});
      }
    });
  }

  /// A register block of keys, row \p r of the tile: probabilities, gradients
  /// of scores, and their share in the gradients of these keys and values.
  void emitRows(Value key, Value r, Value first, bool masked) {
    Value row = vb.mul(key, shape.paddedDim);
    // The first lane that sees one of the keys, for whole register blocks and
    // for the products' inner loops.
    Value firstBlock = zero, firstLane = zero;
    if (masked && shape.causal) {
      firstLane = vb.sub(key, first);
      firstBlock = vb.mul(vb.div(firstLane, kBlockQueries), kBlockQueries);
    }
    vb.loop(firstBlock, vb.index(kQueries), kBlockQueries,
            [&](Value lane) { emitBlockScores(key, r, first, lane, masked); });
    Value tileRow = vb.mul(r, kQueries);
    auto add = [&](Value tile, Value factors, Value sums) {
      emitProduct(vb, kBlockRows, shape.vectors(), firstLane,
                  vb.index(kQueries), 8, {tile, tileRow, kQueries},
                  {factors, zero, shape.paddedDim},
                  {sums, row, shape.paddedDim});
    };
    add(weights, outGradients, valueGradients);
    add(scoreGradients, queries, keyGradients);
  }

  /// Probabilities and gradients of scores of a register block.
  void emitBlockScores(Value key, Value r, Value first, Value lane,
                       bool masked) {
    Value row = vb.mul(key, shape.paddedDim);
    Value dim = vb.index(shape.dim);
    auto place = [&](int64_t i, int64_t v) {
      return vb.add(vb.add(vb.mul(vb.add(r, i), kQueries), lane), v * kLanes);
    };
    SmallVector<Value> scores, slopes;
    for (int64_t i = 0; i < kBlockRows; ++i)
      for (int64_t v = 0; v < kBlockVectors; ++v) {
        Value start = vb.load(shifts, vb.add(lane, v * kLanes));
        if (shape.alibi) {
          Value distance = vb.toF32(vb.toI32(vb.sub(vb.add(key, i), first)));
          start = vb.addf(start, vb.splat(vb.mulf(distance, slope)));
        }
        scores.push_back(start);
      }
    scores = emitBlock(vb, kBlockRows, kBlockVectors, zero, dim,
                       shape.dimUnroll(), {keys, row, shape.paddedDim},
                       {queriesAcross, lane, kQueries}, scores);
    for (int64_t i = 0; i < kBlockRows; ++i)
      for (int64_t v = 0; v < kBlockVectors; ++v) {
        Value p = vb.exp2(scores[i * kBlockVectors + v]);
        if (masked)
          p = arith::SelectOp::create(
              vb.builder, vb.loc,
              emitVisible(vb, shape, vb.add(key, i),
                          vb.add(vb.add(first, lane), v * kLanes)),
              p, vb.splat(0.0));
        vb.store(p, weights, place(i, v));
      }
    for (int64_t i = 0; i < kBlockRows; ++i)
      for (int64_t v = 0; v < kBlockVectors; ++v)
        slopes.push_back(vb.load(deltas, vb.add(lane, v * kLanes)));
    slopes = emitBlock(vb, kBlockRows, kBlockVectors, zero, dim,
                       shape.dimUnroll(), {values, row, shape.paddedDim},
                       {outGradientsAcross, lane, kQueries}, slopes);
    for (int64_t i = 0; i < kBlockRows; ++i)
      for (int64_t v = 0; v < kBlockVectors; ++v)
        vb.store(vb.mulf(slopes[i * kBlockVectors + v],
                         vb.load(weights, place(i, v))),
                 scoreGradients, place(i, v));
  }

  VectorBuilder vb;
  AttentionShape shape;
  KernelBody &body;
  /// A head's keys and values and their gradients, a row a token.
  Value keys, values, keyGradients, valueGradients;
  /// A tile's queries and gradients of outputs, a row a token; those named
  /// `Across` have a lane a token.
  Value queries, queriesAcross, outGradients, outGradientsAcross,
      queryGradientsAcross;
  /// One value a query of the tile.
  Value shifts, deltas;
  /// Tiles of a row a key and a lane a query.
  Value weights, scoreGradients;
  Value slope, lseStart, zero;
};

struct AttentionGradKernel
    : KernelOpInterface::ExternalModel<AttentionGradKernel,
                                       nn::AttentionGradOp> {
  int64_t getIterations(Operation *op) const {
    auto attention = cast<nn::AttentionGradOp>(op);
    return attention.getBatch() * attention.getHeads();
  }
  int64_t getScratchBytes(Operation *op) const {
    return AttentionGradEmitter::getScratchBytes(cast<nn::AttentionGradOp>(op));
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    AttentionGradEmitter(cast<nn::AttentionGradOp>(op), body).emit();
  }
};

} // namespace

void tessera::cpu::registerAttentionGrad(MLIRContext *context) {
  nn::AttentionGradOp::attachInterface<AttentionGradKernel>(*context);
}
