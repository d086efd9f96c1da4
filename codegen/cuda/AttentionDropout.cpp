//===- AttentionDropout.cpp - Dropout of attention's probabilities --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A counter gives the bits of four neighbouring queries for one key. They lie
// in different lanes (WarpMatmul.h), each of which would need one word of it;
// so each computes another counter, and words are exchanged.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/AttentionThread.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;

void AttentionThread::loadDraw(ValueRange buffers) {
  if (shape.dropout)
    draw = codegen::HeadDraw::load(tb, buffers, batch, head);
}

std::array<Value, 4> AttentionThread::drawWords(Value key, Value quad) {
  int64_t callsOfKey = llvm::divideCeil(shape.sequence, 4);
  Value call = tb.toI32(tb.add(tb.mul(key, callsOfKey), quad));
  return codegen::emitPhilox(tb, draw.stream, call, draw.sample);
}

/// Columns are queries: two lanes have a counter's words for each of two keys.
/// The first one computes that of the first key and gives the later words away.
std::array<Value, 4> AttentionThread::drawForQueries(Value column) {
  Value first = tb.add(column, matmul.getColumn(0));
  Value isSecond = tb.isEqual(tb.rem(matmul.member, 2), tb.index(1));
  std::array<Value, 4> words =
      drawWords(tb.select(isSecond, row[1], row[0]), tb.div(first, 4));
  std::array<Value, 4> result;
  for (int64_t j : {0, 1}) {
    Value own = tb.select(isSecond, words[2 + j], words[j]);
    Value given = tb.select(isSecond, words[j], words[2 + j]);
    Value got = tb.shuffleXor(given, 1);
    result[j] = tb.select(isSecond, got, own);
    result[2 + j] = tb.select(isSecond, own, got);
  }
  return result;
}

/// Rows are queries: four lanes have one word each of four counters, of two
/// keys and two fours of queries. Each computes one, and two exchanges
/// transpose the words.
std::array<Value, 4> AttentionThread::drawForKeys(Value column) {
  Value place = tb.rem(matmul.group, 4);
  Value isOdd = tb.isEqual(tb.rem(place, 2), tb.index(1));
  Value isLate = tb.isEqual(tb.div(place, 2), tb.index(1));
  Value key = tb.add(tb.add(column, matmul.getColumn(0)), tb.rem(place, 2));
  std::array<Value, 4> words =
      drawWords(key, tb.div(tb.select(isLate, row[1], row[0]), 4));
  auto exchange = [&](Value &low, Value &high, Value isHigh, int64_t offset) {
    Value got = tb.shuffleXor(tb.select(isHigh, low, high), offset);
    low = tb.select(isHigh, got, low);
    high = tb.select(isHigh, high, got);
  };
  // Neighbouring groups are four lanes apart.
  for (int64_t i : {0, 2})
    exchange(words[i], words[i + 1], isOdd, 4);
  for (int64_t i : {0, 1})
    exchange(words[i], words[i + 2], isLate, 8);
  return words;
}

WarpMatmul::Fragments AttentionThread::getDropFactors(Value column) {
  WarpMatmul::Fragments factors;
  for (int64_t block = 0; block < tiling.columns;
       block += WarpMatmul::blockColumns) {
    Value first = tb.add(column, block);
    for (Value bits : rowsAreKeys ? drawForQueries(first) : drawForKeys(first))
      factors.push_back(codegen::emitDropFactors(tb, shape.rate, bits));
  }
  return factors;
}
