//===- LongGemm.cpp - GEMMs that sum over many rows -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/host/LongGemm.h"
#include "runtime/core/Threads.h"
#include <algorithm>
#include <cstring>

namespace tessera::runtime {

namespace {

constexpr int64_t lanes = 16;
/// A block of the result that stays in registers: with two vectors per row, 16
/// sums hide the latency of two multiply-add units.
constexpr int64_t blockRows = 8, blockVectors = 2;
constexpr int64_t blockColumns = blockVectors * lanes;
/// Rows of a and b that are multiplied at a time: a block's columns of b then
/// stay in the first cache, all of both in the second.
constexpr int64_t depth = 256;
/// Parts of k at most, and rows of k from which it pays.
constexpr int64_t mostParts = 32, leastRows = 8192;
/// A larger result, or a shorter sum for its size, is the library's.
constexpr int64_t largestResult = 1 << 16, rowsPerColumn = 16;

using Vector = float __attribute__((vector_size(64)));

int64_t roundUp(int64_t value, int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

/// How memory is divided. Counts are of floats.
struct Shape {
  int64_t m, n, chunks, parts;

  explicit Shape(const Gemm &gemm)
      : m(gemm.m), n(gemm.n), chunks((gemm.k + depth - 1) / depth),
        parts(std::min(mostParts, chunks)) {}

  int64_t packedA() const { return depth * roundUp(m, blockRows); }
  int64_t packedB() const { return depth * roundUp(n, blockColumns); }
  /// Of a thread: multiples of a cache line.
  int64_t perThread() const { return packedA() + packedB(); }
  int64_t blocks() const {
    return roundUp(m, blockRows) / blockRows *
           (roundUp(n, blockColumns) / blockColumns);
  }
  int64_t perPart() const { return roundUp(m * n, lanes); }
};

/// \p rows rows of \p matrix, [rows, columns], as panels of \p width columns
/// one after the other, each row by row; columns beyond the last are 0. Memory
/// is read in its order, which is what CPUs fetch ahead.
template <int64_t width>
__attribute__((target("avx512f"))) void pack(const float *matrix, int64_t rows,
                                             int64_t columns, int64_t leading,
                                             float *packed) {
  int64_t whole = columns / width, rest = columns % width;
  for (int64_t row = 0; row < rows; ++row, packed += width) {
    const float *from = matrix + row * leading;
    float *to = packed;
    for (int64_t panel = 0; panel < whole; ++panel) {
      std::copy_n(from, width, to);
      from += width;
      to += rows * width;
    }
    if (rest)
      std::fill(std::copy_n(from, rest, to), to + width, 0.0f);
  }
}

/// Adds the product of a panel of a and one of b, \p rows rows long, to the
/// block of the result at \p c that has \p height rows and \p width columns.
/// Each row asks for memory that is needed later, \p ahead and \p stride bytes
/// on from there.
__attribute__((target("avx512f"))) void
addBlock(const float *a, const float *b, int64_t rows, float *c,
         int64_t leading, int64_t height, int64_t width, const char *ahead,
         int64_t stride) {
  Vector sums[blockRows][blockVectors] = {};
  for (int64_t k = 0; k < rows; ++k, a += blockRows, b += blockColumns) {
    __builtin_prefetch(ahead, /*rw=*/0, /*locality=*/2);
    ahead += stride;
    Vector columns[blockVectors];
#pragma clang loop unroll(full)
    for (int64_t v = 0; v < blockVectors; ++v)
      columns[v] = *reinterpret_cast<const Vector *>(b + v * lanes);
#pragma clang loop unroll(full)
    for (int64_t row = 0; row < blockRows; ++row)
#pragma clang loop unroll(full)
      for (int64_t v = 0; v < blockVectors; ++v)
        sums[row][v] += columns[v] * a[row];
  }
  if (height == blockRows && width == blockColumns) {
#pragma clang loop unroll(full)
    for (int64_t row = 0; row < blockRows; ++row)
#pragma clang loop unroll(full)
      for (int64_t v = 0; v < blockVectors; ++v) {
        float *place = c + row * leading + v * lanes;
        Vector old;
        std::memcpy(&old, place, sizeof old);
        old += sums[row][v];
        std::memcpy(place, &old, sizeof old);
      }
    return;
  }
  alignas(64) float block[blockRows * blockColumns];
  std::memcpy(block, sums, sizeof block);
  for (int64_t row = 0; row < height; ++row)
    for (int64_t column = 0; column < width; ++column)
      c[row * leading + column] += block[row * blockColumns + column];
}

/// One GEMM's run.
struct Run {
  const Gemm &gemm;
  int64_t rows; ///< of both factors
  Shape shape;
  const float *a, *b;
  float *packed, *partial;

  void runPart(int64_t part, int thread) const {
    float *result = partial + part * shape.perPart();
    std::fill_n(result, shape.m * shape.n, 0.0f);
    float *packedA = packed + thread * shape.perThread();
    float *packedB = packedA + shape.packedA();
    int64_t end = shape.chunks * (part + 1) / shape.parts;
    for (int64_t chunk = shape.chunks * part / shape.parts; chunk < end;
         ++chunk) {
      int64_t first = chunk * depth, count = std::min(depth, rows - first);
      if (count <= 0)
        break;
      pack<blockRows>(a + first * gemm.lda, count, shape.m, gemm.lda, packedA);
      pack<blockColumns>(b + first * gemm.ldb, count, shape.n, gemm.ldb,
                         packedB);
      // The next chunk comes from memory while this one is multiplied.
      int64_t bytesA = sizeof(float) * depth * gemm.lda;
      int64_t bytes = bytesA + sizeof(float) * depth * gemm.ldb;
      const char *nextA =
          reinterpret_cast<const char *>(a) + (chunk + 1) * bytesA;
      const char *nextB =
          reinterpret_cast<const char *>(b) + (chunk + 1) * (bytes - bytesA);
      int64_t stride = bytes / (shape.blocks() * depth), block = 0;
      for (int64_t column = 0; column < shape.n; column += blockColumns)
        for (int64_t row = 0; row < shape.m; row += blockRows, ++block) {
          int64_t offset = block * stride * depth;
          addBlock(packedA + row * count, packedB + column * count, count,
                   result + row * shape.n + column, shape.n,
                   std::min(blockRows, shape.m - row),
                   std::min(blockColumns, shape.n - column),
                   offset < bytesA ? nextA + offset : nextB + (offset - bytesA),
                   stride);
        }
    }
  }
};

} // namespace

bool isLong(const Gemm &gemm) {
  return !gemm.local && gemm.transposeA && !gemm.transposeB && !gemm.bias &&
         gemm.epilogue == "none" && gemm.type == ElementType::f32 &&
         gemm.resultType == ElementType::f32 && gemm.k >= leastRows &&
         gemm.m > 0 && gemm.n > 0 && gemm.m * gemm.n <= largestResult &&
         gemm.k >= rowsPerColumn * std::max(gemm.m, gemm.n) &&
         __builtin_cpu_supports("avx512f");
}

int64_t longGemmScratchBytes(const Gemm &gemm, int threads) {
  Shape shape(gemm);
  return sizeof(float) *
         (threads * shape.perThread() + shape.parts * shape.perPart());
}

void runLongGemm(const Gemm &gemm, int64_t rows, const float *a, const float *b,
                 float *c, char *scratch) {
  Shape shape(gemm);
  auto *partial = reinterpret_cast<float *>(scratch);
  Run run{gemm,   rows, shape, a, b, partial + shape.parts * shape.perPart(),
          partial};
  // Parts beyond the rows would add 0.
  int64_t parts = 0;
  while (parts < shape.parts &&
         shape.chunks * parts / shape.parts * depth < rows)
    ++parts;
  parallelFor(
      parts, 1,
      [](void *data, int64_t begin, int64_t end, int thread) {
        for (int64_t part = begin; part < end; ++part)
          static_cast<const Run *>(data)->runPart(part, thread);
      },
      &run);
  parallelFor(gemm.m, 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      float *sums = c + row * gemm.ldc;
      if (!gemm.accumulate)
        std::fill_n(sums, gemm.n, 0.0f);
      for (int64_t part = 0; part < parts; ++part) {
        const float *add = partial + part * shape.perPart() + row * gemm.n;
        for (int64_t column = 0; column < gemm.n; ++column)
          sums[column] += add[column];
      }
    }
  });
}

} // namespace tessera::runtime
