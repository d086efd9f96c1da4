//===- Attention.cpp - The kernel of nn.attention ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attention with an online softmax over tiles of keys (Dao et al., arXiv
// 2205.14135, algorithm 1): a block has a tile of queries of one head.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/AttentionTiles.h"
#include "codegen/cuda/Kernels.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;
using cpu::AttentionShape;

namespace {

/// Queries, and keys or values; probabilities.
TileShape getTile(nn::AttentionOp op) {
  return TileShape(op.getHeadDim(), 2, 1);
}

class AttentionEmitter {
public:
  AttentionEmitter(nn::AttentionOp op, ThreadBuilder &tb,
                   const KernelBuffers &buffers)
      : shape(AttentionShape::get(op)), tile(getTile(op)), tb(tb),
        tiles(tb, shape, tile), buffers(buffers) {}

  void emit();

private:
  /// What the online softmax carries from tile to tile, a number a row.
  struct Softmax {
    SmallVector<Value> maximum, sum;
  };
  /// One tile of keys: its probabilities are stored, the softmax goes on; gives
  /// the factors by which earlier results shrink.
  SmallVector<Value> emitScores(Value key, Value first, Softmax &state);
  void emitEnd(Value first, Value lseStart, const Softmax &state);

  AttentionShape shape;
  TileShape tile;
  ThreadBuilder &tb;
  TileBuilder tiles;
  const KernelBuffers &buffers;
  Value queries, others, scores, slope;
};

} // namespace

SmallVector<Value> AttentionEmitter::emitScores(Value key, Value first,
                                                Softmax &state) {
  int64_t columns = tile.columns();
  SmallVector<Value> values = tiles.multiply(queries, others), decays;
  auto larger = [&](Value a, Value b) { return tb.maxf(a, b); };
  auto add = [&](Value a, Value b) { return tb.addf(a, b); };
  for (int64_t i = 0; i < TileShape::kRows; ++i) {
    Value query = tb.add(first, tiles.row(i));
    Value largest = state.maximum[i];
    for (int64_t j = 0; j < columns; ++j) {
      Value &score = values[i * columns + j];
      Value token = tb.add(key, tiles.column(j));
      if (shape.alibi) {
        Value distance = tb.toF32(tb.toI32(tb.sub(token, query)));
        score = tb.fma(distance, slope, score);
      }
      if (Value visible = tiles.isVisible(query, token))
        score = tb.select(visible, score, tb.number(cpu::kMaskedScore));
      largest = tb.maxf(score, largest);
    }
    largest = tb.combineWarp(largest, tile.across, larger);
    Value decay = tiles.exp2(tb.subf(state.maximum[i], largest));
    Value sum;
    for (int64_t j = 0; j < columns; ++j) {
      Value &score = values[i * columns + j];
      score = tiles.exp2(tb.subf(score, largest));
      sum = j ? tb.addf(sum, score) : score;
    }
    sum = tb.combineWarp(sum, tile.across, add);
    state.maximum[i] = largest;
    state.sum[i] = tb.fma(state.sum[i], decay, sum);
    decays.push_back(decay);
  }
  tiles.storeScores(values, scores);
  return decays;
}

void AttentionEmitter::emitEnd(Value first, Value lseStart,
                               const Softmax &state) {
  Value lse = tb.flatten(buffers.outputs[1]);
  tb.onlyIf(tiles.isFirst(), [&] {
    for (int64_t i = 0; i < TileShape::kRows; ++i) {
      Value query = tb.add(first, tiles.row(i)), exists;
      if (shape.sequence % tile.tokens)
        exists = tb.isLess(query, tb.index(shape.sequence));
      Value log = math::LogOp::create(tb.builder, tb.loc, state.sum[i]);
      Value value = tb.fma(state.maximum[i], tb.number(cpu::kLn2), log);
      tb.onlyIf(exists,
                [&] { tb.storeScalar(value, lse, tb.add(lseStart, query)); });
    }
  });
}

void AttentionEmitter::emit() {
  queries = tiles.tokensMemory();
  others = tiles.tokensMemory();
  scores = tiles.scoresMemory();
  Value packed = tb.flatten(buffers.inputs[0]);
  Value out = tb.flatten(buffers.outputs[0]);
  int64_t count = llvm::divideCeil(shape.sequence, tile.tokens);
  Value batchHead = tb.div(tb.block(), count);
  // Causal tiles cost more the later they are: these begin first.
  Value number = tb.rem(tb.block(), count);
  number = tb.sub(tb.index(count - 1), number);
  Value first = tb.mul(number, tile.tokens);
  Value head = tb.rem(batchHead, shape.heads);
  Value token = tb.mul(tb.div(batchHead, shape.heads), shape.sequence);
  Value start =
      tb.add(tb.mul(token, shape.columns), tb.mul(head, shape.headStride));
  auto rows = [&](int64_t which) {
    return TileBuilder::HeadRows{packed, tb.add(start, shape.column[which]),
                                 shape.columns};
  };
  int64_t hidden = shape.heads * shape.dim;
  TileBuilder::HeadRows outRows{
      out, tb.add(tb.mul(token, hidden), tb.mul(head, shape.dim)), hidden};
  if (shape.alibi)
    slope = tiles.slope(head);
  tiles.load(rows(0), first, queries, shape.scale * cpu::kLog2E);

  constexpr int64_t kRows = TileShape::kRows;
  SmallVector<Value> carried(kRows, tb.number(cpu::kMaskedScore));
  carried.append(kRows, tb.number(0));
  llvm::append_range(carried, tiles.zeros());
  Value end = tb.index(shape.sequence);
  if (shape.causal)
    end = tb.min(tb.add(first, tile.tokens), end);
  carried =
      tb.loop(tb.index(0), end, tile.tokens, carried,
              [&](Value key, ValueRange previous) {
                Softmax state{llvm::to_vector(previous.take_front(kRows)),
                              llvm::to_vector(previous.slice(kRows, kRows))};
                SmallVector<Value> sums(previous.drop_front(2 * kRows));
                tiles.load(rows(1), key, others);
                tb.barrier();
                SmallVector<Value> decays = emitScores(key, first, state);
                tb.barrier();
                tiles.load(rows(2), key, others);
                tb.barrier();
                for (auto [i, sum] : llvm::enumerate(sums))
                  sum = tb.mulf(sum, tb.splat(decays[i / tile.vectors()]));
                sums = tiles.accumulate(scores, others, sums);
                // The next keys take the place of these values.
                tb.barrier();
                SmallVector<Value> next(state.maximum);
                llvm::append_range(next, state.sum);
                llvm::append_range(next, sums);
                return next;
              });
  ArrayRef<Value> last = carried;
  Softmax state{llvm::to_vector(last.take_front(kRows)),
                llvm::to_vector(last.slice(kRows, kRows))};
  SmallVector<Value> factors;
  for (Value sum : state.sum)
    factors.push_back(tb.divf(tb.number(1), sum));
  tiles.store(last.drop_front(2 * kRows), factors, outRows, first);
  emitEnd(first, tb.mul(batchHead, shape.sequence), state);
}

namespace {

struct AttentionKernel
    : KernelOpInterface::ExternalModel<AttentionKernel, nn::AttentionOp> {
  SmallVector<Grid> getGrids(Operation *op) const {
    auto attention = cast<nn::AttentionOp>(op);
    TileShape tile = getTile(attention);
    int64_t tiles = llvm::divideCeil(attention.getSequence(), tile.tokens);
    return {{static_cast<int64_t>(attention.getBatch() * attention.getHeads()) *
                 tiles,
             tile.threads()}};
  }
  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    AttentionEmitter(cast<nn::AttentionOp>(op), tb, buffers).emit();
  }
};

} // namespace

void tessera::cuda::registerAttention(MLIRContext *context) {
  nn::AttentionOp::attachInterface<AttentionKernel>(*context);
}
