//===- LongGemm.cpp - GEMMs that sum over many rows -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/host/LongGemm.h"
#include "runtime/core/Threads.h"
#include "runtime/host/GemmBlocks.h"

namespace tessera::runtime {

using namespace blocks;

namespace {

/// Rows of a and b that are multiplied at a time: a block's columns of b then
/// stay in the first cache, all of both in the second.
constexpr int64_t depth = 256;
/// Parts of k at most, and rows of k from which it pays.
constexpr int64_t mostParts = 32, leastRows = 8192;
/// A larger result, or a shorter sum for its size, is the library's.
constexpr int64_t largestResult = 1 << 16, rowsPerColumn = 16;

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
      packRows<blockRows>(a + first * gemm.lda, count, shape.m, gemm.lda,
                          packedA);
      packRows<blockColumns>(b + first * gemm.ldb, count, shape.n, gemm.ldb,
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
          float *sums = result + row * shape.n + column;
          multiplyPanels(
              packedA + row * count, packedB + column * count, count,
              {sums, shape.n, std::min(blockRows, shape.m - row),
               std::min(blockColumns, shape.n - column), sums, shape.n},
              offset < bytesA ? nextA + offset : nextB + (offset - bytesA),
              stride);
        }
    }
  }
};

} // namespace

bool isLong(const Gemm &gemm) {
  return !gemm.local && gemm.transposeA && !gemm.transposeB && !gemm.bias &&
         gemm.epilogue == "none" && gemm.type == ElementType::F32 &&
         gemm.resultType == ElementType::F32 && gemm.k >= leastRows &&
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
