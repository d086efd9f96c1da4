//===- WarpProduct.cpp - Products of matrices by a warp ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/WarpProduct.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace tessera::cuda;

/// Numbers of a vector of fp32.
static constexpr int64_t kVector = 4;

WarpProduct::WarpProduct(ThreadBuilder &tb, Type element, int64_t dim)
    : dim(dim), stride(getStride(element, dim)), tb(tb) {
  lane = tb.rem(tb.thread(), kWarp);
  group = tb.div(lane, 4);
  member = tb.rem(lane, 4);
}

int64_t WarpProduct::getStride(Type element, int64_t dim) {
  return dim + kAccess * 8 / element.getIntOrFloatBitWidth();
}

WarpProduct::Fragments WarpProduct::zero(int64_t columns) {
  return Fragments(columns / kBlock * kNumbers, tb.number(0));
}

/// The \p i-th number of \p vector.
static Value extract(ThreadBuilder &tb, Value vector, int64_t i) {
  return vector::ExtractOp::create(tb.builder, tb.loc, vector, i);
}

WarpProduct::Fragments WarpProduct::multiply(Value a, Value row, Value b,
                                             int64_t columns) {
  llvm::SaveAndRestore restore(tb.lanes, kVector);
  Value rows[2], columnRow = tb.mul(tb.mul(member, 2), stride);
  for (int64_t i : {0, 1})
    rows[i] = tb.mul(tb.add(row, getRow(i)), stride);
  return tb.loop(
      tb.index(0), tb.index(dim), kVector, zero(columns),
      [&](Value d, ValueRange carried) {
        SmallVector<Value> sums(carried), left, right;
        for (Value start : rows)
          left.push_back(tb.load(a, tb.add(start, d)));
        Value start = tb.add(columnRow, d);
        for (int64_t c = 0; c < columns; c += kBlock)
          for (int64_t j : {0, 1})
            right.push_back(tb.load(b, tb.add(start, (c + j) * stride)));
        for (int64_t k = 0; k < kVector; ++k)
          for (auto [n, sum] : llvm::enumerate(sums)) {
            Value x = extract(tb, left[n % kNumbers / 2], k);
            Value y = extract(tb, right[n / kNumbers * 2 + n % 2], k);
            sum = tb.fma(x, y, sum);
          }
        return sums;
      });
}

Value WarpProduct::getSumColumn(int64_t block) {
  // A lane's columns of two blocks are one vector of memory.
  return tb.add(tb.mul(member, kVector),
                block / 2 * (2 * kBlock) + block % 2 * 2);
}

WarpProduct::Fragments WarpProduct::accumulate(ArrayRef<Value> weights, Value b,
                                               ValueRange previous) {
  llvm::SaveAndRestore restore(tb.lanes, kVector);
  Fragments sums(previous);
  Value start = tb.mul(member, kVector);
  Value first = tb.mul(group, 4);
  int64_t columns = weights.size() / kNumbers * kBlock;
  for (int64_t k = 0; k < columns; ++k) {
    // Column k of W is with one lane of the four that have its rows.
    Value source = tb.toI32(tb.add(first, k % kBlock / 2));
    Value weight[2];
    for (int64_t i : {0, 1})
      weight[i] =
          tb.shuffle(weights[k / kBlock * kNumbers + 2 * i + k % 2], source);
    for (int64_t d = 0; d < dim; d += 2 * kBlock) {
      Value row = tb.load(b, tb.add(start, k * stride + d));
      for (int64_t c = 0; c < kVector; ++c) {
        Value number = extract(tb, row, c);
        for (int64_t i : {0, 1}) {
          Value &sum = sums[(d / kBlock + c / 2) * kNumbers + 2 * i + c % 2];
          sum = tb.fma(weight[i], number, sum);
        }
      }
    }
  }
  return sums;
}
