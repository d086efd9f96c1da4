//===- QuantizedMatmulTest.cpp - Products of 8-bit integers -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/WeightBlocks.h"
#include "runtime/core/Float16.h"
#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/Numbers.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cstring>

using namespace tessera::test;
using tessera::nn::WeightBlocks;
using tessera::runtime::Float16;

namespace {

constexpr int64_t blockInner = WeightBlocks::blockInner;

/// \p text as a kernel of this CPU, with its instructions for bytes.
std::string forThisCpu(const std::string &text) {
  return R"(module attributes {spec.specification = #spec.specification<
    name = "kernel", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    target = #spec.cpu<name = "native">>} {
)" + text +
         "}\n";
}

/// Rows as blocks: what nn.quantize_rows gives.
struct Rows {
  std::vector<int8_t> integers;
  std::vector<float> scales;
  std::vector<int32_t> offsets;
};

struct Sizes {
  int64_t rows, inner, columns;
  WeightBlocks layout() const { return {inner, columns}; }
  int64_t blocks() const { return layout().getBlocks(); }
};

std::string quantizeText(const Sizes &sizes, const std::string &element) {
  int64_t blocks = sizes.blocks();
  std::vector<std::string> in = {tensor({sizes.rows, sizes.inner}, element),
                                 tensor({1}, "i32")},
                           out = {
                               tensor({sizes.rows, blocks * blockInner}, "i8"),
                               tensor({sizes.rows, blocks}),
                               tensor({sizes.rows, blocks}, "i32")};
  return kernelText(
      in, out,
      "%r0, %r1, %r2 = nn.quantize_rows %a0 count %a1 : " + in[0] + ", " +
          in[1] + " -> " + out[0] + ", " + out[1] + ", " + out[2]);
}

template <typename Number>
Rows quantize(const Sizes &sizes, std::vector<Number> numbers,
              const std::string &element, int32_t count) {
  CompiledKernel kernel(quantizeText(sizes, element));
  int64_t blocks = sizes.rows * sizes.blocks();
  Rows result{std::vector<int8_t>(blocks * blockInner, 99),
              std::vector<float>(blocks, 99), std::vector<int32_t>(blocks, 99)};
  kernel.run({numbers.data(), &count, result.integers.data(),
              result.scales.data(), result.offsets.data()},
             3);
  return result;
}

TEST(QuantizeRows, FollowsTheFormula) {
  for (Sizes sizes : {Sizes{1, 32, 1}, Sizes{5, 320, 1}, Sizes{3, 75, 1}}) {
    std::vector<float> numbers =
        randomNumbers(sizes.rows * sizes.inner, 0.3, 11);
    std::fill_n(numbers.begin(), std::min<int64_t>(blockInner, sizes.inner),
                0.0f);
    auto there = static_cast<int32_t>(sizes.rows - sizes.rows / 3);
    Rows rows = quantize(sizes, numbers, "f32", there);
    int64_t blocks = sizes.blocks();
    for (int64_t row = 0; row < there; ++row)
      for (int64_t block = 0; block < blocks; ++block) {
        float most = 0;
        auto at = [&](int64_t i) {
          int64_t column = block * blockInner + i;
          return column < sizes.inner ? numbers[row * sizes.inner + column] : 0;
        };
        for (int64_t i = 0; i < blockInner; ++i)
          most = std::max(most, std::abs(at(i)));
        int64_t number = row * blocks + block;
        float scale = most / 127;
        ASSERT_EQ(rows.scales[number], scale);
        int32_t sum = 0;
        for (int64_t i = 0; i < blockInner; ++i) {
          int8_t integer = rows.integers[number * blockInner + i];
          ASSERT_EQ(integer, scale ? std::nearbyint(at(i) / scale) : 0);
          sum += integer;
        }
        ASSERT_EQ(rows.offsets[number], -128 * sum);
      }
    // Rows that are not there stay as they were.
    if (there < sizes.rows)
      EXPECT_EQ(rows.scales.back(), 99);
  }
}

TEST(QuantizeRows, SixteenBits) {
  Sizes sizes = {2, 96, 1};
  std::vector<tessera::runtime::BFloat16> narrow;
  std::vector<float> wide;
  for (float number : randomNumbers(sizes.rows * sizes.inner, 2, 5)) {
    narrow.push_back(tessera::runtime::toBFloat16(number));
    wide.push_back(toFloat(narrow.back()));
  }
  Rows expected = quantize(sizes, wide, "f32", 2);
  Rows rows = quantize(sizes, narrow, "bf16", 2);
  EXPECT_EQ(rows.integers, expected.integers);
  EXPECT_EQ(rows.scales, expected.scales);
}

/// A block that is not finite gives a scale that is not.
TEST(QuantizeRows, WhatIsNotFiniteShows) {
  Sizes sizes = {1, 64, 1};
  std::vector<float> numbers(sizes.inner, 1);
  numbers[40] = std::numeric_limits<float>::quiet_NaN();
  Rows rows = quantize(sizes, numbers, "f32", 1);
  EXPECT_EQ(rows.scales[0], 1.0f / 127);
  EXPECT_TRUE(std::isnan(rows.scales[1]));
}

/// Weights as integers with scales, and as bytes in their places.
struct Weights {
  explicit Weights(const Sizes &sizes) : sizes(sizes) {
    std::mt19937 generator(17);
    std::uniform_int_distribution<int> integer(-127, 127);
    WeightBlocks layout = sizes.layout();
    // What means nothing may be anything.
    bytes.assign(layout.getBytes(), 0x55);
    for (int64_t tile = 0; tile < layout.getTiles(); ++tile)
      for (int64_t block = 0; block < layout.getBlocks(); ++block)
        std::memset(
            &bytes[tile * layout.getTileBytes() + layout.getScalePlace(block)],
            0, WeightBlocks::scaleBytes);
    for (int64_t column = 0; column < sizes.columns; ++column)
      for (int64_t i = 0; i < sizes.inner; ++i) {
        auto *tile = &bytes[column / 16 * layout.getTileBytes()];
        int value = integer(generator);
        integers.push_back(value);
        int64_t block = i / blockInner;
        tile[layout.getIntegerPlace(block) + i % blockInner / 4 * 64 +
             column % 16 * 4 + i % 4] = static_cast<uint8_t>(value + 128);
        if (i % blockInner)
          continue;
        Float16 scale = tessera::runtime::toFloat16(
            0.001f * static_cast<float>(1 + integer(generator) % 100));
        scales.push_back(toFloat(scale));
        std::memcpy(tile + layout.getScalePlace(block) + 2 * (column % 16),
                    &scale, 2);
      }
  }
  float scale(int64_t column, int64_t block) const {
    return scales[column * sizes.blocks() + block];
  }

  Sizes sizes;
  std::vector<int> integers;
  std::vector<float> scales;
  std::vector<uint8_t> bytes;
};

std::string matmulText(const Sizes &sizes, const std::string &element) {
  int64_t blocks = sizes.blocks();
  std::vector<std::string> in = {
      tensor({sizes.rows, blocks * blockInner}, "i8"),
      tensor({sizes.rows, blocks}),
      tensor({sizes.rows, blocks}, "i32"),
      tensor({sizes.layout().getBytes()}, "i8"),
      tensor({1}, "i32"),
      tensor({sizes.columns}, element)};
  std::string out = tensor({sizes.rows, sizes.columns}, element), types;
  for (const std::string &type : in)
    types += (types.empty() ? "" : ", ") + type;
  return kernelText(in, {out},
                    "%r0 = nn.quantized_matmul %a0, %a1, %a2, %a3 count %a4 "
                    "bias %a5 : (" +
                        types + ") -> " + out);
}

std::vector<float> multiply(CompiledKernel &kernel, const Sizes &sizes,
                            Rows &rows, Weights &weights,
                            std::vector<float> &bias, int32_t count,
                            int64_t pieces) {
  std::vector<float> result(sizes.rows * sizes.columns, 99);
  kernel.run({rows.integers.data(), rows.scales.data(), rows.offsets.data(),
              weights.bytes.data(), &count, bias.data(), result.data()},
             pieces);
  return result;
}

/// The arithmetic of the operation's description.
std::vector<float> reference(const Sizes &sizes, const Rows &rows,
                             const Weights &weights,
                             const std::vector<float> &bias) {
  int64_t blocks = sizes.blocks();
  std::vector<float> result;
  for (int64_t row = 0; row < sizes.rows; ++row)
    for (int64_t column = 0; column < sizes.columns; ++column) {
      float sum = 0;
      for (int64_t block = 0; block < blocks; ++block) {
        int32_t products = 0;
        for (int64_t i = block * blockInner;
             i < std::min((block + 1) * blockInner, sizes.inner); ++i)
          products += rows.integers[row * blocks * blockInner + i] *
                      weights.integers[column * sizes.inner + i];
        float product =
            static_cast<float>(products) * rows.scales[row * blocks + block];
        sum = std::fma(product, weights.scale(column, block), sum);
      }
      result.push_back(sum + bias[column]);
    }
  return result;
}

class QuantizedMatmul : public testing::TestWithParam<Sizes> {};

/// All bits, on CPUs with an instruction for bytes and without, whatever the
/// number of rows and of threads.
TEST_P(QuantizedMatmul, HasTheBitsOfTheFormula) {
  Sizes sizes = GetParam();
  Rows rows = quantize(sizes, randomNumbers(sizes.rows * sizes.inner, 1, 3),
                       "f32", static_cast<int32_t>(sizes.rows));
  Weights weights(sizes);
  std::vector<float> bias = randomNumbers(sizes.columns, 1, 4);
  std::vector<float> expected = reference(sizes, rows, weights, bias);
  CompiledKernel plain(matmulText(sizes, "f32")),
      native(forThisCpu(matmulText(sizes, "f32")));
  for (auto count = static_cast<int32_t>(sizes.rows); count >= 1; --count) {
    auto there = expected.begin() + count * sizes.columns;
    for (CompiledKernel *kernel : {&plain, &native}) {
      std::vector<float> result =
          multiply(*kernel, sizes, rows, weights, bias, count, 1 + count % 3);
      ASSERT_TRUE(std::equal(expected.begin(), there, result.begin()))
          << count << " rows";
      if (count < sizes.rows)
        ASSERT_EQ(result.back(), 99);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, QuantizedMatmul,
                         testing::Values(Sizes{1, 32, 16}, Sizes{3, 64, 20},
                                         Sizes{8, 96, 48}, Sizes{9, 32, 40},
                                         Sizes{14, 75, 33},
                                         Sizes{13, 320, 64}));

/// The largest integers do not overflow, and 16 bits round once.
TEST(QuantizedMatmul, LargestIntegers) {
  Sizes sizes = {1, 64, 16};
  Weights weights(sizes);
  for (int64_t i = 0; i < sizes.inner * 16; ++i)
    weights.bytes[WeightBlocks::getIntegerPlace(0) + i] = 255;
  llvm::fill(weights.integers, 127);
  std::vector<float> bias(16, 0.5f);
  for (float sign : {1.0f, -1.0f}) {
    Rows rows =
        quantize(sizes, std::vector<float>(sizes.inner, sign * 3), "f32", 1);
    std::vector<float> expected = reference(sizes, rows, weights, bias);
    CompiledKernel native(forThisCpu(matmulText(sizes, "f32"))),
        plain(matmulText(sizes, "f32")),
        narrow(forThisCpu(matmulText(sizes, "bf16")));
    EXPECT_EQ(multiply(native, sizes, rows, weights, bias, 1, 1), expected);
    EXPECT_EQ(multiply(plain, sizes, rows, weights, bias, 1, 1), expected);
    std::vector<tessera::runtime::BFloat16> narrowBias(
        16, tessera::runtime::toBFloat16(0.5f)),
        result(16);
    int32_t count = 1;
    narrow.run({rows.integers.data(), rows.scales.data(), rows.offsets.data(),
                weights.bytes.data(), &count, narrowBias.data(),
                result.data()});
    for (size_t i = 0; i < result.size(); ++i)
      EXPECT_EQ(result[i].bits, tessera::runtime::toBFloat16(expected[i]).bits);
  }
}

TEST(QuantizedGather, GivesColumns) {
  for (Sizes sizes : {Sizes{5, 96, 40}, Sizes{3, 75, 17}}) {
    Weights weights(sizes);
    std::string result = tensor({sizes.rows, sizes.inner});
    std::vector<std::string> in = {tensor({sizes.layout().getBytes()}, "i8"),
                                   tensor({sizes.rows}, "i32")};
    CompiledKernel kernel(
        kernelText(in, {result},
                   "%r0 = nn.quantized_gather %a0, %a1 columns " +
                       std::to_string(sizes.columns) + " : " + in[0] + ", " +
                       in[1] + " -> " + result));
    std::vector<int32_t> numbers = {0, static_cast<int32_t>(sizes.columns - 1),
                                    7, 16, 15};
    std::vector<float> rows(sizes.rows * sizes.inner);
    kernel.run({weights.bytes.data(), numbers.data(), rows.data()}, 2);
    for (int64_t row = 0; row < sizes.rows; ++row)
      for (int64_t i = 0; i < sizes.inner; ++i)
        ASSERT_EQ(rows[row * sizes.inner + i],
                  static_cast<float>(
                      weights.integers[numbers[row] * sizes.inner + i]) *
                      weights.scale(numbers[row], i / blockInner));
  }
}

} // namespace
