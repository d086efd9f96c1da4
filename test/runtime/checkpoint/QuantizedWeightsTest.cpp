//===- QuantizedWeightsTest.cpp - Weights as 8-bit integers ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/QuantizedWeights.h"
#include "dialects/nn/WeightBlocks.h"
#include "runtime/core/Float16.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

namespace tessera::runtime {
namespace {

using Layout = nn::WeightBlocks;

struct Matrix {
  Matrix(int64_t rows, int64_t columns, double deviation = 0.02)
      : rows(rows), columns(columns), numbers(rows * columns) {
    std::mt19937 generator(rows + columns);
    std::normal_distribution<float> normal(0, deviation);
    for (float &number : numbers)
      number = normal(generator);
  }

  GroupTensor tensor(int64_t along) const {
    Layout layout = {along ? columns : rows, along ? rows : columns};
    GroupTensor result;
    result.name = "w";
    result.shape = {rows, columns};
    result.blocks = {along,
                     Layout::blockInner,
                     Layout::tileColumns,
                     Layout::together,
                     Layout::integerOffset,
                     Layout::groupBlocks,
                     layout.getTileBytes(),
                     0};
    return result;
  }

  GiveNumbers give(int64_t first = 0) const {
    return [this, first](float *to, int64_t begin, int64_t end) {
      std::copy(numbers.begin() + first + begin, numbers.begin() + first + end,
                to);
    };
  }

  std::vector<char> quantize(int64_t along) const {
    Layout layout = {along ? columns : rows, along ? rows : columns};
    std::vector<char> memory(layout.getBytes());
    quantizeRows(memory.data(), tensor(along), {0, rows}, give());
    return memory;
  }

  int64_t rows, columns;
  std::vector<float> numbers;
};

/// The scale of a block of \p memory, and one of its integers.
struct Reader {
  const std::vector<char> &memory;
  Layout layout;

  const char *tile(int64_t column) const {
    return memory.data() + column / 16 * layout.getTileBytes();
  }
  float scale(int64_t column, int64_t inner) const {
    Float16 bits;
    memcpy(&bits,
           tile(column) + layout.getScalePlace(inner / 32) + 2 * (column % 16),
           sizeof bits);
    return toFloat(bits);
  }
  int integer(int64_t column, int64_t inner) const {
    const char *block = tile(column) + layout.getIntegerPlace(inner / 32);
    return static_cast<uint8_t>(
               block[inner % 32 / 4 * 64 + column % 16 * 4 + inner % 4]) -
           128;
  }
};

TEST(QuantizedWeights, FollowTheFormula) {
  for (auto [columns, inner] : {std::pair(16, 32), std::pair(40, 96),
                                std::pair(33, 75), std::pair(5, 2100)}) {
    Matrix matrix(columns, inner);
    std::fill_n(matrix.numbers.begin(), 32, 0.0f);
    std::vector<char> memory = matrix.quantize(1);
    Reader reader{memory, {inner, columns}};
    for (int64_t column = 0; column < columns; ++column)
      for (int64_t i = 0; i < inner; ++i) {
        float most = 0;
        for (int64_t j = i / 32 * 32;
             j < std::min<int64_t>(i / 32 * 32 + 32, inner); ++j)
          most = std::max(most, std::abs(matrix.numbers[column * inner + j]));
        float scale = reader.scale(column, i);
        // Not below, and within a last place of fp16.
        ASSERT_GE(scale, most / 127);
        ASSERT_LE(scale, most / 127 * (1 + 0x1p-10f) + 0x1p-24f);
        int integer = reader.integer(column, i);
        float number = matrix.numbers[column * inner + i];
        ASSERT_EQ(integer, scale ? std::nearbyint(number / scale) : 0);
        ASSERT_LE(std::abs(integer), 127);
        ASSERT_LE(std::abs(number - static_cast<float>(integer) * scale),
                  scale * 0.50002f);
      }
  }
}

TEST(QuantizedWeights, DirectionsOfAMatrixGiveTheSameBytes) {
  for (auto [rows, columns] : {std::pair(96, 40), std::pair(75, 1030)}) {
    Matrix matrix(rows, columns), transposed(columns, rows);
    for (int64_t i = 0; i < rows * columns; ++i)
      transposed.numbers[i % columns * rows + i / columns] = matrix.numbers[i];
    EXPECT_EQ(matrix.quantize(0), transposed.quantize(1));
  }
}

TEST(QuantizedWeights, PartsAndPiecesGiveTheSameBytes) {
  Matrix matrix(56, 70);
  std::vector<char> whole = matrix.quantize(1), parts(whole.size());
  for (auto [first, rows] :
       {std::pair(40, 16), std::pair(0, 9), std::pair(9, 31)}) {
    GroupTensor part = matrix.tensor(1);
    part.shape[0] = rows;
    part.blocks->first = first;
    quantizeRows(parts.data(), part, {0, rows / 2}, matrix.give(first * 70));
    quantizeRows(parts.data(), part, {rows / 2, rows}, matrix.give(first * 70));
  }
  EXPECT_EQ(parts, whole);

  std::vector<char> along = matrix.quantize(0), pieces(along.size());
  quantizeRows(pieces.data(), matrix.tensor(0), {32, 56}, matrix.give());
  quantizeRows(pieces.data(), matrix.tensor(0), {0, 32}, matrix.give());
  EXPECT_EQ(pieces, along);
}

TEST(QuantizedWeights, ExtremeNumbers) {
  Matrix matrix(3, 32);
  std::fill_n(matrix.numbers.begin(), 32, mostQuantized);
  std::fill_n(matrix.numbers.begin() + 32, 32, -1e-9f); // under fp16's least
  std::fill_n(matrix.numbers.begin() + 64, 32, 1e-5f);
  std::vector<char> memory = matrix.quantize(1);
  Reader reader{memory, {32, 3}};
  EXPECT_EQ(reader.scale(0, 0), 65504);
  EXPECT_EQ(reader.integer(0, 5), 127);
  EXPECT_EQ(reader.scale(1, 0), 0x1p-24f);
  EXPECT_EQ(reader.integer(1, 5), 0);
  EXPECT_EQ(reader.scale(2, 0), 0x1p-23f);
  EXPECT_EQ(reader.integer(2, 5), 84);
}

} // namespace
} // namespace tessera::runtime
