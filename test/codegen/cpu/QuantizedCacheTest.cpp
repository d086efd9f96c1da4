//===- QuantizedCacheTest.cpp - A cache of 8-bit integers -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Float16.h"
#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/Numbers.h"
#include "gtest/gtest.h"
#include <algorithm>

using namespace tessera::test;
using tessera::runtime::Float16;

namespace {

constexpr int64_t kRows = 3, kHeads = 4, kKeyHeads = 2, kSlots = 2,
                  kContext = 5, kDim = 40;
constexpr int64_t kColumns = (kHeads + 2 * kKeyHeads) * kDim;
constexpr int64_t kPositions = 2 * kSlots * kKeyHeads * kContext;

const std::string kQkv = tensor({kRows, kColumns}),
                  kCache = tensor({2, kSlots, kKeyHeads, kContext, kDim}, "i8"),
                  kScales = tensor({2, kSlots, kKeyHeads, kContext, 1}, "f16"),
                  kNumbers = tensor({kRows}, "i32");

struct Cache {
  std::vector<int8_t> integers = std::vector<int8_t>(kPositions * kDim, 99);
  std::vector<Float16> scales = std::vector<Float16>(kPositions, {0x1234});
  std::vector<int32_t> slots = {1, 0, 1}, positions = {3, 0, 1}, count = {2};
};

std::string rowsText(const std::string &after) {
  return " scaled %a5 at %a2, %a3 count %a4 heads 4 layout blocked" + after +
         " : " + kQkv + ", " + kCache + ", " + kNumbers + ", " + kNumbers +
         ", tensor<1xi32>, " + kScales;
}

Cache write(std::vector<float> &qkv) {
  CompiledKernel kernel(
      kernelText({kQkv, kCache, kNumbers, kNumbers, "tensor<1xi32>", kScales},
                 {kCache, kScales},
                 "%r0, %r1 = nn.cache_write %a0 into %a1" + rowsText("") +
                     " -> " + kScales,
                 {1, 5}));
  Cache cache;
  kernel.run({qkv.data(), cache.integers.data(), cache.slots.data(),
              cache.positions.data(), cache.count.data(), cache.scales.data(),
              cache.integers.data(), cache.scales.data()},
             2);
  return cache;
}

TEST(QuantizedCache, FollowsTheFormula) {
  std::vector<float> qkv = randomNumbers(kRows * kColumns, 1, 5);
  // The values of a head of row 1 are nothing.
  auto *nothing = &qkv[kColumns + (kHeads + kKeyHeads) * kDim];
  std::fill_n(nothing, kDim, 0.0f);
  Cache cache = write(qkv);
  int64_t written = 0;
  for (int64_t row = 0; row < 2; ++row)
    for (int64_t which = 0; which < 2; ++which)
      for (int64_t head = 0; head < kKeyHeads; ++head) {
        const float *from =
            &qkv[row * kColumns + (kHeads + which * kKeyHeads + head) * kDim];
        int64_t place =
            ((which * kSlots + cache.slots[row]) * kKeyHeads + head) *
                kContext +
            cache.positions[row];
        float most = 0;
        for (int64_t i = 0; i < kDim; ++i)
          most = std::max(most, std::abs(from[i]));
        float scale = toFloat(cache.scales[place]);
        ASSERT_GE(scale, most / 127);
        ASSERT_LE(scale, most / 127 * (1 + 0x1p-10f));
        for (int64_t i = 0; i < kDim; ++i)
          ASSERT_EQ(cache.integers[place * kDim + i],
                    scale ? std::nearbyint(from[i] / scale) : 0);
        ++written;
      }
  // Nothing else is.
  EXPECT_EQ(std::count_if(cache.scales.begin(), cache.scales.end(),
                          [](Float16 scale) { return scale.bits != 0x1234; }),
            written);
}

/// Attention to integers is attention to the numbers that they stand for.
TEST(QuantizedCache, AttendsToWhatIntegersStandFor) {
  std::vector<float> qkv = randomNumbers(kRows * kColumns, 1, 6);
  Cache cache;
  std::mt19937 generator(1);
  std::vector<float> numbers;
  for (int64_t place = 0; place < kPositions; ++place) {
    cache.scales[place] = tessera::runtime::toFloat16(
        0.001f * static_cast<float>(1 + generator() % 30));
    for (int64_t i = 0; i < kDim; ++i) {
      auto integer = static_cast<int8_t>(generator() % 255 - 127);
      cache.integers[place * kDim + i] = integer;
      numbers.push_back(static_cast<float>(integer) *
                        toFloat(cache.scales[place]));
    }
  }
  std::string result = tensor({kRows, kHeads * kDim});
  std::string wide = tensor({2, kSlots, kKeyHeads, kContext, kDim});
  CompiledKernel kernel(kernelText(
      {kQkv, kCache, kNumbers, kNumbers, "tensor<1xi32>", kScales}, {result},
      "%r0 = nn.cached_attention %a0, %a1" + rowsText(" scale 0.2") + " -> " +
          result));
  CompiledKernel exact(kernelText(
      {kQkv, wide, kNumbers, kNumbers, "tensor<1xi32>"}, {result},
      "%r0 = nn.cached_attention %a0, %a1 at %a2, %a3 count %a4 heads 4 layout "
      "blocked scale 0.2 : " +
          kQkv + ", " + wide + ", " + kNumbers + ", " + kNumbers +
          ", tensor<1xi32> -> " + result));
  std::vector<float> rows(kRows * kHeads * kDim, 7), expected = rows;
  kernel.run({qkv.data(), cache.integers.data(), cache.slots.data(),
              cache.positions.data(), cache.count.data(), cache.scales.data(),
              rows.data()});
  exact.run({qkv.data(), numbers.data(), cache.slots.data(),
             cache.positions.data(), cache.count.data(), expected.data()});
  EXPECT_EQ(rows, expected);
}

} // namespace
