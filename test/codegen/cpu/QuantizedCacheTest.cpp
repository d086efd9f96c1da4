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

constexpr int64_t rowCount = 3, headCount = 4, keyHeadCount = 2, slotCount = 2,
                  context = 5, dim = 40;
constexpr int64_t columnCount = (headCount + 2 * keyHeadCount) * dim;
constexpr int64_t positionCount = 2 * slotCount * keyHeadCount * context;

const std::string qkvType = tensor({rowCount, columnCount}),
                  cacheType =
                      tensor({2, slotCount, keyHeadCount, context, dim}, "i8"),
                  scalesType =
                      tensor({2, slotCount, keyHeadCount, context, 1}, "f16"),
                  numbersType = tensor({rowCount}, "i32");

struct Cache {
  std::vector<int8_t> integers = std::vector<int8_t>(positionCount * dim, 99);
  std::vector<Float16> scales = std::vector<Float16>(positionCount, {0x1234});
  std::vector<int32_t> slots = {1, 0, 1}, positions = {3, 0, 1}, count = {2};
};

std::string rowsText(const std::string &after) {
  return " scaled %a5 at %a2, %a3 count %a4 heads 4 layout blocked" + after +
         " : " + qkvType + ", " + cacheType + ", " + numbersType + ", " +
         numbersType + ", tensor<1xi32>, " + scalesType;
}

Cache write(std::vector<float> &qkv) {
  CompiledKernel kernel(kernelText({qkvType, cacheType, numbersType,
                                    numbersType, "tensor<1xi32>", scalesType},
                                   {cacheType, scalesType},
                                   "%r0, %r1 = nn.cache_write %a0 into %a1" +
                                       rowsText("") + " -> " + scalesType,
                                   {1, 5}));
  Cache cache;
  kernel.run({qkv.data(), cache.integers.data(), cache.slots.data(),
              cache.positions.data(), cache.count.data(), cache.scales.data(),
              cache.integers.data(), cache.scales.data()},
             2);
  return cache;
}

TEST(QuantizedCache, FollowsTheFormula) {
  std::vector<float> qkv = randomNumbers(rowCount * columnCount, 1, 5);
  // The values of a head of row 1 are nothing.
  auto *nothing = &qkv[columnCount + (headCount + keyHeadCount) * dim];
  std::fill_n(nothing, dim, 0.0f);
  Cache cache = write(qkv);
  int64_t written = 0;
  for (int64_t row = 0; row < 2; ++row)
    for (int64_t which = 0; which < 2; ++which)
      for (int64_t head = 0; head < keyHeadCount; ++head) {
        const float *from =
            &qkv[row * columnCount +
                 (headCount + which * keyHeadCount + head) * dim];
        int64_t place =
            ((which * slotCount + cache.slots[row]) * keyHeadCount + head) *
                context +
            cache.positions[row];
        float most = 0;
        for (int64_t i = 0; i < dim; ++i)
          most = std::max(most, std::abs(from[i]));
        float scale = toFloat(cache.scales[place]);
        ASSERT_GE(scale, most / 127);
        ASSERT_LE(scale, most / 127 * (1 + 0x1p-10f));
        for (int64_t i = 0; i < dim; ++i)
          ASSERT_EQ(cache.integers[place * dim + i],
                    scale ? std::nearbyint(from[i] / scale) : 0);
        ++written;
      }
  // Nothing else is.
  EXPECT_EQ(llvm::count_if(cache.scales,
                           [](Float16 scale) { return scale.bits != 0x1234; }),
            written);
}

/// Attention to integers is attention to the numbers that they stand for.
TEST(QuantizedCache, AttendsToWhatIntegersStandFor) {
  std::vector<float> qkv = randomNumbers(rowCount * columnCount, 1, 6);
  Cache cache;
  std::mt19937 generator(1);
  std::vector<float> numbers;
  for (int64_t place = 0; place < positionCount; ++place) {
    cache.scales[place] = tessera::runtime::toFloat16(
        0.001f * static_cast<float>(1 + generator() % 30));
    for (int64_t i = 0; i < dim; ++i) {
      auto integer = static_cast<int8_t>(generator() % 255 - 127);
      cache.integers[place * dim + i] = integer;
      numbers.push_back(static_cast<float>(integer) *
                        toFloat(cache.scales[place]));
    }
  }
  std::string result = tensor({rowCount, headCount * dim});
  std::string wide = tensor({2, slotCount, keyHeadCount, context, dim});
  CompiledKernel kernel(kernelText({qkvType, cacheType, numbersType,
                                    numbersType, "tensor<1xi32>", scalesType},
                                   {result},
                                   "%r0 = nn.cached_attention %a0, %a1" +
                                       rowsText(" scale 0.2") + " -> " +
                                       result));
  CompiledKernel exact(kernelText(
      {qkvType, wide, numbersType, numbersType, "tensor<1xi32>"}, {result},
      "%r0 = nn.cached_attention %a0, %a1 at %a2, %a3 count %a4 heads 4 layout "
      "blocked scale 0.2 : " +
          qkvType + ", " + wide + ", " + numbersType + ", " + numbersType +
          ", tensor<1xi32> -> " + result));
  std::vector<float> rows(rowCount * headCount * dim, 7), expected = rows;
  kernel.run({qkv.data(), cache.integers.data(), cache.slots.data(),
              cache.positions.data(), cache.count.data(), cache.scales.data(),
              rows.data()});
  exact.run({qkv.data(), numbers.data(), cache.slots.data(),
             cache.positions.data(), cache.count.data(), expected.data()});
  EXPECT_EQ(rows, expected);
}

} // namespace
