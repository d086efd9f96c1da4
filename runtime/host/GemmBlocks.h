//===- GemmBlocks.h - Blocks that a GEMM's result is made of ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block of the result stays in registers while panels of both factors are
// multiplied: of a as many columns of aᵀ as the block has rows, of b as many as
// it has columns, each panel row by row of the inner size in one piece of
// memory. This is the scheme of Goto and van de Geijn, "Anatomy of
// High-Performance Matrix Multiplication" (2008). For CPUs with AVX-512.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_HOST_GEMMBLOCKS_H
#define TESSERA_RUNTIME_HOST_GEMMBLOCKS_H

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace tessera::runtime::blocks {

inline constexpr int64_t lanes = 16;
/// With two vectors per row, 16 sums hide the latency of two multiply-add
/// units.
inline constexpr int64_t blockRows = 8, blockVectors = 2;
inline constexpr int64_t blockColumns = blockVectors * lanes;

using Vector = float __attribute__((vector_size(64)));

inline int64_t roundUp(int64_t value, int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

/// \p rows rows of \p matrix, [rows, columns], as panels of \p width columns
/// one after the other, each row by row; columns beyond the last are 0. Memory
/// is read nearly in its order, which is what CPUs fetch ahead.
template <int64_t width>
__attribute__((target("avx512f"))) void
packRows(const float *matrix, int64_t rows, int64_t columns, int64_t leading,
         float *packed) {
  int64_t whole = columns / width, rest = columns % width;
  // As many rows at a time as fill two lines of a panel, whose places in the
  // first cache many panels may share; CPUs do not fetch ahead across rows.
  constexpr int64_t most = std::max<int64_t>(1, 2 * lanes / width);
  constexpr int64_t ahead = 8;
  for (int64_t row = 0; row < rows; row += most) {
    int64_t count = std::min(most, rows - row);
    const float *from = matrix + row * leading;
    float *to = packed + row * width;
    for (int64_t panel = 0; panel < whole;
         ++panel, from += width, to += rows * width)
      for (int64_t i = 0; i < count; ++i) {
        if (width < lanes && panel * width % lanes == 0)
          __builtin_prefetch(from + (ahead + i) * leading);
        std::copy_n(from + i * leading, width, to + i * width);
      }
    if (rest)
      for (int64_t i = 0; i < count; ++i)
        std::fill(std::copy_n(from + i * leading, rest, to + i * width),
                  to + (i + 1) * width, 0.0f);
  }
}

/// The transpose of 16 x 16 numbers, of which rows from \p rows on are 0.
__attribute__((target("avx512f"), always_inline)) inline void
transposeSquare(const float *from, int64_t leading, int64_t rows, Vector *to) {
#pragma clang loop unroll(full)
  for (int64_t i = 0; i < lanes; ++i) {
    to[i] = Vector{};
    if (i < rows)
      std::memcpy(&to[i], from + i * leading, sizeof(Vector));
  }
  // Merging the halves four times brings each row's bits of its number to the
  // column's.
#pragma clang loop unroll(full)
  for (int64_t round = 0; round < 4; ++round) {
    Vector merged[lanes];
#pragma clang loop unroll(full)
    for (int64_t i = 0; i < lanes / 2; ++i) {
      Vector a = to[i], b = to[i + lanes / 2];
      merged[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19,
                                              4, 20, 5, 21, 6, 22, 7, 23);
      merged[2 * i + 1] = __builtin_shufflevector(
          a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
#pragma clang loop unroll(full)
    for (int64_t i = 0; i < lanes; ++i)
      to[i] = merged[i];
  }
}

/// The same panels of a matrix that is stored transposed, [columns, rows].
template <int64_t width>
__attribute__((target("avx512f"))) void
packColumns(const float *matrix, int64_t rows, int64_t columns, int64_t leading,
            float *packed) {
  static_assert(width % lanes == 0 || lanes % width == 0);
  constexpr int64_t piece = std::min(width, lanes);
  int64_t room = roundUp(columns, width), whole = rows / lanes * lanes;
  for (int64_t column = 0; column < room; column += lanes) {
    int64_t height = std::clamp<int64_t>(columns - column, 0, lanes);
    const float *from = matrix + column * leading;
    int64_t end = std::min(lanes, room - column);
    for (int64_t row = 0; row < whole; row += lanes) {
      Vector square[lanes];
      transposeSquare(from + row, leading, height, square);
#pragma clang loop unroll(full)
      for (int64_t at = 0; at < lanes; at += piece) {
        if (at >= end)
          break;
        int64_t place = column + at;
        float *to =
            packed + place / width * width * rows + row * width + place % width;
#pragma clang loop unroll(full)
        for (int64_t i = 0; i < lanes; ++i)
          std::memcpy(to + i * width,
                      reinterpret_cast<const float *>(&square[i]) + at,
                      piece * sizeof(float));
      }
    }
    for (int64_t at = 0; at < end; ++at) {
      int64_t place = column + at;
      float *to = packed + place / width * width * rows + place % width;
      for (int64_t row = whole; row < rows; ++row)
        to[row * width] = at < height ? from[at * leading + row] : 0.0f;
    }
  }
}

/// A block of the result, and what is added to it.
struct Block {
  float *c;
  int64_t leading;       ///< of c
  int64_t height, width; ///< blockRows and blockColumns at most
  const float *added;    ///< null: nothing; may be c
  int64_t addedLeading;  ///< 0: the same row for all
};

/// The product of a panel of a and one of b, \p rows rows long, with what is
/// added to it. Each row asks for memory that is needed later, \p ahead and
/// \p stride bytes on from there.
__attribute__((target("avx512f"))) inline void
multiplyPanels(const float *a, const float *b, int64_t rows, const Block &block,
               const char *ahead, int64_t stride) {
  float *c = block.c;
#pragma clang loop unroll(full)
  for (int64_t row = 0; row < blockRows; ++row)
#pragma clang loop unroll(full)
    for (int64_t v = 0; v < blockVectors; ++v)
      __builtin_prefetch(c + (row < block.height ? row : 0) * block.leading +
                             v * lanes,
                         /*rw=*/1);
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
  if (block.height == blockRows && block.width == blockColumns) {
#pragma clang loop unroll(full)
    for (int64_t row = 0; row < blockRows; ++row)
#pragma clang loop unroll(full)
      for (int64_t v = 0; v < blockVectors; ++v) {
        Vector sum = sums[row][v];
        if (block.added) {
          Vector other;
          std::memcpy(&other,
                      block.added + row * block.addedLeading + v * lanes,
                      sizeof other);
          sum += other;
        }
        std::memcpy(c + row * block.leading + v * lanes, &sum, sizeof sum);
      }
    return;
  }
  alignas(64) float all[blockRows * blockColumns];
  std::memcpy(all, sums, sizeof all);
  for (int64_t row = 0; row < block.height; ++row)
    for (int64_t column = 0; column < block.width; ++column) {
      float sum = all[row * blockColumns + column];
      if (block.added)
        sum += block.added[row * block.addedLeading + column];
      c[row * block.leading + column] = sum;
    }
}

} // namespace tessera::runtime::blocks

#endif // TESSERA_RUNTIME_HOST_GEMMBLOCKS_H
