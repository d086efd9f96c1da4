//===- BlockedGemm.cpp - GEMMs in blocks that fit the caches --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/host/BlockedGemm.h"
#include "runtime/core/Threads.h"
#include "runtime/host/GemmBlocks.h"
#include "runtime/host/LongGemm.h"

namespace tessera::runtime {

using namespace blocks;

namespace {

/// Of a piece of the inner size: a panel of each factor is in the first caches.
constexpr int64_t mostDepth = 512;
/// Of a piece of a: with the depth above a fourth of a megabyte.
constexpr int64_t mostRows = 128;
/// Of a piece of b: with the depth above 4 MiB.
constexpr int64_t mostColumns = 2048;
/// What threads share of a piece of b at least: less would copy a too often.
constexpr int64_t leastColumns = 512;
/// So that threads that are slower than others do less.
constexpr int64_t tasksPerThread = 4;
/// Below these sizes copies take more than they gain, and below the rows for a
/// transposed b, which oneDNN copies as it goes.
constexpr int64_t leastSize = 512, leastRows = 256, leastRowsTransposed = 512;

/// How often \p size has to be cut for pieces of \p most, which are then equal
/// but for \p unit.
int64_t pieceOf(int64_t size, int64_t most, int64_t unit) {
  int64_t count = (size + most - 1) / most;
  return roundUp((size + count - 1) / count, unit);
}

/// How memory is divided. Counts are of floats, multiples of a cache line.
struct Shape {
  int64_t depth, rows, columns;

  explicit Shape(const Gemm &gemm)
      : depth(pieceOf(gemm.k, mostDepth, lanes)),
        rows(pieceOf(gemm.m, mostRows, blockRows)),
        columns(pieceOf(gemm.n, mostColumns, blockColumns)) {}

  int64_t packedA() const { return depth * rows; }
  int64_t packedB() const { return depth * columns; }
};

/// One piece of the inner size and of the columns.
struct Piece {
  const Gemm &gemm;
  Shape shape;
  const float *a, *b; ///< where the piece begins
  int64_t height, depth, columns;
  /// Of the first column: the result, and what is added to it.
  float *c;
  const float *added;
  int64_t addedLeading;
  float *packedA, *packedB;

  /// Panels from \p begin to \p end of b.
  void packB(int64_t begin, int64_t end) const {
    int64_t column = begin * blockColumns;
    int64_t count = std::min(end * blockColumns, columns) - column;
    float *to = packedB + column * depth;
    if (gemm.transposeB)
      packColumns<blockColumns>(b + column * gemm.ldb, depth, count, gemm.ldb,
                                to);
    else
      packRows<blockColumns>(b + column, depth, count, gemm.ldb, to);
  }

  /// Panels from \p begin to \p end of b times the piece of a that begins at
  /// \p first.
  void multiply(int64_t first, int64_t begin, int64_t end, int thread) const {
    int64_t rows = std::min(shape.rows, height - first);
    float *own = packedA + thread * shape.packedA();
    if (gemm.transposeA)
      packRows<blockRows>(a + first, depth, rows, gemm.lda, own);
    else
      packColumns<blockRows>(a + first * gemm.lda, depth, rows, gemm.lda, own);
    for (int64_t panel = begin; panel < end; ++panel) {
      int64_t column = panel * blockColumns;
      for (int64_t row = 0; row < rows; row += blockRows) {
        const float *other =
            added ? added + (first + row) * addedLeading + column : nullptr;
        Block block = {c + (first + row) * gemm.ldc + column,
                       gemm.ldc,
                       std::min(blockRows, rows - row),
                       std::min(blockColumns, columns - column),
                       other,
                       addedLeading};
        const float *panelA = own + row * depth;
        multiplyPanels(panelA, packedB + column * depth, depth, block,
                       reinterpret_cast<const char *>(panelA), 0);
      }
    }
  }

  /// All of it by \p threads threads.
  void run(int threads) const {
    int64_t panels = roundUp(columns, blockColumns) / blockColumns;
    parallelFor(panels, 1,
                [&](int64_t begin, int64_t end) { packB(begin, end); });
    // Rows are shared first; columns too where these are few for the threads.
    int64_t parts = (height + shape.rows - 1) / shape.rows;
    int64_t cuts =
        std::clamp<int64_t>(tasksPerThread * threads / parts, 1,
                            std::max<int64_t>(1, columns / leastColumns));
    struct Tasks {
      const Piece &piece;
      int64_t panels, cuts;
    } tasks{*this, panels, threads > 1 ? cuts : 1};
    parallelFor(
        parts * tasks.cuts, 1,
        [](void *data, int64_t begin, int64_t end, int thread) {
          auto [piece, panels, cuts] = *static_cast<const Tasks *>(data);
          for (int64_t task = begin; task < end; ++task) {
            int64_t cut = task % cuts;
            piece.multiply(task / cuts * piece.shape.rows, panels * cut / cuts,
                           panels * (cut + 1) / cuts, thread);
          }
        },
        &tasks);
  }
};

} // namespace

bool isBlocked(const Gemm &gemm) {
  return !gemm.local && !(gemm.bias && gemm.accumulate) &&
         gemm.epilogue == "none" && gemm.type == ElementType::F32 &&
         gemm.resultType == ElementType::F32 &&
         gemm.m >= (gemm.transposeB ? leastRowsTransposed : leastRows) &&
         gemm.n >= leastSize && gemm.k >= leastSize && !isLong(gemm) &&
         !(gemm.bias && gemm.counted == Gemm::Counted::Inner) &&
         __builtin_cpu_supports("avx512f");
}

int64_t blockedGemmScratchBytes(const Gemm &gemm, int threads) {
  Shape shape(gemm);
  return sizeof(float) * (shape.packedB() + threads * shape.packedA());
}

void runBlockedGemm(const Gemm &gemm, int threads, int64_t count,
                    const float *a, const float *b, const float *bias, float *c,
                    char *scratch) {
  Shape shape(gemm);
  bool countsRows = gemm.counted == Gemm::Counted::Rows;
  bool countsInner = gemm.counted == Gemm::Counted::Inner;
  int64_t height = countsRows ? count : gemm.m;
  int64_t inner = countsInner ? count : gemm.k;
  if (height == 0)
    return;
  auto *packedB = reinterpret_cast<float *>(scratch);
  if (inner == 0 && !gemm.accumulate)
    for (int64_t row = 0; row < height; ++row)
      std::fill_n(c + row * gemm.ldc, gemm.n, 0.0f);
  for (int64_t column = 0; column < gemm.n; column += shape.columns)
    for (int64_t begin = 0; begin < inner; begin += shape.depth) {
      bool isFirst = begin == 0 && !gemm.accumulate;
      const float *added = isFirst ? bias : c;
      Piece piece = {gemm,
                     shape,
                     a + begin * (gemm.transposeA ? gemm.lda : 1),
                     b + (gemm.transposeB ? column * gemm.ldb + begin
                                          : begin * gemm.ldb + column),
                     height,
                     std::min(shape.depth, inner - begin),
                     std::min(shape.columns, gemm.n - column),
                     c + column,
                     added ? added + column : nullptr,
                     isFirst ? 0 : gemm.ldc,
                     packedB + shape.packedB(),
                     packedB};
      piece.run(threads);
    }
}

} // namespace tessera::runtime
