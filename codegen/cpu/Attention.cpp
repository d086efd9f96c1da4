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
constexpr int64_t kQueries = kBlockVectors * kLanes;
/// Keys of a tile: the scores take 8 KiB.
constexpr int64_t kKeys = 64;
/// With fewer heads of keys than this the queries of each are dealt to several
/// iterations, so that all threads have work.
constexpr int64_t kEnoughIterations = 16;

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
    return {llvm::to_vector(all.take_front(kBlockVectors)),
            llvm::to_vector(all.drop_front(kBlockVectors))};
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
        op.getGroup() * llvm::divideCeil(op.getSequence(), kQueries);
    return heads >= kEnoughIterations
               ? 1
               : std::min<int64_t>(tiles,
                                   llvm::divideCeil(kEnoughIterations, heads));
  }

  static int64_t getScratchBytes(nn::AttentionOp op) {
    TiledAttention s = TiledAttention::get(op);
    return (2 * s.paddedKeys * s.paddedDim + 2 * s.paddedDim * kQueries +
            kKeys * kQueries + kQueries) *
           static_cast<int64_t>(sizeof(float));
  }

  void emit(int64_t parts) {
    int64_t offset = 0;
    keys = vb.carve(body.scratch, offset, shape.paddedKeys * shape.paddedDim);
    values = vb.carve(body.scratch, offset, shape.paddedKeys * shape.paddedDim);
    queries = vb.carve(body.scratch, offset, shape.paddedDim * kQueries);
    result = vb.carve(body.scratch, offset, shape.paddedDim * kQueries);
    scores = vb.carve(body.scratch, offset, kKeys * kQueries);
    factors = vb.carve(body.scratch, offset, kQueries);
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
      int64_t tiles = llvm::divideCeil(shape.sequence, kQueries);
      vb.loop(vb.rem(iteration, parts), vb.index(tiles * shape.group), parts,
              [&](Value tile) {
                Value head = vb.add(vb.mul(kvHead, shape.group),
                                    vb.rem(tile, shape.group));
                Value first = vb.mul(vb.div(tile, shape.group), kQueries);
                Value row = vb.add(vb.mul(batch, shape.heads), head);
                if (shape.alibi)
                  slope = emitAlibiSlope(vb, shape.heads, head);
                if (shape.dropout)
                  draw = HeadDraw::load(
                      vb, ValueRange(body.inputs).drop_front(1), batch, head);
                emitPackTransposed(vb, shape, rows(0, head), first, kQueries,
                                   shape.scale * kLog2E, queries);
                emitQueries(first, vb.mul(row, shape.sequence),
                            HeadRows::ofOutput(vb, shape, out, token, head));
              });
    });
  }

private:
  /// The results of queries [first, first + kQueries).
  void emitQueries(Value first, Value lseStart, HeadRows outRows) {
    vb.loop(0, shape.dim * kQueries, kLanes,
            [&](Value i) { vb.store(vb.splat(0.0), result, i); });
    Softmax state{{vb.splat(kMaskedScore), vb.splat(kMaskedScore)},
                  {vb.splat(0.0), vb.splat(0.0)}};
    Value end = vb.index(shape.paddedKeys);
    if (shape.causal)
      end = vb.min(vb.add(first, kQueries), end);
    // Each query sees a key of the first tile: windows of the tile's queries
    // begin within kBlockRows + kQueries keys.
    static_assert(kBlockRows + kQueries <= kKeys);
    state = Softmax::split(vb.loop(
        emitFirstKey(vb, shape, first), end, kKeys, state.join(),
        [&](Value key, ValueRange carried) {
          Value count = vb.min(vb.sub(end, key), vb.index(kKeys));
          return emitTile(key, count, first, Softmax::split(carried)).join();
        }));
    emitEnd(first, lseStart, state, outRows);
  }

  /// Keys [key, key + count): scores, their softmax, the weighted values.
  Softmax emitTile(Value key, Value count, Value first, const Softmax &old) {
    Softmax next;
    next.maximum =
        vb.loop(vb.index(0), count, kBlockRows, old.maximum,
                [&](Value r, ValueRange maximum) {
                  return emitScores(vb.add(key, r), r, first, maximum);
                });
    SmallVector<Value> decay, sums;
    for (int64_t v = 0; v < kBlockVectors; ++v) {
      decay.push_back(vb.exp2(vb.subf(old.maximum[v], next.maximum[v])));
      sums.push_back(vb.mulf(old.sum[v], decay[v]));
    }
    next.sum =
        vb.loop(vb.index(0), count, 2, sums, [&](Value r, ValueRange carried) {
          SmallVector<Value> sum(carried);
          Value start = vb.mul(r, kQueries);
          for (int64_t i = 0; i < 2 * kBlockVectors; ++i) {
            Value &lane = sum[i % kBlockVectors];
            Value at = vb.add(start, i * kLanes);
            Value p = vb.exp2(
                vb.subf(vb.load(scores, at), next.maximum[i % kBlockVectors]));
            lane = vb.addf(lane, p);
            if (shape.dropout)
              p = vb.mulf(p, emitTileDropFactors(
                                 vb, shape, draw,
                                 vb.add(vb.add(key, r), i / kBlockVectors),
                                 vb.add(first, i % kBlockVectors * kLanes)));
            vb.store(p, scores, at);
          }
          return sum;
        });
    Matrix weights{scores, vb.index(0), kQueries};
    Matrix value{values, vb.mul(key, shape.paddedDim), 1, shape.paddedDim};
    Matrix sum{result, vb.index(0), kQueries};
    emitTileMatmul(vb, shape.dim, kBlockVectors, vb.index(0), count, 4, value,
                   weights, sum, decay);
    return next;
  }

  /// Scores of a register block of keys, stored from row \p r of the tile on.
  SmallVector<Value> emitScores(Value key, Value r, Value first,
                                ValueRange maximum) {
    SmallVector<Value> sums, largest(maximum);
    for (int64_t i = 0; i < kBlockRows; ++i) {
      Value bias = vb.splat(0.0);
      if (shape.alibi) {
        Value distance = vb.toF32(vb.toI32(vb.sub(vb.add(key, i), first)));
        bias = vb.splat(vb.mulf(distance, slope));
      }
      sums.append(kBlockVectors, bias);
    }
    Matrix a{keys, vb.mul(key, shape.paddedDim), shape.paddedDim};
    Matrix b{queries, vb.index(0), kQueries};
    sums = emitBlock(vb, kBlockRows, kBlockVectors, vb.index(0),
                     vb.index(shape.dim), shape.dimUnroll(), a, b, sums);
    sums = emitMasked(vb, shape, key, first, sums, kMaskedScore);
    for (int64_t i = 0; i < kBlockRows; ++i)
      for (int64_t v = 0; v < kBlockVectors; ++v) {
        Value score = sums[i * kBlockVectors + v];
        vb.store(score, scores,
                 vb.add(vb.mul(vb.add(r, i), kQueries), v * kLanes));
        largest[v] = vb.maxf(largest[v], score);
      }
    return largest;
  }

  /// Divides by the sums and writes the outputs and the log-sum-exps.
  void emitEnd(Value first, Value lseStart, const Softmax &state,
               HeadRows outRows) {
    Value lse = vb.flatten(body.outputs[1]);
    for (int64_t v = 0; v < kBlockVectors; ++v) {
      vb.store(vb.divf(vb.splat(1.0), state.sum[v]), factors,
               vb.index(v * kLanes));
      Value log = math::LogOp::create(vb.builder, vb.loc, state.sum[v]);
      Value exponent = state.maximum[v];
      if (shape.alibi)
        // From distances to the tile's first query to those to the lane's.
        exponent = vb.subf(exponent, vb.mulf(vb.toF32(emitLaneNumbers(vb, v)),
                                             vb.splat(slope)));
      Value value = vb.fma(exponent, vb.splat(kLn2), log);
      Value query = vb.add(first, v * kLanes);
      Value mask;
      if (shape.sequence % kQueries)
        mask = vb.mask(vb.sub(vb.index(shape.sequence), query));
      vb.store(value, lse, vb.add(lseStart, query), mask);
    }
    emitUnpackTransposed(vb, shape, result, kQueries, factors, outRows, first);
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
