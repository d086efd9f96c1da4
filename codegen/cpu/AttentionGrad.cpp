//===- AttentionGrad.cpp - The kernel of nn.attention_grad ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attention's backward pass (Dao et al., arXiv 2205.14135, algorithm 4). With P
// the probabilities, recomputed from the log-sum-exps, G the gradient of the
// output and delta_i = g_i . out_i:
//
//   dV = P^T G      dS = P o (G V^T - delta)
//   dQ = scale dS K         dK = scale dS^T Q
//
// without dropout; see emitDropout for it.
//
// One iteration does a whole head of keys and all heads of queries that share
// it, one after another and tile after tile, so that the order of all sums is
// fixed. Where there are too few heads of keys for the threads, iterations have
// parts of it: some dK and dV of a part of the keys, others dQ of a part of the
// queries, with the same sums in the same order, for two more matmuls per pair.
// AttentionTiles.h says how the tiles lie.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/AttentionTiles.h"
#include "codegen/cpu/Kernels.h"
#include "dialects/spec/Spec.h"
#include <thread>

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

/// Queries of a tile. They are the inner dimension of dV and dK, whose sums
/// are loaded and stored once per tile.
constexpr int64_t tileQueries = 64;
constexpr int64_t tileKeys = 64;
/// Elements of a tile of pairs.
constexpr int64_t tilePairs = tileKeys * tileQueries;
/// Queries of a register block.
constexpr int64_t blockQueries = blockVectors * vectorLanes;

/// Threads that a rank of \p module has; some guess without a specification.
int64_t getThreads(ModuleOp module) {
  int64_t ranks = 1;
  if (spec::SpecificationAttr all =
          module ? spec::getSpecification(module) : nullptr) {
    if (int64_t threads = all.getTarget().getHostThreads())
      return threads;
    ranks = spec::getParallel(module).getWorld();
  }
  return std::max<int64_t>(1, std::thread::hardware_concurrency() / ranks);
}

class AttentionGradEmitter {
public:
  /// Parts of a head's keys, and of its queries; 1: iterations have both of a
  /// whole head.
  static int64_t getParts(nn::AttentionGradOp op) {
    int64_t heads = op.getBatch() * op.getKvHeads();
    int64_t threads = getThreads(op->getParentOfType<ModuleOp>());
    // Some iterations for each thread, as late queries and early keys take
    // longer.
    int64_t parts =
        std::min<int64_t>(llvm::divideCeil(op.getSequence(), tileKeys),
                          llvm::divideCeil(2 * threads, heads));
    // Matmuls of a whole head that threads do one after another.
    double whole = 5.0 * llvm::divideCeil(heads, threads);
    double split = 7.0 * llvm::divideCeil(2 * heads * parts, threads) /
                   static_cast<double>(2 * parts);
    return split < 0.9 * whole ? parts : 1;
  }

  AttentionGradEmitter(nn::AttentionGradOp op, KernelBody &body)
      : vb(body.builder, body.loc), shape(TiledAttention::get(op)), body(body) {
  }

  static int64_t getScratchBytes(nn::AttentionGradOp op) {
    TiledAttention s = TiledAttention::get(op);
    return (4 * s.paddedKeys * s.paddedDim + 5 * s.paddedDim * tileQueries +
            3 * tileQueries + 2 * tilePairs) *
           static_cast<int64_t>(sizeof(float));
  }

  void emit() {
    carveScratch();
    zero = vb.index(0);
    vb.loop(0, tileQueries, vectorLanes,
            [&](Value i) { vb.store(vb.splat(shape.scale), scales, i); });
    int64_t heads = shape.batch * shape.kvHeads;
    if (body.iterations == heads) {
      part = zero;
      vb.loop(body.begin, body.end, 1, [&](Value head) { emitHead(head); });
      return;
    }
    parts = body.iterations / (2 * heads);
    vb.loop(body.begin, body.end, 1, [&](Value iteration) {
      // The longer iterations, of keys, come first.
      Value ofKeys = vb.index(heads * parts);
      Value isOfKeys = arith::CmpIOp::create(
          vb.builder, vb.loc, arith::CmpIPredicate::slt, iteration, ofKeys);
      part = vb.rem(iteration, parts);
      Value batchHead = vb.rem(vb.div(iteration, parts), heads);
      auto branch = scf::IfOp::create(vb.builder, vb.loc, TypeRange(), isOfKeys,
                                      /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(vb.builder);
      for (bool keysNow : {true, false}) {
        givesKeys = keysNow;
        givesQueries = !keysNow;
        vb.builder.setInsertionPointToStart(keysNow ? branch.thenBlock()
                                                    : branch.elseBlock());
        emitHead(batchHead);
      }
    });
  }

private:
  /// What this iteration gives of a head of keys of a batch row, and of the
  /// heads of queries that share it.
  void emitHead(Value batchHead) {
    Value packed = vb.flatten(body.inputs[0]);
    Value result = vb.flatten(body.outputs[0]);
    Value batch = vb.div(batchHead, shape.kvHeads);
    Value kvHead = vb.rem(batchHead, shape.kvHeads);
    Value token = vb.mul(batch, shape.sequence);
    auto columns = [&](Value buffer, int64_t which, Value head) {
      return HeadRows::ofPacked(vb, shape, buffer, token, which, head);
    };
    auto plain = [&](unsigned input, Value head) {
      return HeadRows::ofOutput(vb, shape, vb.flatten(body.inputs[input]),
                                token, head);
    };
    emitPackRows(vb, shape, columns(packed, 1, kvHead), zero, shape.paddedKeys,
                 keys, zero);
    emitPackRows(vb, shape, columns(packed, 2, kvHead), zero, shape.paddedKeys,
                 values, zero);
    if (givesKeys)
      emitClear(sums, 2 * headSize());
    // Iterations of queries take turns, since late tiles take longer.
    Value first = givesKeys ? zero : vb.mul(part, tileQueries);
    int64_t step = givesKeys ? tileQueries : parts * tileQueries;
    vb.loop(0, shape.group, 1, [&](Value member) {
      Value head = vb.add(vb.mul(kvHead, shape.group), member);
      lseStart =
          vb.mul(vb.add(vb.mul(batch, shape.heads), head), shape.sequence);
      if (shape.alibi)
        slope = emitAlibiSlope(vb, shape.heads, head);
      if (shape.dropout)
        draw = HeadDraw::load(vb, ValueRange(body.inputs).drop_front(4), batch,
                              head);
      vb.loop(first, vb.index(shape.sequence), step, [&](Value query) {
        emitQueries(query, columns(packed, 0, head), plain(1, head),
                    plain(3, head), columns(result, 0, head));
      });
    });
    if (!givesKeys)
      return;
    emitStoreRows(0, 1, columns(result, 2, kvHead));
    emitStoreRows(headSize(), shape.scale, columns(result, 1, kvHead));
  }

  /// Elements of a head's rows and of a tile's.
  int64_t headSize() const { return shape.paddedKeys * shape.paddedDim; }
  int64_t tileSize() const { return shape.paddedDim * tileQueries; }

  void carveScratch() {
    int64_t offset = 0;
    auto carve = [&](int64_t count) {
      return vb.carve(body.scratch, offset, count);
    };
    keys = carve(headSize());
    values = carve(headSize());
    sums = carve(2 * headSize());
    rows = carve(2 * tileSize());
    queriesAcross = carve(tileSize());
    outGradientsAcross = carve(tileSize());
    queryGradientsAcross = carve(tileSize());
    shifts = carve(tileQueries);
    deltas = carve(tileQueries);
    scales = carve(tileQueries);
    pairs = carve(2 * tilePairs);
  }

  void emitClear(Value buffer, int64_t count) {
    vb.loop(0, count, vectorLanes,
            [&](Value i) { vb.store(vb.splat(0.0), buffer, i); });
  }

  /// Calls \p body for each of this iteration's tiles of the keys
  /// [begin, end): its first key and the end of its keys.
  void emitOwnTiles(Value begin, Value end,
                    llvm::function_ref<void(Value, Value)> body) {
    if (parts == 1 || !givesKeys)
      return vb.loop(begin, end, tileKeys, [&](Value key) { body(key, end); });
    // Tile t, of keys [t * tileKeys, (t + 1) * tileKeys), is of part t % parts.
    Value tile = vb.div(begin, tileKeys);
    Value apart = vb.sub(vb.add(part, parts), vb.rem(tile, parts));
    Value first = vb.mul(vb.add(tile, vb.rem(apart, parts)), tileKeys);
    vb.loop(first, end, parts * tileKeys, [&](Value key) {
      body(vb.max(key, begin), vb.min(vb.add(key, tileKeys), end));
    });
  }

  /// Stores the sums of this iteration's keys, which start at element \p start.
  void emitStoreRows(int64_t start, double factor, HeadRows rows) {
    emitOwnTiles(zero, vb.index(shape.sequence), [&](Value key, Value end) {
      end = vb.min(end, vb.add(key, tileKeys));
      vb.loop(key, end, 1, [&](Value r) {
        Value from = vb.add(vb.mul(r, shape.paddedDim), start);
        Value to = vb.add(rows.offset, vb.mul(r, rows.stride));
        for (int64_t c = 0; c < shape.dim; c += vectorLanes)
          vb.store(vb.mulf(vb.load(sums, vb.add(from, c)), vb.splat(factor)),
                   rows.buffer, vb.add(to, c), vb.mask(shape.dim - c));
      });
    });
  }

  /// What queries [first, first + tileQueries) give to all gradients.
  void emitQueries(Value first, HeadRows queryRows, HeadRows out,
                   HeadRows gradient, HeadRows resultRows) {
    emitPackRows(vb, shape, gradient, first, tileQueries, rows, zero);
    emitPackTransposed(vb, shape, gradient, first, tileQueries, 1,
                       outGradientsAcross);
    emitPackRows(vb, shape, queryRows, first, tileQueries, rows,
                 vb.index(tileSize()));
    emitPackTransposed(vb, shape, queryRows, first, tileQueries,
                       shape.scale * log2E, queriesAcross);
    emitShifts(first);
    emitDeltas(first, out);
    if (givesQueries)
      emitClear(queryGradientsAcross, tileSize());
    Value end = vb.index(shape.paddedKeys);
    if (shape.causal)
      end = vb.min(vb.add(first, tileQueries), end);
    emitOwnTiles(emitFirstKey(vb, shape, first), end,
                 [&](Value key, Value end) { emitKeys(key, end, first); });
    if (givesQueries)
      emitUnpackTransposed(vb, shape, queryGradientsAcross, tileQueries, scales,
                           resultRows, first);
  }

  /// What a lane's scores start from: minus its log-sum-exp, and ALiBi's bias
  /// from the tile's first query to the lane's. Queries past the sequence have
  /// no gradient; their lanes only must stay finite.
  void emitShifts(Value first) {
    Value lse = vb.flatten(body.inputs[2]);
    for (int64_t v = 0; v < tileQueries / vectorLanes; ++v) {
      Value query = vb.add(first, v * vectorLanes);
      Value mask;
      if (shape.sequence % tileQueries)
        mask = vb.mask(vb.sub(vb.index(shape.sequence), query));
      Value shift = vb.mulf(vb.load(lse, vb.add(lseStart, query), mask),
                            vb.splat(-log2E));
      if (shape.alibi)
        shift = vb.subf(
            shift, vb.mulf(vb.toF32(emitLaneNumbers(vb, v)), vb.splat(slope)));
      vb.store(shift, shifts, vb.index(v * vectorLanes));
    }
  }

  /// -delta of each query.
  void emitDeltas(Value first, HeadRows out) {
    bool checkToken = shape.sequence % tileQueries != 0;
    vb.loop(0, tileQueries, 1, [&](Value r) {
      Value token = vb.add(first, r), sum = vb.splat(0.0);
      Value from = vb.add(out.offset, vb.mul(token, out.stride));
      Value with = vb.mul(r, shape.paddedDim);
      for (int64_t c = 0; c < shape.dim; c += vectorLanes) {
        Value mask = emitTokenMask(vb, shape, token, vb.index(c), checkToken);
        sum = vb.fma(vb.load(out.buffer, vb.add(from, c), mask),
                     vb.load(rows, vb.add(with, c)), sum);
      }
      Value delta = arith::NegFOp::create(vb.builder, vb.loc, vb.sum(sum));
      vb.storeScalar(delta, deltas, r);
    });
  }

  /// A tile of keys from \p key on.
  void emitKeys(Value key, Value end, Value first) {
    Value count = vb.min(vb.sub(end, key), vb.index(tileKeys));
    vb.loop(zero, count, blockRows,
            [&](Value r) { emitRows(vb.add(key, r), r, first); });
    if (!givesQueries)
      return;
    vb.loop(0, tileQueries, blockQueries, [&](Value lane) {
      // No query of the block sees keys past its last one, nor before its first
      // one's window.
      Value firstQuery = vb.add(first, lane), firstVisible = zero;
      Value visible = count;
      if (shape.causal)
        visible = vb.min(count, vb.sub(vb.add(firstQuery, blockQueries), key));
      if (shape.hasWindow())
        firstVisible =
            vb.max(vb.sub(emitFirstKey(vb, shape, firstQuery), key), zero);
      emitTileMatmul(vb, shape.dim, blockVectors, firstVisible, visible, 4,
                     {keys, vb.mul(key, shape.paddedDim), 1, shape.paddedDim},
                     {pairs, vb.add(lane, tilePairs), tileQueries},
                     {queryGradientsAcross, lane, tileQueries});
    });
  }

  /// A register block of keys, row \p r of the tile: probabilities, gradients
  /// of scores, and their share in the gradients of these keys and values.
  void emitRows(Value key, Value r, Value first) {
    // The lanes that see one of the keys, for whole register blocks and for the
    // matmuls' inner loops.
    Value firstBlock = zero, firstLane = zero, endLane = vb.index(tileQueries);
    if (shape.causal) {
      firstLane = vb.max(vb.sub(key, first), zero);
      firstBlock = vb.mul(vb.div(firstLane, blockQueries), blockQueries);
    }
    if (shape.hasWindow()) {
      // Behind the last query that sees the last key, rounded up to
      // blockRows, which the matmuls' unrolling divides.
      Value seen = vb.sub(
          vb.add(key, roundUp(shape.window + blockRows - 1, blockRows)), first);
      endLane = vb.min(seen, endLane);
    }
    vb.loop(firstBlock, endLane, blockQueries,
            [&](Value lane) { emitBlockScores(key, r, first, lane); });
    if (!givesKeys)
      return;
    // dV += P^T G, then dK += dS^T Q.
    Value tileRow = vb.mul(r, tileQueries), row = vb.mul(key, shape.paddedDim);
    vb.loop(0, 2, 1, [&](Value which) {
      emitTileMatmul(
          vb, blockRows, shape.vectors(), firstLane, endLane, 4,
          {pairs, vb.add(vb.mul(which, tilePairs), tileRow), tileQueries},
          {rows, vb.mul(which, tileSize()), shape.paddedDim},
          {sums, vb.add(vb.mul(which, headSize()), row), shape.paddedDim});
    });
  }

  /// Probabilities and gradients of scores of a register block.
  void emitBlockScores(Value key, Value r, Value first, Value lane) {
    Value row = vb.mul(key, shape.paddedDim);
    Value dim = vb.index(shape.dim);
    auto place = [&](int64_t i, int64_t v) {
      return vb.add(vb.add(vb.mul(vb.add(r, i), tileQueries), lane),
                    v * vectorLanes);
    };
    SmallVector<Value> scores, slopes;
    for (int64_t i = 0; i < blockRows; ++i)
      for (int64_t v = 0; v < blockVectors; ++v) {
        Value start = vb.load(shifts, vb.add(lane, v * vectorLanes));
        if (shape.alibi) {
          Value distance = vb.toF32(vb.toI32(vb.sub(vb.add(key, i), first)));
          start = vb.addf(start, vb.splat(vb.mulf(distance, slope)));
        }
        scores.push_back(start);
      }
    scores = emitBlock(vb, blockRows, blockVectors, zero, dim,
                       shape.dimUnroll(), {keys, row, shape.paddedDim},
                       {queriesAcross, lane, tileQueries}, scores);
    for (Value &score : scores)
      score = vb.exp2(score);
    scores = emitMasked(vb, shape, key, vb.add(first, lane), scores, 0);
    for (int64_t i = 0; i < blockRows; ++i)
      for (int64_t v = 0; v < blockVectors; ++v)
        vb.store(scores[i * blockVectors + v], pairs, place(i, v));
    for (int64_t i = 0; i < blockRows; ++i)
      for (int64_t v = 0; v < blockVectors; ++v)
        slopes.push_back(shape.dropout
                             ? vb.splat(0.0)
                             : vb.load(deltas, vb.add(lane, v * vectorLanes)));
    slopes = emitBlock(vb, blockRows, blockVectors, zero, dim,
                       shape.dimUnroll(), {values, row, shape.paddedDim},
                       {outGradientsAcross, lane, tileQueries}, slopes);
    for (int64_t i = 0; i < blockRows; ++i)
      for (int64_t v = 0; v < blockVectors; ++v) {
        Value slope = slopes[i * blockVectors + v];
        if (!shape.dropout)
          slope = vb.mulf(slope, vb.load(pairs, place(i, v)));
        vb.store(slope, pairs, vb.add(place(i, v), tilePairs));
      }
    if (shape.dropout)
      emitDropout(key, r, first, lane);
  }

  /// Takes a register block's probabilities P and products G V^T to (P o F) and
  /// P o (F o (G V^T) - delta), F being dropout's factors: dV takes the dropped
  /// probabilities, and delta is what it is without dropout, as `out` is
  /// theirs.
  void emitDropout(Value key, Value r, Value first, Value lane) {
    vb.loop(0, blockRows, 1, [&](Value i) {
      for (int64_t v = 0; v < blockVectors; ++v) {
        Value column = vb.add(lane, v * vectorLanes);
        Value at = vb.add(vb.mul(vb.add(r, i), tileQueries), column);
        Value slopeAt = vb.add(at, tilePairs);
        Value factors = emitTileDropFactors(vb, shape, draw, vb.add(key, i),
                                            vb.add(first, column));
        Value p = vb.load(pairs, at), dropped = vb.mulf(p, factors);
        Value slope = vb.mulf(p, vb.load(deltas, column));
        vb.store(dropped, pairs, at);
        vb.store(vb.fma(dropped, vb.load(pairs, slopeAt), slope), pairs,
                 slopeAt);
      }
    });
  }

  VectorBuilder vb;
  TiledAttention shape;
  KernelBody &body;
  /// What an iteration computes, and which part of \p parts of it.
  bool givesKeys = true, givesQueries = true;
  int64_t parts = 1;
  Value part;
  /// A head's keys and values, one row per token.
  Value keys, values;
  /// Gradients of a head's values, then of its keys.
  Value sums;
  /// A tile's gradients of outputs, then its queries, one row per token;
  /// those named `Across` have one lane per token.
  Value rows;
  Value queriesAcross, outGradientsAcross, queryGradientsAcross;
  /// One value per query of the tile.
  Value shifts, deltas, scales;
  /// A tile's probabilities, then its gradients of scores: one row per
  /// key, one lane per query.
  Value pairs;
  Value slope, lseStart, zero;
  HeadDraw draw;
};

struct AttentionGradKernel
    : KernelEmissionOpInterface::ExternalModel<AttentionGradKernel,
                                               nn::AttentionGradOp> {
  int64_t getIterations(Operation *op) const {
    auto attention = cast<nn::AttentionGradOp>(op);
    int64_t parts = AttentionGradEmitter::getParts(attention);
    return attention.getBatch() * attention.getKvHeads() *
           (parts == 1 ? 1 : 2 * parts);
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
