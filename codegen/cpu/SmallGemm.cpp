//===- SmallGemm.cpp - Matmuls of tiles in cache ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/SmallGemm.h"

using namespace mlir;
using namespace tessera::codegen;
using namespace tessera::cpu;

SmallVector<Value> tessera::cpu::emitBlock(VectorBuilder &vb, int64_t rows,
                                           int64_t vectors, Value begin,
                                           Value end, int64_t unroll, Matrix a,
                                           Matrix b, ValueRange sums) {
  return vb.loop(begin, end, unroll, sums, [&](Value k, ValueRange values) {
    SmallVector<Value> next(values);
    Value aStart = vb.add(a.offset, vb.mul(k, a.column));
    Value bStart = vb.add(b.offset, vb.mul(k, b.row));
    for (int64_t step = 0; step < unroll; ++step) {
      SmallVector<Value> columns;
      for (int64_t v = 0; v < vectors; ++v)
        columns.push_back(
            vb.load(b.buffer, vb.add(bStart, step * b.row + v * vectorLanes)));
      for (int64_t r = 0; r < rows; ++r) {
        Value element = vb.splat(vb.loadScalar(
            a.buffer, vb.add(aStart, r * a.row + step * a.column)));
        for (int64_t v = 0; v < vectors; ++v) {
          Value &sum = next[r * vectors + v];
          sum = vb.fma(element, columns[v], sum);
        }
      }
    }
    return next;
  });
}

void tessera::cpu::emitTileMatmul(VectorBuilder &vb, int64_t rows,
                                  int64_t vectors, Value begin, Value end,
                                  int64_t unroll, Matrix a, Matrix b, Matrix c,
                                  ValueRange scales) {
  // One block of the result: its first row and column, its sizes.
  auto emit = [&](Value row, int64_t height, Value column, int64_t width) {
    Matrix aBlock = a, bBlock = b;
    aBlock.offset = vb.add(a.offset, vb.mul(row, a.row));
    bBlock.offset = vb.add(b.offset, column);
    Value start = vb.add(vb.add(c.offset, vb.mul(row, c.row)), column);
    SmallVector<Value> sums;
    for (int64_t i = 0; i < height; ++i)
      for (int64_t j = 0; j < width; ++j) {
        Value old =
            vb.load(c.buffer, vb.add(start, i * c.row + j * vectorLanes));
        sums.push_back(scales.empty() ? old : vb.mulf(old, scales[j]));
      }
    sums =
        emitBlock(vb, height, width, begin, end, unroll, aBlock, bBlock, sums);
    for (int64_t i = 0; i < height; ++i)
      for (int64_t j = 0; j < width; ++j)
        vb.store(sums[i * width + j], c.buffer,
                 vb.add(start, i * c.row + j * vectorLanes));
  };
  auto emitColumns = [&](Value column, int64_t width) {
    int64_t whole = rows / blockRows * blockRows;
    if (whole)
      vb.loop(0, whole, blockRows,
              [&](Value row) { emit(row, blockRows, column, width); });
    if (whole < rows)
      emit(vb.index(whole), rows - whole, column, width);
  };
  // The last three of an odd count stay together: one vector alone would wait
  // for loads.
  int64_t last = vectors % blockVectors;
  if (last && vectors > blockVectors)
    last += blockVectors;
  if (vectors > last)
    vb.loop(0, (vectors - last) * vectorLanes, blockVectors * vectorLanes,
            [&](Value column) { emitColumns(column, blockVectors); });
  if (last)
    emitColumns(vb.index((vectors - last) * vectorLanes), last);
}
