//===- AttentionGrad.cpp - The kernel of nn.attention_grad ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The way back of attention in three grids, without atomics (after Dao et al.,
// arXiv 2205.14135, algorithm 4). With the probabilities P, computed again from
// the log-sum-exps, dP = dO Vᵀ and D = rowsum(dO ∘ O):
//
//   dS = P ∘ (dP - D),  dQ = scale · dS K,  dK = scale · dSᵀ Q,  dV = Pᵀ dO.
//
// The first grid computes D. In the second a block has a tile of keys, and
// tiles of queries come by: it sums dK and dV. In the third it has queries, and
// keys come by: it sums dQ.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/AttentionTiles.h"
#include "codegen/cuda/Kernels.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;
using cpu::AttentionShape;

namespace {

/// Two tiles that stay and two that come by; dS, and P beside it.
TileShape getTile(nn::AttentionGradOp op) {
  return TileShape(op.getHeadDim(), 4, 2);
}

/// Threads of a block of the first grid, a warp a token and head.
constexpr int64_t kDeltaThreads = 128;

class GradientEmitter {
public:
  GradientEmitter(nn::AttentionGradOp op, ThreadBuilder &tb,
                  const KernelBuffers &buffers)
      : shape(AttentionShape::get(op)), tile(getTile(op)), tb(tb),
        buffers(buffers) {
    int64_t offset = 0;
    deltas = tb.carve(buffers.scratch, offset,
                      shape.batch * shape.heads * shape.sequence);
  }

  void emitDeltas();
  /// The second grid or, of queries, the third.
  void emitTiles(bool ofQueries);

private:
  using HeadRows = TileBuilder::HeadRows;

  int64_t hidden() const { return shape.heads * shape.dim; }

  AttentionShape shape;
  TileShape tile;
  ThreadBuilder &tb;
  const KernelBuffers &buffers;
  Value deltas;
};

} // namespace

void GradientEmitter::emitDeltas() {
  tb.lanes = 1;
  Value out = tb.flatten(buffers.inputs[1]);
  Value gradient = tb.flatten(buffers.inputs[3]);
  constexpr int64_t kWarps = kDeltaThreads / kWarp;
  int64_t rows = shape.batch * shape.heads * shape.sequence;
  Value lane = tb.rem(tb.thread(), kWarp);
  Value number = tb.add(tb.mul(tb.block(), kWarps), tb.div(tb.thread(), kWarp));
  Value row = tb.min(number, tb.index(rows - 1));
  // Rows are counted as deltas lie: by batch and head, then token.
  Value batchHead = tb.div(row, shape.sequence);
  Value token = tb.add(tb.mul(tb.div(batchHead, shape.heads), shape.sequence),
                       tb.rem(row, shape.sequence));
  Value start = tb.add(tb.mul(token, hidden()),
                       tb.mul(tb.rem(batchHead, shape.heads), shape.dim));
  Value sum = tb.loop(lane, tb.index(shape.dim), kWarp, tb.number(0),
                      [&](Value column, ValueRange carried) {
                        Value at = tb.add(start, column);
                        return SmallVector<Value>{
                            tb.fma(tb.loadScalar(out, at),
                                   tb.loadScalar(gradient, at), carried[0])};
                      })[0];
  sum = tb.combineWarp(sum, kWarp,
                       [&](Value a, Value b) { return tb.addf(a, b); });
  Value writes = tb.isEqual(lane, tb.index(0));
  if (rows % kWarps)
    writes = tb.both(writes, tb.isLess(number, tb.index(rows)));
  tb.onlyIf(writes, [&] { tb.storeScalar(sum, deltas, row); });
}

void GradientEmitter::emitTiles(bool ofQueries) {
  TileBuilder tiles(tb, shape, tile);
  Value packed = tb.flatten(buffers.inputs[0]);
  Value lse = tb.flatten(buffers.inputs[2]);
  Value gradient = tb.flatten(buffers.inputs[3]);
  Value result = tb.flatten(buffers.outputs[0]);
  int64_t count = llvm::divideCeil(shape.sequence, tile.tokens);
  Value batchHead = tb.div(tb.block(), count);
  // The tiles that see, or are seen by, the most begin first.
  Value number = tb.rem(tb.block(), count);
  if (ofQueries)
    number = tb.sub(tb.index(count - 1), number);
  Value first = tb.mul(number, tile.tokens);
  Value head = tb.rem(batchHead, shape.heads);
  Value token = tb.mul(tb.div(batchHead, shape.heads), shape.sequence);
  Value start =
      tb.add(tb.mul(token, shape.columns), tb.mul(head, shape.headStride));
  auto rows = [&](Value buffer, int64_t which) {
    return HeadRows{buffer, tb.add(start, shape.column[which]), shape.columns};
  };
  HeadRows outRows{gradient,
                   tb.add(tb.mul(token, hidden()), tb.mul(head, shape.dim)),
                   hidden()};
  Value lseStart = tb.mul(batchHead, shape.sequence);
  Value slope = shape.alibi ? tiles.slope(head) : Value();

  // What the scores are products of, and what the probabilities' gradients are.
  HeadRows rowScores = rows(packed, ofQueries ? 0 : 1);
  HeadRows columnScores = rows(packed, ofQueries ? 1 : 0);
  HeadRows rowOthers = ofQueries ? outRows : rows(packed, 2);
  HeadRows columnOthers = ofQueries ? rows(packed, 2) : outRows;
  Value rowA = tiles.tokensMemory(), rowB = tiles.tokensMemory();
  Value columnA = tiles.tokensMemory(), columnB = tiles.tokensMemory();
  Value slopes = tiles.scoresMemory();
  Value weights = ofQueries ? Value() : tiles.scoresMemory();
  tiles.load(rowScores, first, rowA);
  tiles.load(rowOthers, first, rowB);

  auto loadQuery = [&](Value buffer, Value query) {
    Value at = tb.min(query, tb.index(shape.sequence - 1));
    return tb.loadScalar(buffer, tb.add(lseStart, at));
  };
  Value begin = tb.index(0), end = tb.index(shape.sequence);
  if (shape.causal && ofQueries)
    end = tb.min(tb.add(first, tile.tokens), end);
  if (shape.causal && !ofQueries)
    begin = first;
  SmallVector<Value> sums = tiles.zeros();
  size_t half = sums.size();
  if (!ofQueries)
    llvm::append_range(sums, tiles.zeros());
  sums = tb.loop(
      begin, end, tile.tokens, sums, [&](Value other, ValueRange carried) {
        tiles.load(columnScores, other, columnA);
        tiles.load(columnOthers, other, columnB);
        tb.barrier();
        SmallVector<Value> scores = tiles.multiply(rowA, columnA);
        SmallVector<Value> changes = tiles.multiply(rowB, columnB);
        int64_t columns = tile.columns();
        for (int64_t i = 0; i < TileShape::kRows; ++i)
          for (int64_t j = 0; j < columns; ++j) {
            Value &score = scores[i * columns + j];
            Value &change = changes[i * columns + j];
            Value query = tb.add(first, tiles.row(i));
            Value key = tb.add(other, tiles.column(j));
            if (!ofQueries)
              std::swap(query, key);
            score = tb.mulf(score, tb.number(shape.scale * cpu::kLog2E));
            if (shape.alibi) {
              Value distance = tb.toF32(tb.toI32(tb.sub(key, query)));
              score = tb.fma(distance, slope, score);
            }
            Value shift =
                tb.mulf(loadQuery(lse, query), tb.number(cpu::kLog2E));
            score = tiles.exp2(tb.subf(score, shift));
            if (Value visible = tiles.isVisible(query, key))
              score = tb.select(visible, score, tb.number(0));
            change = tb.mulf(score, tb.subf(change, loadQuery(deltas, query)));
          }
        tiles.storeScores(changes, slopes);
        if (!ofQueries)
          tiles.storeScores(scores, weights);
        tb.barrier();
        SmallVector<Value> next =
            tiles.accumulate(slopes, columnA, carried.take_front(half));
        if (!ofQueries)
          llvm::append_range(next, tiles.accumulate(weights, columnB,
                                                    carried.drop_front(half)));
        tb.barrier();
        return next;
      });
  SmallVector<Value> scale(TileShape::kRows, tb.number(shape.scale));
  SmallVector<Value> one(TileShape::kRows, tb.number(1));
  ArrayRef<Value> all = sums;
  tiles.store(all.take_front(half), scale, rows(result, ofQueries ? 0 : 1),
              first);
  if (!ofQueries)
    tiles.store(all.drop_front(half), one, rows(result, 2), first);
}

namespace {

struct AttentionGradKernel
    : KernelOpInterface::ExternalModel<AttentionGradKernel,
                                       nn::AttentionGradOp> {
  static int64_t getRows(nn::AttentionGradOp op) {
    return op.getBatch() * op.getHeads() * op.getSequence();
  }

  SmallVector<Grid> getGrids(Operation *op) const {
    auto attention = cast<nn::AttentionGradOp>(op);
    TileShape tile = getTile(attention);
    int64_t tiles = llvm::divideCeil(attention.getSequence(), tile.tokens);
    Grid grid = {
        static_cast<int64_t>(attention.getBatch() * attention.getHeads()) *
            tiles,
        tile.threads()};
    int64_t deltas =
        llvm::divideCeil(getRows(attention), kDeltaThreads / kWarp);
    return {{deltas, kDeltaThreads}, grid, grid};
  }
  int64_t getScratchBytes(Operation *op) const {
    return llvm::alignTo(4 * getRows(cast<nn::AttentionGradOp>(op)), 64);
  }
  void emitThread(Operation *op, unsigned grid, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    GradientEmitter emitter(cast<nn::AttentionGradOp>(op), tb, buffers);
    if (grid == 0)
      emitter.emitDeltas();
    else
      emitter.emitTiles(grid == 2);
  }
};

} // namespace

void tessera::cuda::registerAttentionGrad(MLIRContext *context) {
  nn::AttentionGradOp::attachInterface<AttentionGradKernel>(*context);
}
