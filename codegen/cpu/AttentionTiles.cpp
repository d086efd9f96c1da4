//===- AttentionTiles.cpp - What attention and its gradient share *- C++ -*-==//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/AttentionTiles.h"

using namespace mlir;
using namespace tessera::codegen;
using namespace tessera::cpu;

Value tessera::cpu::emitAlibiSlope(VectorBuilder &vb, int64_t heads,
                                   Value head) {
  SmallVector<float> slopes;
  for (double slope : getAlibiSlopes(heads))
    slopes.push_back(slope * log2E);
  auto type = VectorType::get({heads}, vb.builder.getF32Type());
  Value table = arith::ConstantOp::create(
      vb.builder, vb.loc,
      DenseElementsAttr::get(type, ArrayRef<float>(slopes)));
  return vector::ExtractOp::create(vb.builder, vb.loc, table,
                                   ArrayRef<OpFoldResult>{head});
}

Value tessera::cpu::emitTokenMask(VectorBuilder &vb,
                                  const TiledAttention &shape, Value token,
                                  Value column, bool checkToken) {
  if (!checkToken && shape.dim == shape.paddedDim)
    return {};
  Value count = vb.sub(vb.index(shape.dim), column);
  if (checkToken) {
    Value exists =
        arith::CmpIOp::create(vb.builder, vb.loc, arith::CmpIPredicate::slt,
                              token, vb.index(shape.sequence));
    count =
        arith::SelectOp::create(vb.builder, vb.loc, exists, count, vb.index(0));
  }
  return vb.mask(count);
}

void tessera::cpu::emitPackRows(VectorBuilder &vb, const TiledAttention &shape,
                                HeadRows rows, Value first, int64_t count,
                                Value target, Value start) {
  bool checkToken = shape.sequence % count != 0;
  vb.loop(0, count, 1, [&](Value r) {
    Value token = vb.add(first, r);
    Value from = vb.add(rows.offset, vb.mul(token, rows.stride));
    Value to = vb.add(start, vb.mul(r, shape.paddedDim));
    for (int64_t c = 0; c < shape.paddedDim; c += vectorLanes) {
      Value mask = emitTokenMask(vb, shape, token, vb.index(c), checkToken);
      vb.store(vb.load(rows.buffer, vb.add(from, c), mask), target,
               vb.add(to, c));
    }
  });
}

void tessera::cpu::emitPackTransposed(VectorBuilder &vb,
                                      const TiledAttention &shape,
                                      HeadRows rows, Value first, int64_t lanes,
                                      double factor, Value target) {
  bool checkToken = shape.sequence % lanes != 0;
  vb.loop(0, lanes, vectorLanes, [&](Value lane) {
    vb.loop(0, shape.paddedDim, vectorLanes, [&](Value column) {
      SmallVector<Value> block;
      Value token = vb.add(first, lane);
      for (int64_t r = 0; r < vectorLanes; ++r) {
        Value row = vb.add(token, r);
        Value from =
            vb.add(vb.add(rows.offset, vb.mul(row, rows.stride)), column);
        Value value =
            vb.load(rows.buffer, from,
                    emitTokenMask(vb, shape, row, column, checkToken));
        block.push_back(factor == 1 ? value : vb.mulf(value, vb.splat(factor)));
      }
      block = vb.transpose(block);
      Value to = vb.add(vb.mul(column, lanes), lane);
      for (int64_t r = 0; r < vectorLanes; ++r)
        vb.store(block[r], target, vb.add(to, r * lanes));
    });
  });
}

void tessera::cpu::emitUnpackTransposed(VectorBuilder &vb,
                                        const TiledAttention &shape,
                                        Value source, int64_t lanes,
                                        Value factors, HeadRows rows,
                                        Value first) {
  bool checkToken = shape.sequence % lanes != 0;
  vb.loop(0, lanes, vectorLanes, [&](Value lane) {
    Value factor = vb.load(factors, lane);
    vb.loop(0, shape.paddedDim, vectorLanes, [&](Value column) {
      SmallVector<Value> block;
      Value from = vb.add(vb.mul(column, lanes), lane);
      for (int64_t r = 0; r < vectorLanes; ++r)
        block.push_back(
            vb.mulf(vb.load(source, vb.add(from, r * lanes)), factor));
      block = vb.transpose(block);
      Value token = vb.add(first, lane);
      for (int64_t r = 0; r < vectorLanes; ++r) {
        Value row = vb.add(token, r);
        Value to =
            vb.add(vb.add(rows.offset, vb.mul(row, rows.stride)), column);
        vb.store(block[r], rows.buffer, to,
                 emitTokenMask(vb, shape, row, column, checkToken));
      }
    });
  });
}

Value tessera::cpu::emitLaneNumbers(VectorBuilder &vb, int64_t vector) {
  SmallVector<int32_t> lanes;
  for (int64_t lane = 0; lane < vectorLanes; ++lane)
    lanes.push_back(vector * vectorLanes + lane);
  return arith::ConstantOp::create(
      vb.builder, vb.loc,
      DenseElementsAttr::get(vb.vectorType(vb.builder.getI32Type()),
                             ArrayRef<int32_t>(lanes)));
}

Value tessera::cpu::emitTileDropFactors(VectorBuilder &vb,
                                        const TiledAttention &shape,
                                        const HeadDraw &draw, Value key,
                                        Value query) {
  Value row = vb.toI32(vb.mul(key, roundUp(shape.sequence, 4) / 4));
  return emitDropFactors(
      vb, shape.rate, emitRandomRow(vb, draw.stream, row, draw.sample, query));
}

Value tessera::cpu::emitFirstKey(VectorBuilder &vb, const TiledAttention &shape,
                                 Value query) {
  if (!shape.hasWindow())
    return vb.index(0);
  Value first = vb.max(vb.sub(query, vb.index(shape.window - 1)), vb.index(0));
  return vb.mul(vb.div(first, blockRows), blockRows);
}

SmallVector<Value> tessera::cpu::emitMasked(VectorBuilder &vb,
                                            const TiledAttention &shape,
                                            Value key, Value query,
                                            ValueRange block, double other) {
  if (!shape.causal && shape.paddedKeys == shape.sequence)
    return llvm::to_vector(block);
  OpBuilder &b = vb.builder;
  auto compare = [&](arith::CmpIPredicate predicate, Value left, Value right) {
    return arith::CmpIOp::create(b, vb.loc, predicate, left, right).getResult();
  };
  Value last = vb.add(key, blockRows - 1);
  Value partly = compare(arith::CmpIPredicate::sgt, last,
                         shape.causal ? query : vb.index(shape.sequence - 1));
  if (shape.hasWindow()) {
    // The block's last query no longer sees its first key.
    Value lastQuery = vb.add(query, blockVectors * vectorLanes - 1);
    partly = arith::OrIOp::create(b, vb.loc, partly,
                                  compare(arith::CmpIPredicate::sge, lastQuery,
                                          vb.add(key, shape.window)));
  }
  auto branch = scf::IfOp::create(b, vb.loc, block.getTypes(), partly,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, vb.loc, block);
  b.setInsertionPointToStart(branch.thenBlock());
  SmallVector<Value> masked;
  for (auto [index, value] : llvm::enumerate(block)) {
    int64_t row = index / blockVectors, vector = index % blockVectors;
    Value visible;
    if (shape.causal) {
      Value lanes = emitLaneNumbers(vb, vector);
      Value first = vb.splat(vb.toI32(vb.sub(vb.add(key, row), query)));
      visible = compare(arith::CmpIPredicate::sge, lanes, first);
      if (shape.hasWindow()) {
        Value end = vb.add(vb.add(key, row), shape.window);
        Value seen = compare(arith::CmpIPredicate::slt, lanes,
                             vb.splat(vb.toI32(vb.sub(end, query))));
        visible = arith::AndIOp::create(b, vb.loc, visible, seen);
      }
    } else
      visible = vb.splat(compare(arith::CmpIPredicate::slt, vb.add(key, row),
                                 vb.index(shape.sequence)));
    masked.push_back(
        arith::SelectOp::create(b, vb.loc, visible, value, vb.splat(other)));
  }
  scf::YieldOp::create(b, vb.loc, masked);
  return llvm::map_to_vector(branch.getResults(),
                             [](OpResult result) -> Value { return result; });
}
