//===- AttentionTiles.cpp - What attention and its gradient share *- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/AttentionTiles.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;

/// Bytes of shared memory of a block, without asking for more.
static constexpr int64_t kSharedBytes = 48 << 10;

TileShape::TileShape(int64_t headDim, int64_t tiles, int64_t scores) {
  dim = llvm::alignTo(headDim, kVector);
  stride = dim + kVector;
  for (tokens = 32;; tokens /= 2) {
    scoreStride = tokens + kVector;
    int64_t elements = tiles * tokens * stride + scores * tokens * scoreStride;
    if (elements * 4 <= kSharedBytes || tokens == kRows)
      break;
  }
  across = std::min<int64_t>(16, tokens);
  down = tokens / kRows;
}

TileBuilder::TileBuilder(ThreadBuilder &tb, const cpu::AttentionShape &shape,
                         const TileShape &tile)
    : tb(tb), shape(shape), tile(tile) {
  tb.lanes = TileShape::kVector;
  x = tb.rem(tb.thread(), tile.across);
  y = tb.div(tb.thread(), tile.across);
  firstRow = tb.mul(y, TileShape::kRows);
}

Value TileBuilder::tokensMemory() {
  return tb.shared(tile.tokens * tile.stride, tb.builder.getF32Type());
}

Value TileBuilder::scoresMemory() {
  return tb.shared(tile.tokens * tile.scoreStride, tb.builder.getF32Type());
}

void TileBuilder::load(HeadRows rows, Value first, Value memory,
                       double factor) {
  // A head's columns begin at multiples of its dimension.
  int64_t width = shape.dim % TileShape::kVector == 0 ? TileShape::kVector : 1;
  int64_t across = tile.dim / width, all = tile.tokens * across;
  tb.loop(tb.thread(), tb.index(all), tile.threads(), [&](Value i) {
    Value token = tb.div(i, across), column = tb.mul(tb.rem(i, across), width);
    Value from = tb.min(tb.add(first, token), tb.index(shape.sequence - 1));
    from = tb.add(rows.offset,
                  tb.add(arith::MulIOp::create(tb.builder, tb.loc, from,
                                               tb.index(rows.stride)),
                         column));
    Value to = tb.add(tb.mul(token, tile.stride), column);
    tb.lanes = width;
    Value values;
    if (shape.dim == tile.dim) {
      values = tb.load(rows.buffer, from);
    } else {
      Value exists = tb.isLess(column, tb.index(shape.dim));
      from = tb.select(exists, from, tb.sub(from, column));
      values = tb.select(exists, tb.load(rows.buffer, from), tb.splat(0.0));
    }
    if (factor != 1)
      values = tb.mulf(values, tb.splat(factor));
    tb.store(values, memory, to);
    tb.lanes = TileShape::kVector;
  });
}

SmallVector<Value> TileBuilder::multiply(Value a, Value b) {
  int64_t columns = tile.columns();
  SmallVector<Value> rowStarts, columnStarts;
  for (int64_t i = 0; i < TileShape::kRows; ++i)
    rowStarts.push_back(tb.mul(row(i), tile.stride));
  for (int64_t j = 0; j < columns; ++j)
    columnStarts.push_back(tb.mul(column(j), tile.stride));
  SmallVector<Value> sums(TileShape::kRows * columns, tb.splat(0.0));
  sums = tb.loop(tb.index(0), tb.index(tile.dim), TileShape::kVector, sums,
                 [&](Value d, ValueRange carried) {
                   SmallVector<Value> next(carried), left, right;
                   for (Value start : rowStarts)
                     left.push_back(tb.load(a, tb.add(start, d)));
                   for (Value start : columnStarts)
                     right.push_back(tb.load(b, tb.add(start, d)));
                   for (int64_t i = 0; i < TileShape::kRows; ++i)
                     for (int64_t j = 0; j < columns; ++j) {
                       Value &sum = next[i * columns + j];
                       sum = tb.fma(left[i], right[j], sum);
                     }
                   return next;
                 });
  for (Value &sum : sums) {
    Value total = vector::ExtractOp::create(tb.builder, tb.loc, sum, 0);
    for (int64_t lane = 1; lane < TileShape::kVector; ++lane)
      total = tb.addf(total,
                      vector::ExtractOp::create(tb.builder, tb.loc, sum, lane));
    sum = total;
  }
  return sums;
}

void TileBuilder::storeScores(ValueRange scores, Value memory) {
  for (int64_t i = 0; i < TileShape::kRows; ++i)
    for (int64_t j = 0; j < tile.columns(); ++j)
      memref::StoreOp::create(
          tb.builder, tb.loc, scores[i * tile.columns() + j], memory,
          tb.add(tb.mul(row(i), tile.scoreStride), column(j)));
}

std::pair<Value, Value> TileBuilder::headColumn(int64_t j) {
  Value number = tb.add(x, j * tile.across);
  int64_t all = tile.dim / TileShape::kVector;
  if ((j + 1) * tile.across <= all)
    return {tb.mul(number, TileShape::kVector), {}};
  Value exists = tb.isLess(number, tb.index(all));
  number = tb.min(number, tb.index(all - 1));
  return {tb.mul(number, TileShape::kVector), exists};
}

SmallVector<Value> TileBuilder::accumulate(Value scores, Value tokens,
                                           ValueRange sums) {
  SmallVector<Value> columns;
  for (int64_t j = 0; j < tile.vectors(); ++j)
    columns.push_back(headColumn(j).first);
  return tb.loop(
      tb.index(0), tb.index(tile.tokens), TileShape::kVector, sums,
      [&](Value token, ValueRange carried) {
        SmallVector<Value> next(carried), weights;
        for (int64_t i = 0; i < TileShape::kRows; ++i)
          weights.push_back(
              tb.load(scores, tb.add(tb.mul(row(i), tile.scoreStride), token)));
        for (int64_t t = 0; t < TileShape::kVector; ++t) {
          Value start = tb.mul(tb.add(token, t), tile.stride);
          for (auto [j, column] : llvm::enumerate(columns)) {
            Value values = tb.load(tokens, tb.add(start, column));
            for (int64_t i = 0; i < TileShape::kRows; ++i) {
              Value weight = tb.splat(Value(vector::ExtractOp::create(
                  tb.builder, tb.loc, weights[i], t)));
              Value &sum = next[i * tile.vectors() + j];
              sum = tb.fma(weight, values, sum);
            }
          }
        }
        return next;
      });
}

void TileBuilder::store(ValueRange sums, ValueRange factors, HeadRows rows,
                        Value first) {
  for (int64_t i = 0; i < TileShape::kRows; ++i) {
    Value token = tb.add(first, row(i)), exists;
    if (shape.sequence % tile.tokens)
      exists = tb.isLess(token, tb.index(shape.sequence));
    Value start = tb.add(rows.offset, tb.mul(token, rows.stride));
    for (int64_t j = 0; j < tile.vectors(); ++j) {
      auto [column, isThere] = headColumn(j);
      tb.onlyIf(tb.both(exists, isThere), [&, column = column] {
        Value values =
            tb.mulf(sums[i * tile.vectors() + j], tb.splat(factors[i]));
        Value place = tb.add(start, column);
        if (shape.dim % TileShape::kVector == 0)
          return tb.store(values, rows.buffer, place);
        for (int64_t lane = 0; lane < TileShape::kVector; ++lane)
          tb.onlyIf(tb.isLess(tb.add(column, lane), tb.index(shape.dim)), [&] {
            tb.storeScalar(
                vector::ExtractOp::create(tb.builder, tb.loc, values, lane),
                rows.buffer, tb.add(place, lane));
          });
      });
    }
  }
}

SmallVector<Value> TileBuilder::zeros() {
  return SmallVector<Value>(TileShape::kRows * tile.vectors(), tb.splat(0.0));
}

Value TileBuilder::exp2(Value exponent) {
  return math::Exp2Op::create(tb.builder, tb.loc, exponent);
}

Value TileBuilder::slope(Value head) {
  // The formula of cpu::getAlibiSlopes: a table would lie in slow memory.
  int64_t power = llvm::bit_floor(static_cast<uint64_t>(shape.heads));
  Value number = tb.toF32(tb.toI32(head));
  auto line = [&](double first, double step) {
    return tb.addf(tb.mulf(number, tb.number(step)), tb.number(first));
  };
  Value exponent = line(-8.0 / power, -8.0 / power);
  if (power < shape.heads)
    exponent = tb.select(tb.isLess(head, tb.index(power)), exponent,
                         line(-4.0 / power * (1 - 2 * power), -8.0 / power));
  return tb.mulf(exp2(exponent), tb.number(cpu::kLog2E));
}

Value TileBuilder::isVisible(Value query, Value key) {
  Value visible;
  if (shape.sequence % tile.tokens) {
    visible = tb.both(tb.isLess(query, tb.index(shape.sequence)),
                      tb.isLess(key, tb.index(shape.sequence)));
  }
  if (shape.causal)
    visible = tb.both(visible, tb.isLess(key, tb.add(query, 1)));
  return visible;
}
