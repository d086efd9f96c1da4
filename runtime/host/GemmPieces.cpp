//===- GemmPieces.cpp - Counted GEMMs in pieces of fixed sizes ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/host/GemmPieces.h"
#include "runtime/core/Threads.h"
#include "runtime/host/BlockedGemm.h"
#include "runtime/host/LongGemm.h"
#include "runtime/host/NarrowGemm.h"
#include <algorithm>
#include <cstring>

extern "C" int omp_get_max_threads(void);

namespace tessera::runtime {

std::vector<Gemm> getPieces(const Gemm &gemm) {
  Gemm piece = gemm;
  piece.counted = Gemm::Counted::Nothing;
  bool isInner = gemm.counted == Gemm::Counted::Inner;
  if (gemm.counted == Gemm::Counted::Nothing || isNarrow(gemm) ||
      isBlocked(gemm) || (isInner && isLong(gemm)))
    return {piece};
  std::vector<Gemm> pieces;
  if (isInner) {
    int64_t block = std::min(gemm.k, innerBlock);
    for (int64_t size = std::min(innerStep, block);;
         size = std::min(size + innerStep, block)) {
      piece.k = size;
      for (bool accumulates : {false, true}) {
        piece.accumulate = accumulates;
        pieces.push_back(piece);
      }
      if (size == block)
        return pieces;
    }
  }
  std::vector<int64_t> sizes = {gemm.m};
  for (int64_t rows = pieceRows; rows < gemm.m; rows *= 2)
    sizes.push_back(rows);
  if (int64_t rest = gemm.m % pieceRows; rest && gemm.m > pieceRows)
    sizes.push_back(rest);
  std::sort(sizes.begin(), sizes.end());
  for (int64_t rows : sizes) {
    piece.m = rows;
    pieces.push_back(piece);
  }
  return pieces;
}

int choosePiece(const std::vector<Gemm> &pieces, int64_t begin, int64_t left,
                int64_t rows) {
  int filled = -1, covering = -1;
  for (int i = 0; i < static_cast<int>(pieces.size()); ++i) {
    int64_t size = pieces[i].m;
    // What is no multiple ends with the last row.
    bool fits = size % pieceRows ? begin + size == rows : begin + size <= rows;
    if (!fits)
      continue;
    if (size < left)
      filled = i;
    else if (covering < 0)
      covering = i;
  }
  // A few rows too many cost less than another call.
  bool isClose = covering >= 0 && pieces[covering].m - left <= left / 8;
  return filled < 0 || isClose ? covering : filled;
}

BlockCopies getBlockCopies(const Gemm &gemm) {
  if (gemm.counted != Gemm::Counted::Inner || isLong(gemm) || isNarrow(gemm) ||
      isBlocked(gemm))
    return {};
  auto roundUp = [](int64_t bytes) { return (bytes + 63) / 64 * 64; };
  int64_t rows = std::min(gemm.k, innerBlock), bytes = sizeOf(gemm.type);
  BlockCopies copies = {roundUp(bytes * rows * gemm.lda),
                        roundUp(bytes * rows * gemm.ldb)};
  if (gemm.accumulate && gemm.k > innerBlock)
    copies.sum = roundUp(sizeOf(gemm.resultType) * gemm.m * gemm.ldc);
  return copies;
}

namespace {

/// One run of a counted GEMM.
struct Run {
  const Gemm &gemm;
  const std::vector<Gemm> &pieces;
  GemmMatrices at;
  void (*runPiece)(void *data, int piece, const GemmMatrices &at);
  void *data;
  int64_t rowOfA = gemm.lda * sizeOf(gemm.type); ///< bytes
  int64_t rowOfB = gemm.ldb * sizeOf(gemm.type);
  int64_t rowOfC = gemm.ldc * sizeOf(gemm.resultType);

  void rows(int64_t rows) {
    for (int64_t begin = 0; begin < rows;) {
      int piece = choosePiece(pieces, begin, rows - begin, gemm.m);
      runPiece(data, piece,
               {at.a + begin * rowOfA, at.b, at.bias, at.c + begin * rowOfC,
                at.scratch});
      begin += pieces[piece].m;
    }
  }

  void inner(int64_t inner) {
    int64_t block = pieces.back().k;
    BlockCopies copies = getBlockCopies(gemm);
    char *copyOfA = at.scratch, *copyOfB = copyOfA + copies.a;
    // As without a count, c is added to the whole sum.
    bool isApart = gemm.accumulate && inner > block;
    char *sum = isApart ? copyOfB + copies.b : at.c;
    if (inner == 0 && !gemm.accumulate)
      for (int64_t row = 0; row < gemm.m; ++row)
        memset(at.c + row * rowOfC, 0, gemm.n * sizeOf(gemm.resultType));
    for (int64_t begin = 0; begin < inner; begin += block) {
      const char *a = at.a + begin * rowOfA, *b = at.b + begin * rowOfB;
      int64_t left = std::min(inner - begin, block);
      auto step = static_cast<int>((left - 1) / innerStep);
      int64_t size = pieces[2 * step].k;
      if (left < size) {
        a = copyBlock(a, copyOfA, left, size, rowOfA);
        b = copyBlock(b, copyOfB, left, size, rowOfB);
      }
      bool adds = begin > 0 || (gemm.accumulate && !isApart);
      runPiece(data, 2 * step + adds,
               {a, b, nullptr, sum, at.scratch + copies.all()});
    }
    if (isApart)
      addSum(reinterpret_cast<const float *>(sum));
  }

private:
  /// The \p rows rows of \p bytes each at \p from, copied to \p to and filled
  /// up with zeros to \p all rows. Returns \p to.
  static const char *copyBlock(const char *from, char *to, int64_t rows,
                               int64_t all, int64_t bytes) {
    parallelFor(all * bytes, 1 << 16, [&](int64_t begin, int64_t end) {
      int64_t there = std::clamp(rows * bytes, begin, end);
      memcpy(to + begin, from + begin, there - begin);
      memset(to + there, 0, end - there);
    });
    return to;
  }

  void addSum(const float *sum) {
    auto *c = reinterpret_cast<float *>(at.c);
    parallelFor(gemm.m, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t column = 0; column < gemm.n; ++column)
          c[row * gemm.ldc + column] += sum[row * gemm.ldc + column];
    });
  }
};

} // namespace

void runPieces(const Gemm &gemm, const std::vector<Gemm> &pieces, int64_t parts,
               const GemmMatrices &at,
               void (*run)(void *data, int piece, const GemmMatrices &at),
               void *data) {
  Run counted{gemm, pieces, at, run, data};
  bool isRows = gemm.counted == Gemm::Counted::Rows;
  int64_t count = parts * ((isRows ? gemm.m : gemm.k) / gemm.room);
  auto *a = reinterpret_cast<const float *>(at.a);
  auto *b = reinterpret_cast<const float *>(at.b);
  auto *c = reinterpret_cast<float *>(at.c);
  if (!isRows && isLong(gemm))
    return runLongGemm(gemm, count, a, b, c, at.scratch);
  auto *bias = reinterpret_cast<const float *>(at.bias);
  if (isNarrow(gemm))
    return runNarrowGemm(gemm, count, a, b, bias, c, at.scratch);
  if (isBlocked(gemm))
    return runBlockedGemm(gemm, omp_get_max_threads(), count, a, b, bias, c,
                          at.scratch);
  if (isRows)
    return counted.rows(count);
  counted.inner(count);
}

} // namespace tessera::runtime
