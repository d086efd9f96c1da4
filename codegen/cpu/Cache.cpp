//===- Cache.cpp - Kernels of a cache of keys and values --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Iterations are pairs of a key head and a row, rows being innermost: of rows
// only the first are there, so that threads get heads, not rows.
//
// Attention takes a block of keys at a time, with an online softmax (Dao et
// al., arXiv 2205.14135): a score a key, its lanes along the head; then a lane
// a key for the softmax; then again lanes along the head for the values. Blocks
// begin at multiples of their size, counted from the text's beginning, so that
// a row's sums have the same order wherever it is computed.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/AttentionTiles.h"
#include "codegen/cpu/Kernels.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

/// Keys of a block, whole vectors of scores.
constexpr int64_t kKeys = 64;

/// Where the operands of an operation on a cache lie.
template <typename Op> class CachedRows {
public:
  CachedRows(Op op, KernelBody &body)
      : vb(body.builder, body.loc), op(op), body(body), rows(op.getRows()),
        dim(op.getHeadDim()), columns(op.getQkv().getType().getDimSize(1)),
        vectors(llvm::divideCeil(dim, kLanes)) {
    qkv = vb.flatten(body.inputs[0]);
    slots = vb.flatten(body.inputs[2]);
    positions = vb.flatten(body.inputs[3]);
    Value read =
        vb.toIndex(vb.loadScalar(vb.flatten(body.inputs[4]), vb.index(0)));
    count = vb.min(read, vb.index(rows));
  }

  static int64_t getIterations(Op op) {
    return op.getKeyHeads() * op.getRows();
  }

protected:
  /// Calls \p emit(head, row) for the iterations whose rows are there.
  void forRows(function_ref<void(Value, Value)> emit) {
    vb.loop(body.begin, body.end, 1, [&](Value iteration) {
      Value head = vb.div(iteration, rows), row = vb.rem(iteration, rows);
      Value isThere = arith::CmpIOp::create(
          vb.builder, vb.loc, arith::CmpIPredicate::slt, row, count);
      auto guard = scf::IfOp::create(vb.builder, vb.loc, isThere,
                                     /*withElseRegion=*/false);
      OpBuilder::InsertionGuard insertion(vb.builder);
      vb.builder.setInsertionPointToStart(guard.thenBlock());
      emit(head, row);
    });
  }

  Value read(Value numbers, Value row) {
    return vb.toIndex(vb.loadScalar(numbers, row));
  }
  /// The column of head \p head's queries, keys or values in row \p row.
  Value locate(Value row, Value head, int64_t which) {
    return vb.add(vb.add(vb.mul(row, columns), op.getColumn(which)),
                  vb.mul(head, op.getHeadStride()));
  }
  /// Position 0 of the keys (0) or values (1) of a slot's head.
  Value locateCached(Value slot, Value head, int64_t which) {
    int64_t context = op.getSlotLength(), keyHeads = op.getKeyHeads();
    Value first = vb.add(slot, which * op.getSlotCount());
    return vb.mul(vb.add(vb.mul(first, keyHeads), head), context * dim);
  }
  /// The mask of vector \p v of a head; null where all lanes are wanted.
  Value mask(int64_t v) { return vb.mask(dim - v * kLanes); }
  /// A head's vectors from \p start on, zero past its end.
  SmallVector<Value> loadHead(Value buffer, Value start) {
    SmallVector<Value> result;
    for (int64_t v = 0; v < vectors; ++v)
      result.push_back(vb.load(buffer, vb.add(start, v * kLanes), mask(v)));
    return result;
  }

  VectorBuilder vb;
  Op op;
  KernelBody &body;
  int64_t rows, dim, columns, vectors;
  Value qkv, slots, positions, count;
};

class CacheWriteEmitter : CachedRows<nn::CacheWriteOp> {
public:
  using CachedRows::CachedRows;
  using CachedRows::getIterations;

  void emit() {
    Value cache = vb.flatten(body.outputs[0]);
    forRows([&](Value head, Value row) {
      Value slot = read(slots, row);
      Value offset = vb.mul(read(positions, row), dim);
      for (int64_t which : {0, 1}) {
        Value to = vb.add(locateCached(slot, head, which), offset);
        SmallVector<Value> values = loadHead(qkv, locate(row, head, which + 1));
        for (auto [v, value] : llvm::enumerate(values))
          vb.store(value, cache, vb.add(to, v * kLanes), mask(v));
      }
    });
  }
};

class CachedAttentionEmitter : CachedRows<nn::CachedAttentionOp> {
public:
  CachedAttentionEmitter(nn::CachedAttentionOp op, KernelBody &body)
      : CachedRows(op, body), group(op.getHeads() / op.getKeyHeads()) {}
  using CachedRows::getIterations;

  static int64_t getScratchBytes(nn::CachedAttentionOp op) {
    int64_t padded = roundUp(op.getHeadDim(), kLanes);
    int64_t group = op.getHeads() / op.getKeyHeads();
    return (group * (2 * padded + 2 * kLanes) + kKeys) *
           static_cast<int64_t>(sizeof(float));
  }

  void emit() {
    cache = vb.flatten(body.inputs[1]);
    int64_t offset = 0;
    int64_t padded = vectors * kLanes;
    queries = vb.carve(body.scratch, offset, group * padded);
    sums = vb.carve(body.scratch, offset, group * padded);
    maxima = vb.carve(body.scratch, offset, group * kLanes);
    totals = vb.carve(body.scratch, offset, group * kLanes);
    scores = vb.carve(body.scratch, offset, kKeys);
    forRows([&](Value head, Value row) { emitRow(head, row); });
  }

private:
  /// The queries that share the key head \p head.
  void emitRow(Value head, Value row) {
    Value slot = read(slots, row);
    position = read(positions, row);
    keys = locateCached(slot, head, 0);
    values = locateCached(slot, head, 1);
    Value firstQuery = vb.mul(head, group);
    vb.loop(0, group, 1, [&](Value g) { emitBegin(row, firstQuery, g); });
    first = vb.index(0);
    if (op.getWindow())
      first = vb.max(vb.add(vb.sub(position, vb.index(*op.getWindow())), 1),
                     vb.index(0));
    Value begin = vb.mul(vb.div(first, kKeys), kKeys);
    Value end = vb.add(position, 1);
    vb.loop(begin, end, kKeys, [&](Value block) {
      Value there = vb.min(vb.sub(end, block), vb.index(kKeys));
      vb.loop(0, group, 1, [&](Value g) {
        emitBlock(block, there, vb.add(firstQuery, g), g);
      });
    });
    vb.loop(0, group, 1, [&](Value g) { emitEnd(row, firstQuery, g); });
  }

  void emitBegin(Value row, Value firstQuery, Value g) {
    Value query = locate(row, vb.add(firstQuery, g), 0);
    Value at = vb.mul(g, vectors * kLanes);
    double scale = op.getScale().convertToDouble() * kLog2E;
    for (auto [v, value] : llvm::enumerate(loadHead(qkv, query))) {
      Value place = vb.add(at, v * kLanes);
      vb.store(vb.mulf(value, vb.splat(scale)), queries, place);
      vb.store(vb.splat(0.0), sums, place);
    }
    Value lanes = vb.mul(g, kLanes);
    vb.store(vb.splat(kMaskedScore), maxima, lanes);
    vb.store(vb.splat(0.0), totals, lanes);
  }

  /// Query \p g of the group, head \p head, with keys [block, block + there).
  void emitBlock(Value block, Value there, Value head, Value g) {
    Value at = vb.mul(g, vectors * kLanes), lanes = vb.mul(g, kLanes);
    SmallVector<Value> query;
    for (int64_t v = 0; v < vectors; ++v)
      query.push_back(vb.load(queries, vb.add(at, v * kLanes)));
    Value firstKey = vb.add(keys, vb.mul(block, dim));
    vb.loop(vb.index(0), there, 1, [&](Value j) {
      Value sum;
      SmallVector<Value> key =
          loadHead(cache, vb.add(firstKey, vb.mul(j, dim)));
      for (auto [q, k] : llvm::zip(query, key))
        sum = sum ? vb.fma(q, k, sum) : vb.mulf(q, k);
      vb.storeScalar(vb.sum(sum), scores, j);
    });

    Value oldMaximum = vb.load(maxima, lanes);
    SmallVector<Value> score = emitBiased(block, head);
    Value largest = oldMaximum;
    for (Value s : score)
      largest = vb.maxf(s, largest);
    Value maximum = vb.splat(vector::ReductionOp::create(
        vb.builder, vb.loc, vector::CombiningKind::MAXNUMF, largest));
    Value decay = vb.exp2(vb.subf(oldMaximum, maximum));
    Value total = vb.mulf(vb.load(totals, lanes), decay);
    for (auto [v, s] : llvm::enumerate(score)) {
      Value weight = vb.exp2(vb.subf(s, maximum));
      vb.store(weight, scores, vb.index(v * kLanes));
      total = vb.addf(total, weight);
    }
    vb.store(maximum, maxima, lanes);
    vb.store(total, totals, lanes);

    SmallVector<Value> sum;
    for (int64_t v = 0; v < vectors; ++v)
      sum.push_back(vb.mulf(vb.load(sums, vb.add(at, v * kLanes)), decay));
    Value firstValue = vb.add(values, vb.mul(block, dim));
    sum = vb.loop(vb.index(0), there, 1, sum, [&](Value j, ValueRange old) {
      SmallVector<Value> next;
      Value weight = vb.splat(vb.loadScalar(scores, j));
      SmallVector<Value> value =
          loadHead(cache, vb.add(firstValue, vb.mul(j, dim)));
      for (auto [o, v] : llvm::zip(old, value))
        next.push_back(vb.fma(weight, v, o));
      return next;
    });
    for (auto [v, value] : llvm::enumerate(sum))
      vb.store(value, sums, vb.add(at, v * kLanes));
  }

  /// A block's scores, a lane a key, with ALiBi's bias; those of keys that the
  /// query does not see are masked.
  SmallVector<Value> emitBiased(Value block, Value head) {
    OpBuilder &b = vb.builder;
    Value slope;
    if (op.getAlibi())
      slope = vb.splat(emitAlibiSlope(vb, op.getHeads(), head));
    auto isBelow = [&](Value x, Value y, arith::CmpIPredicate predicate) {
      return arith::CmpIOp::create(b, vb.loc, predicate, x, y).getResult();
    };
    Value last = vb.splat(vb.toI32(position));
    SmallVector<Value> result;
    for (int64_t v = 0; v < kKeys / kLanes; ++v) {
      Value key = vb.add(vb.splat(vb.toI32(block)), emitLaneNumbers(vb, v));
      Value score = vb.load(scores, vb.index(v * kLanes));
      if (slope) {
        Value distance =
            vb.toF32(arith::SubIOp::create(b, vb.loc, key, last).getResult());
        score = vb.fma(distance, slope, score);
      }
      Value seen = isBelow(key, last, arith::CmpIPredicate::sle);
      if (op.getWindow())
        seen = arith::AndIOp::create(
            b, vb.loc, seen,
            isBelow(key, vb.splat(vb.toI32(first)), arith::CmpIPredicate::sge));
      result.push_back(arith::SelectOp::create(b, vb.loc, seen, score,
                                               vb.splat(kMaskedScore)));
    }
    return result;
  }

  void emitEnd(Value row, Value firstQuery, Value g) {
    Value out = vb.flatten(body.outputs[0]);
    Value head = vb.add(firstQuery, g);
    Value to = vb.add(vb.mul(row, static_cast<int64_t>(op.getHeads()) * dim),
                      vb.mul(head, dim));
    Value total = vb.splat(vb.sum(vb.load(totals, vb.mul(g, kLanes))));
    Value at = vb.mul(g, vectors * kLanes);
    for (int64_t v = 0; v < vectors; ++v)
      vb.store(vb.divf(vb.load(sums, vb.add(at, v * kLanes)), total), out,
               vb.add(to, v * kLanes), mask(v));
  }

  int64_t group; ///< queries that share a key head
  Value cache, queries, sums, maxima, totals, scores;
  Value position, first, keys, values;
};

struct CacheWriteKernel
    : KernelEmissionOpInterface::ExternalModel<CacheWriteKernel,
                                               nn::CacheWriteOp> {
  int64_t getIterations(Operation *op) const {
    return CacheWriteEmitter::getIterations(cast<nn::CacheWriteOp>(op));
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    CacheWriteEmitter(cast<nn::CacheWriteOp>(op), body).emit();
  }
};

struct CachedAttentionKernel
    : KernelEmissionOpInterface::ExternalModel<CachedAttentionKernel,
                                               nn::CachedAttentionOp> {
  int64_t getIterations(Operation *op) const {
    return CachedAttentionEmitter::getIterations(
        cast<nn::CachedAttentionOp>(op));
  }
  int64_t getScratchBytes(Operation *op) const {
    return CachedAttentionEmitter::getScratchBytes(
        cast<nn::CachedAttentionOp>(op));
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    CachedAttentionEmitter(cast<nn::CachedAttentionOp>(op), body).emit();
  }
};

} // namespace

void tessera::cpu::registerCache(MLIRContext *context) {
  nn::CacheWriteOp::attachInterface<CacheWriteKernel>(*context);
  nn::CachedAttentionOp::attachInterface<CachedAttentionKernel>(*context);
}
