//===- Attention.cpp - The kernel of nn.attention ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attention with an online softmax over tiles of keys, rows of queries dealt to
// warps, so that no matmul needs what another warp has (Dao, arXiv
// 2307.08691); AttentionThread.h says how the tiles lie.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/AttentionThread.h"
#include "codegen/cuda/Kernels.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;
using codegen::AttentionShape;

namespace {

/// Keys of a tile: the scores take 32 registers at most.
constexpr int64_t kMostKeys = 64;

class AttentionEmitter : AttentionThread {
public:
  static AttentionTiling getTiling(nn::AttentionOp op) {
    return AttentionTiling::get(AttentionShape::get(op),
                                {op.getQkv().getType().getElementType()},
                                /*rowMatrices=*/1, kMostKeys);
  }

  AttentionEmitter(nn::AttentionOp op, ThreadBuilder &tb,
                   const KernelBuffers &buffers)
      : AttentionThread(tb, AttentionShape::get(op), getTiling(op),
                        /*rowsAreKeys=*/false),
        buffers(buffers) {}

  void emit() {
    Value packed = tb.flatten(buffers.inputs[0]);
    loadDraw(ValueRange(buffers.inputs).drop_front(1));
    Value queries = makeTile(tiling.rows());
    keys = {getPacked(packed, 1), makeTile(tiling.columns)};
    values = {getPacked(packed, 2), makeTile(tiling.columns)};
    copyTiles({{getPacked(packed, 0), queries}}, firstRow, tiling.rows());
    copyTiles({keys}, getBeginColumn(), tiling.columns);
    tb.barrier();

    // Sums of weighted values, the maximum of each row, and this lane's part of
    // the sum of its powers.
    SmallVector<Value> state = matmul.zero(shape.paddedDim);
    state.append(2, tb.number(codegen::kMaskedScore));
    state.append(2, tb.number(0));
    state = tb.loop(getBeginColumn(), getEndColumn(), tiling.columns, state,
                    [&](Value key, ValueRange carried) {
                      return emitTile(queries, key, carried);
                    });
    emitEnd(state);
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

  void emitEnd(ArrayRef<Value> state) {
    ArrayRef<Value> maximum = state.take_back(4);
    Value lse = tb.flatten(buffers.outputs[1]);
    Value factors[2];
    for (int64_t i : {0, 1}) {
      Value total =
          tb.combineWarp(state.take_back(2)[i], 4,
                         [&](Value a, Value b) { return tb.addf(a, b); });
      factors[i] = tb.divf(tb.number(1), total);
      Value exists = tb.isEqual(matmul.member, tb.index(0));
      if (shape.sequence % tiling.rows())
        exists = tb.both(exists, tb.isLess(row[i], tb.index(shape.sequence)));
      tb.onlyIf(exists, [&] {
        Value log = math::LogOp::create(tb.builder, tb.loc, total);
        tb.storeScalar(tb.fma(maximum[i], tb.number(codegen::kLn2), log), lse,
                       tb.add(tb.mul(batchHead, shape.sequence), row[i]));
      });
    }
    storeRows(state.drop_back(4), factors,
              getPlain(tb.flatten(buffers.outputs[0])));
  }

  const KernelBuffers &buffers;
  Copy keys, values;
};

struct AttentionKernel
    : KernelEmissionOpInterface::ExternalModel<AttentionKernel,
                                               nn::AttentionOp> {
  SmallVector<Grid> getGrids(Operation *op) const {
    auto attention = cast<nn::AttentionOp>(op);
    return {AttentionEmitter::getTiling(attention).getGrid(
        AttentionShape::get(attention), /*rowsAreKeys=*/false)};
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
