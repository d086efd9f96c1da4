//===- NarrowGemm.cpp - GEMMs with few columns ----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/host/NarrowGemm.h"
#include "runtime/core/Threads.h"
#include "runtime/host/LongGemm.h"
#include <algorithm>
#include <cstring>
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512vl")))

namespace tessera::runtime {

namespace {

constexpr int64_t lanes = 16, mostVectors = 3, leastRows = 16;
/// Sums that stay in registers, which hide the latency of two multiply-add
/// units, beside a row of b.
constexpr int64_t sumVectors = 24;
/// Inner steps at a time, so that these rows of b stay in the first cache.
constexpr int64_t depth = 256;

constexpr int64_t vectorsOf(int64_t columns) {
  return (columns + lanes - 1) / lanes;
}

/// A factor: element (i, j) is at data[i * row + j * column].
struct Factor {
  const float *data;
  int64_t row, column;
};

/// Where a block of the result lies, and the lanes of a row's last vector.
struct Block {
  float *data;
  int64_t leading;
  __mmask16 last;
};

/// Adds \p rows rows of \p a times \p b, [steps, vectors · lanes] with
/// \p leading numbers in a row of which the last vector has but the lanes
/// `to.last`, to \p to; if \p starts, puts them there, with \p bias if there is
/// one.
template <int64_t vectors, int64_t rows>
AVX512 void addBlock(Factor a, const float *b, int64_t leading, int64_t steps,
                     bool starts, const float *bias, const Block &to) {
  auto maskOf = [&](int64_t v) -> __mmask16 {
    return v + 1 < vectors ? __mmask16(0xffff) : to.last;
  };
  __m512 sums[rows][vectors];
#pragma clang loop unroll(full)
  for (int64_t v = 0; v < vectors; ++v) {
    __m512 first = _mm512_setzero_ps();
    if (starts && bias)
      first = _mm512_maskz_loadu_ps(maskOf(v), bias + v * lanes);
#pragma clang loop unroll(full)
    for (int64_t row = 0; row < rows; ++row)
      sums[row][v] =
          starts ? first
                 : _mm512_maskz_loadu_ps(maskOf(v), to.data + row * to.leading +
                                                        v * lanes);
  }
  const float *at = a.data;
  for (int64_t k = 0; k < steps; ++k, at += a.column, b += leading) {
    __m512 columns[vectors];
#pragma clang loop unroll(full)
    for (int64_t v = 0; v < vectors; ++v)
      columns[v] = _mm512_maskz_loadu_ps(maskOf(v), b + v * lanes);
#pragma clang loop unroll(full)
    for (int64_t row = 0; row < rows; ++row) {
      __m512 element = _mm512_set1_ps(at[row * a.row]);
#pragma clang loop unroll(full)
      for (int64_t v = 0; v < vectors; ++v)
        sums[row][v] = _mm512_fmadd_ps(element, columns[v], sums[row][v]);
    }
  }
#pragma clang loop unroll(full)
  for (int64_t row = 0; row < rows; ++row)
#pragma clang loop unroll(full)
    for (int64_t v = 0; v < vectors; ++v)
      _mm512_mask_storeu_ps(to.data + row * to.leading + v * lanes, maskOf(v),
                            sums[row][v]);
}

/// The same for any number of rows.
template <int64_t vectors>
AVX512 void addRows(int64_t rows, Factor a, const float *b, int64_t leading,
                    int64_t steps, bool starts, const float *bias, Block to) {
  constexpr int64_t many = sumVectors / vectors;
  int64_t row = 0;
  auto add = [&](auto block, int64_t count) {
    for (; rows - row >= count; row += count) {
      Block here = {to.data + row * to.leading, to.leading, to.last};
      block(Factor{a.data + row * a.row, a.row, a.column}, b, leading, steps,
            starts, bias, here);
    }
  };
  add(addBlock<vectors, many>, many);
  add(addBlock<vectors, 4>, 4);
  add(addBlock<vectors, 1>, 1);
}

/// Adds to 16 rows of 8 columns at \p to, rows of \p leading numbers, or puts
/// there if \p starts, the transpose of 8 vectors, one for each column.
AVX512 void addTransposed(const __m512 *columns, bool starts, float *to,
                          int64_t leading) {
  __m512 rows[2][4]; // of half of the columns; lane group g of [q] is row 4g+q
#pragma clang loop unroll(full)
  for (int64_t half = 0; half < 2; ++half) {
    const __m512 *c = columns + 4 * half;
    __m512d low = _mm512_castps_pd(_mm512_unpacklo_ps(c[0], c[1]));
    __m512d high = _mm512_castps_pd(_mm512_unpackhi_ps(c[0], c[1]));
    __m512d low2 = _mm512_castps_pd(_mm512_unpacklo_ps(c[2], c[3]));
    __m512d high2 = _mm512_castps_pd(_mm512_unpackhi_ps(c[2], c[3]));
    rows[half][0] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, low2));
    rows[half][1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, low2));
    rows[half][2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high, high2));
    rows[half][3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high, high2));
  }
  auto add = [&](int64_t row, __m128 low, __m128 high) {
    float *at = to + row * leading;
    if (!starts) {
      low = _mm_add_ps(low, _mm_loadu_ps(at));
      high = _mm_add_ps(high, _mm_loadu_ps(at + 4));
    }
    _mm_storeu_ps(at, low);
    _mm_storeu_ps(at + 4, high);
  };
#pragma clang loop unroll(full)
  for (int64_t q = 0; q < 4; ++q) {
    add(q, _mm512_extractf32x4_ps(rows[0][q], 0),
        _mm512_extractf32x4_ps(rows[1][q], 0));
    add(4 + q, _mm512_extractf32x4_ps(rows[0][q], 1),
        _mm512_extractf32x4_ps(rows[1][q], 1));
    add(8 + q, _mm512_extractf32x4_ps(rows[0][q], 2),
        _mm512_extractf32x4_ps(rows[1][q], 2));
    add(12 + q, _mm512_extractf32x4_ps(rows[0][q], 3),
        _mm512_extractf32x4_ps(rows[1][q], 3));
  }
}

/// Adds the product of 16 · \p vectors columns of a and 8 columns of b, both
/// [steps, ...] with \p lda and \p ldb numbers in a row, to the block of the
/// result at \p c.
template <int64_t vectors>
AVX512 void addOuter(const float *a, int64_t lda, const float *b, int64_t ldb,
                     int64_t steps, bool starts, float *c, int64_t ldc) {
  __m512 sums[vectors][8] = {};
  for (int64_t k = 0; k < steps; ++k, a += lda, b += ldb) {
    __m512 rows[vectors];
#pragma clang loop unroll(full)
    for (int64_t v = 0; v < vectors; ++v)
      rows[v] = _mm512_loadu_ps(a + v * lanes);
#pragma clang loop unroll(full)
    for (int64_t column = 0; column < 8; ++column) {
      __m512 element = _mm512_set1_ps(b[column]);
#pragma clang loop unroll(full)
      for (int64_t v = 0; v < vectors; ++v)
        sums[v][column] = _mm512_fmadd_ps(rows[v], element, sums[v][column]);
    }
  }
#pragma clang loop unroll(full)
  for (int64_t v = 0; v < vectors; ++v)
    addTransposed(sums[v], starts, c + v * lanes * ldc, ldc);
}

/// Rows [\p begin, \p end) of the transpose of \p b, [n, k], as whole vectors.
AVX512 void packTransposed(const Gemm &gemm, const float *b, float *packed,
                           int64_t begin, int64_t end) {
  int64_t leading = vectorsOf(gemm.n) * lanes;
  __m512i places = _mm512_mullo_epi32(
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
      _mm512_set1_epi32(static_cast<int32_t>(gemm.ldb)));
  for (int64_t first = 0; first < gemm.n; first += lanes) {
    int64_t left = std::min(lanes, gemm.n - first);
    auto mask = static_cast<__mmask16>((1u << left) - 1);
    const float *from = b + first * gemm.ldb;
    for (int64_t k = begin; k < end; ++k)
      _mm512_storeu_ps(packed + k * leading + first,
                       _mm512_mask_i32gather_ps(_mm512_setzero_ps(), mask,
                                                places, from + k, 4));
  }
}

/// Whether the rows of the result, not its columns, are what vectors hold: all
/// of these are full then, which those of 40 columns are not.
bool holdsRows(const Gemm &gemm) {
  return gemm.transposeA && !gemm.transposeB && !gemm.bias &&
         gemm.m % lanes == 0 && gemm.n % 8 == 0;
}

/// One GEMM's run.
struct Run {
  const Gemm &gemm;
  int64_t inner; ///< steps
  Factor a;
  const float *b;
  int64_t leading; ///< of b
  const float *bias;
  float *c;

  template <int64_t vectors> void run(int64_t begin, int64_t end) const {
    int64_t left = gemm.n - (vectors - 1) * lanes;
    Block to = {c + begin * gemm.ldc, gemm.ldc,
                static_cast<__mmask16>((1u << left) - 1)};
    for (int64_t k = 0; k < inner || k == 0; k += depth) {
      Factor rows = {a.data + begin * a.row + k * a.column, a.row, a.column};
      addRows<vectors>(end - begin, rows, b + k * leading, leading,
                       std::min(depth, inner - k), k == 0 && !gemm.accumulate,
                       bias, to);
    }
  }

  /// The same where vectors hold rows.
  void runOuter(int64_t begin, int64_t end) const {
    for (int64_t k = 0; k < inner || k == 0; k += depth) {
      int64_t steps = std::min(depth, inner - k);
      bool starts = k == 0 && !gemm.accumulate;
      auto add = [&](auto outer, int64_t row) {
        for (int64_t column = 0; column < gemm.n; column += 8)
          outer(a.data + row + k * a.column, a.column, b + column + k * leading,
                leading, steps, starts, c + row * gemm.ldc + column, gemm.ldc);
      };
      int64_t row = begin;
      for (; end - row >= 3 * lanes; row += 3 * lanes)
        add(addOuter<3>, row);
      if (end - row >= 2 * lanes) {
        add(addOuter<2>, row);
        row += 2 * lanes;
      }
      if (row < end)
        add(addOuter<1>, row);
    }
  }

  /// Computes rows [\p begin, \p end) of the result.
  void rows(int64_t begin, int64_t end) const {
    if (holdsRows(gemm))
      return runOuter(begin, end);
    switch (vectorsOf(gemm.n)) {
    case 1:
      return run<1>(begin, end);
    case 2:
      return run<2>(begin, end);
    default:
      return run<3>(begin, end);
    }
  }
};

} // namespace

bool isNarrow(const Gemm &gemm) {
  // The last vector has more numbers than not.
  int64_t last = (gemm.n - 1) % lanes + 1;
  return gemm.epilogue == "none" && gemm.type == ElementType::F32 &&
         gemm.resultType == ElementType::F32 &&
         !(gemm.bias && gemm.accumulate) && gemm.m >= leastRows && gemm.k > 0 &&
         gemm.n > 0 && gemm.n <= mostVectors * lanes && 2 * last >= lanes &&
         !(gemm.transposeB && gemm.ldb * lanes > INT32_MAX) && !isLong(gemm) &&
         __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512vl");
}

int64_t narrowGemmScratchBytes(const Gemm &gemm) {
  return gemm.transposeB ? static_cast<int64_t>(sizeof(float)) * gemm.k *
                               vectorsOf(gemm.n) * lanes
                         : 0;
}

void runNarrowGemm(const Gemm &gemm, int64_t count, const float *a,
                   const float *b, const float *bias, float *c, char *scratch) {
  Run run{gemm, gemm.k, {a, gemm.lda, 1}, b, gemm.ldb, bias, c};
  int64_t rows = gemm.m;
  if (gemm.counted == Gemm::Counted::Rows)
    rows = count;
  else if (gemm.counted == Gemm::Counted::Inner)
    run.inner = count;
  if (gemm.transposeA)
    std::swap(run.a.row, run.a.column);
  if (gemm.transposeB) {
    auto *packed = reinterpret_cast<float *>(scratch);
    if (gemm.local)
      packTransposed(gemm, b, packed, 0, gemm.k);
    else
      parallelFor(gemm.k, 256, [&](int64_t begin, int64_t end) {
        packTransposed(gemm, b, packed, begin, end);
      });
    run.b = packed;
    run.leading = vectorsOf(gemm.n) * lanes;
  }
  if (gemm.local)
    return run.rows(0, rows);
  // Blocks of rows that are as large on any number of threads.
  int64_t block = holdsRows(gemm) ? 3 * lanes : sumVectors / vectorsOf(gemm.n);
  parallelFor((rows + block - 1) / block, 2, [&](int64_t begin, int64_t end) {
    run.rows(begin * block, std::min(end * block, rows));
  });
}

} // namespace tessera::runtime
