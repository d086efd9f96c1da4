//===- Attention.cpp - Attention by tiles -----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attention with an online softmax over tiles of keys, rows of queries dealt to
// warps, so that no matmul needs what another warp has (Dao, arXiv
// 2307.08691); AttentionThread.h says how the tiles lie. Attention of a slot's
// tokens to what a cache keeps of it is the same, but for where keys and values
// lie and for the tokens before the queries.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/AttentionThread.h"
#include "codegen/cuda/Kernels.h"
#include "codegen/cuda/SlotAttention.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;
using codegen::AttentionShape;
using codegen::HeadRows;

namespace {

/// Keys of a tile: the scores take 32 registers at most.
constexpr int64_t mostKeys = 64;

AttentionTiling getTiling(const AttentionShape &shape, Type element) {
  return AttentionTiling::get(shape, {element}, /*rowMatrices=*/1, mostKeys);
}

/// What both kernels are.
class AttentionEmitter : protected AttentionThread {
protected:
  AttentionEmitter(ThreadBuilder &tb, const AttentionShape &shape, Type element)
      : AttentionThread(tb, shape, getTiling(shape, element),
                        /*rowsAreKeys=*/false) {}

  /// Copies the queries from \p from, goes over all tiles of keys and values,
  /// and gives the sums of weighted values, the maximum of each row, and this
  /// lane's part of the sum of its powers.
  SmallVector<Value> emitTiles(HeadRows queryRows, HeadRows keyRows,
                               HeadRows valueRows) {
    Value queries = makeTile(tiling.rows());
    keys = {keyRows, makeTile(tiling.columns)};
    values = {valueRows, makeTile(tiling.columns)};
    copyTiles({{queryRows, queries}}, firstRow, tiling.rows());
    copyTiles({keys}, getBeginColumn(), tiling.columns);
    tb.barrier();

    SmallVector<Value> state = matmul.zero(shape.paddedDim);
    state.append(2, tb.number(codegen::maskedScore));
    state.append(2, tb.number(0));
    return tb.loop(getBeginColumn(), getEndColumn(), tiling.columns, state,
                   [&](Value key, ValueRange carried) {
                     return emitTile(queries, key, carried);
                   });
  }

  /// The total of row number \p i of this lane.
  Value getTotal(ArrayRef<Value> state, int64_t i) {
    return tb.combineWarp(state.take_back(2)[i], 4,
                          [&](Value a, Value b) { return tb.addf(a, b); });
  }

private:
  /// The keys of the tile are in shared memory. Its values come while scores
  /// are computed, and the next keys while values are summed.
  SmallVector<Value> emitTile(Value queries, Value key, ValueRange carried) {
    Pending nextValues = startCopy({values}, key);
    SmallVector<Value> state(carried);
    MutableArrayRef<Value> all(state), sums = all.drop_back(4);
    MutableArrayRef<Value> maximum = all.take_back(4).take_front(2);
    MutableArrayRef<Value> total = all.take_back(2);
    WarpMatmul::Fragments scores =
        matmul.multiply(queries, warpRow, keys.to, tiling.columns);
    finishScores(key, scores);
    for (int64_t i : {0, 1}) {
      // One instruction, as NaN may be lost: the powers have it again.
      auto larger = [&](Value a, Value b) -> Value {
        return arith::MaxNumFOp::create(tb.builder, tb.loc, a, b);
      };
      Value largest = maximum[i];
      for (size_t n = 2 * i; n < scores.size(); n += n % 2 ? 3 : 1)
        largest = larger(largest, scores[n]);
      largest = tb.combineWarp(largest, 4, larger);
      Value decay = emitExp2(tb, tb.subf(maximum[i], largest));
      maximum[i] = largest;
      total[i] = tb.mulf(total[i], decay);
      for (size_t n = 2 * i; n < scores.size(); n += n % 2 ? 3 : 1) {
        scores[n] = emitExp2(tb, tb.subf(scores[n], largest));
        total[i] = tb.addf(total[i], scores[n]);
      }
      for (size_t n = 2 * i; n < sums.size(); n += n % 2 ? 3 : 1)
        sums[n] = tb.mulf(sums[n], decay);
    }
    if (shape.dropout)
      for (auto [score, factor] : llvm::zip(scores, getDropFactors(key)))
        score = tb.mulf(score, factor);
    finishCopy(nextValues);
    tb.barrier();
    Pending nextKeys = startCopy({keys}, getNextColumn(key));
    llvm::copy(matmul.accumulate(scores, values.to, sums), sums.begin());
    finishCopy(nextKeys);
    tb.barrier();
    return state;
  }

  Copy keys, values;
};

/// nn.attention.
class TextAttentionEmitter : AttentionEmitter {
public:
  TextAttentionEmitter(nn::AttentionOp op, ThreadBuilder &tb,
                       const KernelBuffers &buffers)
      : AttentionEmitter(tb, AttentionShape::get(op),
                         op.getQkv().getType().getElementType()),
        buffers(buffers) {}

  void emit() {
    Value packed = tb.flatten(buffers.inputs[0]);
    loadDraw(ValueRange(buffers.inputs).drop_front(1));
    emitEnd(emitTiles(getPacked(packed, 0), getPacked(packed, 1),
                      getPacked(packed, 2)));
  }

private:
  void emitEnd(ArrayRef<Value> state) {
    ArrayRef<Value> maximum = state.take_back(4);
    Value lse = tb.flatten(buffers.outputs[1]);
    Value factors[2];
    for (int64_t i : {0, 1}) {
      Value total = getTotal(state, i);
      factors[i] = tb.divf(tb.number(1), total);
      Value exists = tb.isEqual(matmul.member, tb.index(0));
      if (shape.sequence % tiling.rows())
        exists = tb.both(exists, tb.isLess(row[i], tb.index(shape.sequence)));
      tb.onlyIf(exists, [&] {
        Value log = math::LogOp::create(tb.builder, tb.loc, total);
        tb.storeScalar(tb.fma(maximum[i], tb.number(codegen::ln2), log), lse,
                       tb.add(tb.mul(batchHead, shape.sequence), row[i]));
      });
    }
    storeRows(state.drop_back(4), factors,
              getPlain(tb.flatten(buffers.outputs[0])));
  }

  const KernelBuffers &buffers;
};

/// The shape of the attention of one text of all positions that a slot has.
AttentionShape getSlotShape(nn::CachedAttentionOp op) {
  AttentionShape s = {};
  s.batch = 1;
  s.heads = op.getHeads();
  s.sequence = op.getSlotLength();
  s.dim = op.getHeadDim();
  s.kvHeads = op.getKeyHeads();
  s.group = s.heads / s.kvHeads;
  s.window = std::min<int64_t>(op.getWindow().value_or(s.sequence), s.sequence);
  s.columns = op.getQkv().getType().getDimSize(1);
  for (int64_t which : {0, 1, 2})
    s.column[which] = op.getColumn(which);
  s.headStride = op.getHeadStride();
  s.causal = true;
  s.alibi = op.getAlibi();
  s.scale = op.getScale().convertToDouble();
  s.paddedDim = codegen::roundUp(s.dim, codegen::vectorLanes);
  return s;
}

class SlotAttentionEmitter : AttentionEmitter {
public:
  SlotAttentionEmitter(nn::CachedAttentionOp op, ThreadBuilder &tb,
                       const KernelBuffers &buffers)
      : AttentionEmitter(tb, getSlotShape(op),
                         op.getQkv().getType().getElementType()),
        op(op), buffers(buffers) {}

  void emit() {
    auto first = [&](unsigned input) {
      return tb.toIndex(
          tb.loadScalar(tb.flatten(buffers.inputs[input]), tb.index(0)));
    };
    Value slot = first(2), origin = first(3);
    Value count = tb.min(first(4), tb.index(op.getRows()));
    restrict(origin, count);
    tb.onlyIf(tb.isLess(firstRow, tb.add(origin, count)), [&] {
      Value qkv = tb.flatten(buffers.inputs[0]);
      SmallVector<Value> state =
          emitTiles(getPacked(qkv, 0), getCached(slot, 0), getCached(slot, 1));
      Value factors[2];
      for (int64_t i : {0, 1})
        factors[i] = tb.divf(tb.number(1), getTotal(state, i));
      storeRows(ArrayRef(state).drop_back(4), factors,
                getPlain(tb.flatten(buffers.outputs[0])));
    });
  }

private:
  /// The keys (0) or values (1) of the slot's head.
  HeadRows getCached(Value slot, int64_t which) {
    Value first = tb.add(slot, which * op.getSlotCount());
    first = tb.add(tb.mul(first, shape.kvHeads), kvHead);
    return {tb.flatten(buffers.inputs[1]),
            tb.mul(first, shape.sequence * shape.dim), shape.dim};
  }

  nn::CachedAttentionOp op;
  const KernelBuffers &buffers;
};

struct AttentionKernel
    : KernelEmissionOpInterface::ExternalModel<AttentionKernel,
                                               nn::AttentionOp> {
  SmallVector<Grid> getGrids(Operation *op) const {
    auto attention = cast<nn::AttentionOp>(op);
    AttentionShape shape = AttentionShape::get(attention);
    return {getTiling(shape, attention.getQkv().getType().getElementType())
                .getGrid(shape, /*rowsAreKeys=*/false)};
  }
  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    TextAttentionEmitter(cast<nn::AttentionOp>(op), tb, buffers).emit();
  }
};

} // namespace

Grid cuda::getSlotAttentionGrid(nn::CachedAttentionOp op) {
  AttentionShape shape = getSlotShape(op);
  Grid grid = getTiling(shape, op.getQkv().getType().getElementType())
                  .getGrid(shape, /*rowsAreKeys=*/false, op.getRows());
  // Where the tokens begin and end takes registers, too.
  grid.resident = std::min<int64_t>(grid.resident, 2);
  return grid;
}

void cuda::emitSlotAttention(nn::CachedAttentionOp op, ThreadBuilder &tb,
                             const KernelBuffers &buffers) {
  SlotAttentionEmitter(op, tb, buffers).emit();
}

void tessera::cuda::registerAttention(MLIRContext *context) {
  nn::AttentionOp::attachInterface<AttentionKernel>(*context);
}
