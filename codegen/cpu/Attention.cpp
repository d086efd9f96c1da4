//===- Attention.cpp - The kernel of nn.attention ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attention with an online softmax over tiles of keys (Dao et al., arXiv
// 2205.14135, algorithm 1); AttentionTiles.h says how the tiles lie.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/AttentionTiles.h"
#include "codegen/cpu/Kernels.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

/// Queries of a tile, all in lanes of one register block.
constexpr int64_t tileQueries = blockVectors * vectorLanes;
/// Keys of a tile: the scores take 8 KiB.
constexpr int64_t tileKeys = 64;
/// With fewer heads of keys than this the queries of each are dealt to several
/// iterations, so that all threads have work.
constexpr int64_t enoughIterations = 16;

/// What the online softmax carries from tile to tile: the maximum and the
/// sum of each lane.
struct Softmax {
  SmallVector<Value> maximum, sum;

  SmallVector<Value> join() const {
    SmallVector<Value> all(maximum);
    all.append(sum);
    return all;
  }
  static Softmax split(ValueRange all) {
    return {llvm::to_vector(all.take_front(blockVectors)),
            llvm::to_vector(all.drop_front(blockVectors))};
  }
};

class AttentionEmitter {
public:
  AttentionEmitter(nn::AttentionOp op, KernelBody &body)
      : vb(body.builder, body.loc), shape(TiledAttention::get(op)), body(body) {
  }

  /// Iterations that share a head of keys.
  static int64_t getParts(nn::AttentionOp op) {
    int64_t heads = op.getBatch() * op.getKvHeads();
    int64_t tiles =
        op.getGroup() * llvm::divideCeil(op.getSequence(), tileQueries);
    return heads >= enoughIterations
               ? 1
               : std::min<int64_t>(tiles,
                                   llvm::divideCeil(enoughIterations, heads));
  }

  static int64_t getScratchBytes(nn::AttentionOp op) {
    TiledAttention s = TiledAttention::get(op);
    return (2 * s.paddedKeys * s.paddedDim + 2 * s.paddedDim * tileQueries +
            tileKeys * tileQueries + tileQueries) *
           static_cast<int64_t>(sizeof(float));
  }

  void emit(int64_t parts) {
    int64_t offset = 0;
    keys = vb.carve(body.scratch, offset, shape.paddedKeys * shape.paddedDim);
    values = vb.carve(body.scratch, offset, shape.paddedKeys * shape.paddedDim);
    queries = vb.carve(body.scratch, offset, shape.paddedDim * tileQueries);
    result = vb.carve(body.scratch, offset, shape.paddedDim * tileQueries);
    scores = vb.carve(body.scratch, offset, tileKeys * tileQueries);
    factors = vb.carve(body.scratch, offset, tileQueries);
    Value packed = vb.flatten(body.inputs[0]);
    Value out = vb.flatten(body.outputs[0]);
    vb.loop(body.begin, body.end, 1, [&](Value iteration) {
      Value batchHead = vb.div(iteration, parts);
      Value batch = vb.div(batchHead, shape.kvHeads);
      Value kvHead = vb.rem(batchHead, shape.kvHeads);
      Value token = vb.mul(batch, shape.sequence), zero = vb.index(0);
      auto rows = [&](int64_t which, Value head) {
        return HeadRows::ofPacked(vb, shape, packed, token, which, head);
      };
      emitPackRows(vb, shape, rows(1, kvHead), zero, shape.paddedKeys, keys,
                   zero);
      emitPackRows(vb, shape, rows(2, kvHead), zero, shape.paddedKeys, values,
                   zero);
      // The group's heads follow one another in a tile of queries. Causal tiles
      // cost more the later they are: parts take turns.
      int64_t tiles = llvm::divideCeil(shape.sequence, tileQueries);
      vb.loop(vb.rem(iteration, parts), vb.index(tiles * shape.group), parts,
              [&](Value tile) {
                Value head = vb.add(vb.mul(kvHead, shape.group),
                                    vb.rem(tile, shape.group));
                Value first = vb.mul(vb.div(tile, shape.group), tileQueries);
                Value row = vb.add(vb.mul(batch, shape.heads), head);
                if (shape.alibi)
                  slope = emitAlibiSlope(vb, shape.heads, head);
                if (shape.dropout)
                  draw = HeadDraw::load(
                      vb, ValueRange(body.inputs).drop_front(1), batch, head);
                emitPackTransposed(vb, shape, rows(0, head), first, tileQueries,
                                   shape.scale * log2E, queries);
                emitQueries(first, vb.mul(row, shape.sequence),
                            HeadRows::ofOutput(vb, shape, out, token, head));
              });
    });
  }

private:
  /// The results of queries [first, first + tileQueries).
  void emitQueries(Value first, Value lseStart, HeadRows outRows) {
    vb.loop(0, shape.dim * tileQueries, vectorLanes,
            [&](Value i) { vb.store(vb.splat(0.0), result, i); });
    Softmax state{{vb.splat(maskedScore), vb.splat(maskedScore)},
                  {vb.splat(0.0), vb.splat(0.0)}};
    Value end = vb.index(shape.paddedKeys);
    if (shape.causal)
      end = vb.min(vb.add(first, tileQueries), end);
    // Each query sees a key of the first tile: windows of the tile's queries
    // begin within blockRows + tileQueries keys.
    static_assert(blockRows + tileQueries <= tileKeys);
    state = Softmax::split(vb.loop(
        emitFirstKey(vb, shape, first), end, tileKeys, state.join(),
        [&](Value key, ValueRange carried) {
          Value count = vb.min(vb.sub(end, key), vb.index(tileKeys));
          return emitTile(key, count, first, Softmax::split(carried)).join();
        }));
    emitEnd(first, lseStart, state, outRows);
  }

  /// Keys [key, key + count): scores, their softmax, the weighted values.
  Softmax emitTile(Value key, Value count, Value first, const Softmax &old) {
    Softmax next;
    next.maximum =
        vb.loop(vb.index(0), count, blockRows, old.maximum,
                [&](Value r, ValueRange maximum) {
                  return emitScores(vb.add(key, r), r, first, maximum);
                });
    SmallVector<Value> decay, sums;
    for (int64_t v = 0; v < blockVectors; ++v) {
      decay.push_back(vb.exp2(vb.subf(old.maximum[v], next.maximum[v])));
      sums.push_back(vb.mulf(old.sum[v], decay[v]));
    }
    next.sum =
        vb.loop(vb.index(0), count, 2, sums, [&](Value r, ValueRange carried) {
          SmallVector<Value> sum(carried);
          Value start = vb.mul(r, tileQueries);
          for (int64_t i = 0; i < 2 * blockVectors; ++i) {
            Value &lane = sum[i % blockVectors];
            Value at = vb.add(start, i * vectorLanes);
            Value p = vb.exp2(
                vb.subf(vb.load(scores, at), next.maximum[i % blockVectors]));
            lane = vb.addf(lane, p);
            if (shape.dropout)
              p = vb.mulf(p,
                          emitTileDropFactors(
                              vb, shape, draw,
                              vb.add(vb.add(key, r), i / blockVectors),
                              vb.add(first, i % blockVectors * vectorLanes)));
            vb.store(p, scores, at);
          }
          return sum;
        });
    Matrix weights{scores, vb.index(0), tileQueries};
    Matrix value{values, vb.mul(key, shape.paddedDim), 1, shape.paddedDim};
    Matrix sum{result, vb.index(0), tileQueries};
    emitTileMatmul(vb, shape.dim, blockVectors, vb.index(0), count, 4, value,
                   weights, sum, decay);
    return next;
  }

  /// Scores of a register block of keys, stored from row \p r of the tile on.
  SmallVector<Value> emitScores(Value key, Value r, Value first,
                                ValueRange maximum) {
    SmallVector<Value> sums, largest(maximum);
    for (int64_t i = 0; i < blockRows; ++i) {
      Value bias = vb.splat(0.0);
      if (shape.alibi) {
        Value distance = vb.toF32(vb.toI32(vb.sub(vb.add(key, i), first)));
        bias = vb.splat(vb.mulf(distance, slope));
      }
      sums.append(blockVectors, bias);
    }
    Matrix a{keys, vb.mul(key, shape.paddedDim), shape.paddedDim};
    Matrix b{queries, vb.index(0), tileQueries};
    sums = emitBlock(vb, blockRows, blockVectors, vb.index(0),
                     vb.index(shape.dim), shape.dimUnroll(), a, b, sums);
    sums = emitMasked(vb, shape, key, first, sums, maskedScore);
    for (int64_t i = 0; i < blockRows; ++i)
      for (int64_t v = 0; v < blockVectors; ++v) {
        Value score = sums[i * blockVectors + v];
        vb.store(score, scores,
                 vb.add(vb.mul(vb.add(r, i), tileQueries), v * vectorLanes));
        largest[v] = vb.maxf(largest[v], score);
      }
    return largest;
  }

  /// Divides by the sums and writes the outputs and the log-sum-exps.
  void emitEnd(Value first, Value lseStart, const Softmax &state,
               HeadRows outRows) {
    Value lse = vb.flatten(body.outputs[1]);
    for (int64_t v = 0; v < blockVectors; ++v) {
      vb.store(vb.divf(vb.splat(1.0), state.sum[v]), factors,
               vb.index(v * vectorLanes));
      Value log = math::LogOp::create(vb.builder, vb.loc, state.sum[v]);
      Value exponent = state.maximum[v];
      if (shape.alibi)
        // From distances to the tile's first query to those to the lane's.
        exponent = vb.subf(exponent, vb.mulf(vb.toF32(emitLaneNumbers(vb, v)),
                                             vb.splat(slope)));
      Value value = vb.fma(exponent, vb.splat(ln2), log);
      Value query = vb.add(first, v * vectorLanes);
      Value mask;
      if (shape.sequence % tileQueries)
        mask = vb.mask(vb.sub(vb.index(shape.sequence), query));
      vb.store(value, lse, vb.add(lseStart, query), mask);
    }
    emitUnpackTransposed(vb, shape, result, tileQueries, factors, outRows,
                         first);
  }

  VectorBuilder vb;
  TiledAttention shape;
  KernelBody &body;
  Value keys, values, queries, result, scores, factors, slope;
  HeadDraw draw;
};

struct AttentionKernel
    : KernelEmissionOpInterface::ExternalModel<AttentionKernel,
                                               nn::AttentionOp> {
  int64_t getIterations(Operation *op) const {
    auto attention = cast<nn::AttentionOp>(op);
    return attention.getBatch() * attention.getKvHeads() *
           AttentionEmitter::getParts(attention);
  }
  int64_t getScratchBytes(Operation *op) const {
    return AttentionEmitter::getScratchBytes(cast<nn::AttentionOp>(op));
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    auto attention = cast<nn::AttentionOp>(op);
    AttentionEmitter(attention, body)
        .emit(AttentionEmitter::getParts(attention));
  }
};

} // namespace

void tessera::cpu::registerAttention(MLIRContext *context) {
  nn::AttentionOp::attachInterface<AttentionKernel>(*context);
}
