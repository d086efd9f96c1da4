//===- QuantizeTest.cpp - Parameters as bytes and back ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Float16.h"
#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/Numbers.h"
#include "gtest/gtest.h"
#include <cstring>
#include <limits>

using namespace tessera::test;

namespace {

constexpr int64_t blockSize = 256;

int64_t messageBytes(int64_t elements) {
  return elements + 4 * ((elements + blockSize - 1) / blockSize);
}

/// Both kernels for \p parts parts of \p elements numbers.
struct Kernels {
  Kernels(int64_t elements, int64_t parts, const std::string &element = "f32")
      : elements(elements), parts(parts), bytes(messageBytes(elements)),
        quantize(kernelText(
            {tensor({elements}, element)}, {tensor({bytes}, "i8")},
            "%r0 = zero.quantize %a0 : " + tensor({elements}, element) +
                " -> " + tensor({bytes}, "i8"))),
        dequantize(kernelText({tensor({parts * bytes}, "i8")},
                              {tensor({parts * elements}, element)},
                              "%r0 = zero.dequantize %a0 parts " +
                                  std::to_string(parts) + " : " +
                                  tensor({parts * bytes}, "i8") + " -> " +
                                  tensor({parts * elements}, element))) {}

  /// The messages of all parts of \p numbers, one after the other.
  template <typename Number>
  std::vector<int8_t> toBytes(std::vector<Number> &numbers, int64_t pieces) {
    std::vector<int8_t> messages(parts * bytes);
    for (int64_t part = 0; part < parts; ++part)
      quantize.run(
          {numbers.data() + part * elements, messages.data() + part * bytes},
          pieces);
    return messages;
  }
  template <typename Number>
  std::vector<Number> there(std::vector<Number> &numbers, int64_t pieces = 1) {
    std::vector<int8_t> messages = toBytes(numbers, pieces);
    std::vector<Number> result(parts * elements);
    dequantize.run({messages.data(), result.data()}, pieces);
    return result;
  }

  int64_t elements, parts, bytes;
  CompiledKernel quantize, dequantize;
};

class Quantize : public testing::TestWithParam<std::pair<int64_t, int64_t>> {};

/// The bytes and scales are those of the formula, and what they stand for is
/// at most half a step away from each number.
TEST_P(Quantize, FollowsTheFormula) {
  auto [elements, parts] = GetParam();
  Kernels kernels(elements, parts);
  std::vector<float> numbers = randomNumbers(parts * elements, 0.02, 7);
  // Blocks differ in size by far.
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] *= static_cast<float>(std::pow(10, i / blockSize % 7));
  std::vector<int8_t> messages = kernels.toBytes(numbers, 3);
  std::vector<float> result = kernels.there(numbers, 3);
  for (int64_t i = 0; i < parts * elements; ++i) {
    int64_t part = i / elements, first = i % elements / blockSize * blockSize;
    float most = 0;
    for (int64_t j = first; j < std::min(first + blockSize, elements); ++j)
      most = std::max(most, std::abs(numbers[part * elements + j]));
    const int8_t *message = messages.data() + part * kernels.bytes;
    float scale;
    memcpy(&scale, message + elements + first / blockSize * 4, sizeof scale);
    ASSERT_EQ(scale, most / 127);
    ASSERT_EQ(message[i % elements], std::nearbyint(numbers[i] / scale));
    ASSERT_EQ(result[i], static_cast<float>(message[i % elements]) * scale);
    // The quotient and the product are rounded once each.
    ASSERT_LE(std::abs(numbers[i] - result[i]), scale * 0.50002) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Quantize,
                         testing::Values(std::pair(16, 1), std::pair(256, 2),
                                         std::pair(272, 3),
                                         std::pair(4096 + 240, 2)));

TEST(Quantize, RoundsTiesToEven) {
  Kernels kernels(256, 1);
  std::vector<float> numbers(256);
  numbers[0] = 127; // a scale of 1
  for (int i = 1; i < 127; ++i) {
    numbers[i] = static_cast<float>(i) - 0.5f;
    numbers[127 + i] = 0.5f - static_cast<float>(i);
  }
  std::vector<float> result = kernels.there(numbers);
  for (int i = 0; i < 256; ++i)
    EXPECT_EQ(result[i], std::nearbyint(numbers[i])) << numbers[i];
}

TEST(Quantize, ExtremeBlocks) {
  float huge = std::numeric_limits<float>::max() / 2,
        tiny = std::numeric_limits<float>::denorm_min(),
        infinite = std::numeric_limits<float>::infinity(),
        none = std::numeric_limits<float>::quiet_NaN();
  Kernels kernels(5 * blockSize, 1);
  std::vector<float> numbers(5 * blockSize);
  // The first block is all zeros.
  for (int64_t i = blockSize; i < 2 * blockSize; ++i)
    numbers[i] = i % 2 ? huge : -huge;
  for (int64_t i = 2 * blockSize; i < 3 * blockSize; ++i)
    numbers[i] = 190 * tiny;
  for (int64_t i = 3 * blockSize; i < 5 * blockSize; ++i)
    numbers[i] = 1;
  numbers[3 * blockSize + 100] = -infinite;
  numbers[4 * blockSize + 200] = none;
  std::vector<float> result = kernels.there(numbers);
  for (int64_t i = 0; i < blockSize; ++i) {
    EXPECT_EQ(result[i], 0);
    EXPECT_NEAR(result[blockSize + i] / numbers[blockSize + i], 1, 1e-6);
    EXPECT_EQ(result[2 * blockSize + i], 0);
    EXPECT_FALSE(std::isfinite(result[3 * blockSize + i]));
    EXPECT_FALSE(std::isfinite(result[4 * blockSize + i]));
  }
}

/// In 16 bits what stands for a number is rounded once more.
TEST(Quantize, SixteenBits) {
  Kernels kernels(4096 + 16, 2, "bf16");
  std::vector<float> wide = randomNumbers(2 * kernels.elements, 0.02, 3);
  std::vector<tessera::runtime::BFloat16> numbers(wide.size());
  for (size_t i = 0; i < wide.size(); ++i) {
    numbers[i] = tessera::runtime::toBFloat16(wide[i]);
    wide[i] = tessera::runtime::toFloat(numbers[i]);
  }
  Kernels exact(kernels.elements, 2);
  std::vector<float> expected = exact.there(wide);
  std::vector<tessera::runtime::BFloat16> result = kernels.there(numbers);
  for (size_t i = 0; i < wide.size(); ++i)
    ASSERT_EQ(
        tessera::runtime::toFloat(result[i]),
        tessera::runtime::toFloat(tessera::runtime::toBFloat16(expected[i])));
}

} // namespace
