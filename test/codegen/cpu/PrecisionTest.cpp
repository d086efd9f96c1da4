//===- PrecisionTest.cpp - Kernels on 16 bits -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Float16.h"
#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/Numbers.h"
#include <bit>
#include <cmath>
#include <gtest/gtest.h>

using namespace tessera;
using namespace tessera::runtime;
using namespace tessera::test;

namespace {

/// One of the types of 16 bits, by its name in IR.
struct Narrow {
  const char *name;
  float (*widen)(uint16_t);
  uint16_t (*round)(float);
};

constexpr Narrow brain = {"bf16",
                          [](uint16_t bits) { return toFloat(BFloat16{bits}); },
                          [](float number) { return toBFloat16(number).bits; }};
constexpr Narrow half = {"f16",
                         [](uint16_t bits) { return toFloat(Float16{bits}); },
                         [](float number) { return toFloat16(number).bits; }};

class Precision : public testing::TestWithParam<Narrow> {
protected:
  std::string type(const std::vector<int64_t> &shape) {
    return tensor(shape, GetParam().name);
  }
  std::vector<uint16_t> round(const std::vector<float> &numbers) {
    std::vector<uint16_t> result;
    for (float number : numbers)
      result.push_back(GetParam().round(number));
    return result;
  }
  std::vector<float> widen(const std::vector<uint16_t> &bits) {
    std::vector<float> result;
    for (uint16_t number : bits)
      result.push_back(GetParam().widen(number));
    return result;
  }
};
INSTANTIATE_TEST_SUITE_P(Types, Precision, testing::Values(brain, half),
                         [](const testing::TestParamInfo<Narrow> &info) {
                           return std::string(info.param.name);
                         });

TEST_P(Precision, WidensEveryNumber) {
  constexpr int64_t count = 65536;
  CompiledKernel kernel(kernelText({type({count})}, {tensor({count})},
                                   "%r0 = arith.extf %a0 : " + type({count}) +
                                       " to " + tensor({count})));
  std::vector<uint16_t> bits(count);
  for (int64_t i = 0; i < count; ++i)
    bits[i] = static_cast<uint16_t>(i);
  std::vector<float> got(count), expected = widen(bits);
  kernel.run({bits.data(), got.data()}, 3);
  for (int64_t i = 0; i < count; ++i) {
    if (std::isnan(expected[i]))
      ASSERT_TRUE(std::isnan(got[i])) << i;
    else
      ASSERT_EQ(std::bit_cast<uint32_t>(got[i]),
                std::bit_cast<uint32_t>(expected[i]))
          << i;
  }
}

/// To nearest, ties to even, infinity where it is too large; any length.
TEST_P(Precision, RoundsToNearest) {
  std::vector<float> numbers = randomNumbers(4001, 3, 1);
  for (int exponent = -13; exponent <= 15; ++exponent)
    for (float last : {0x1p-8f, 0x3p-8f, 0x1p-11f, 0x3p-11f})
      for (float sign : {1.0f, -1.0f})
        numbers.push_back(sign * std::ldexp(1 + last, exponent));
  for (float number : {0.0f, -0.0f, 65519.0f, 65520.0f, 1e30f, 3.4e38f,
                       -3.4e38f, INFINITY, -INFINITY})
    numbers.push_back(number);
  int64_t count = numbers.size();
  CompiledKernel kernel(kernelText(
      {tensor({count})}, {type({count})},
      "%r0 = arith.truncf %a0 : " + tensor({count}) + " to " + type({count})));
  std::vector<uint16_t> got(count);
  kernel.run({numbers.data(), got.data()}, 2);
  for (int64_t i = 0; i < count; ++i)
    ASSERT_EQ(got[i], GetParam().round(numbers[i])) << numbers[i];
  float nan = NAN;
  std::vector<float> nans(count, nan);
  kernel.run({nans.data(), got.data()}, 1);
  EXPECT_TRUE(std::isnan(GetParam().widen(got[5])));
}

/// Each operation rounds, whether its result is stored or only read on.
TEST_P(Precision, RoundsWhereTheTypeSaysSo) {
  for (bool isStored : {false, true}) {
    std::string full = type({7, 37});
    std::vector<std::string> results = {full};
    if (isStored)
      results.push_back(full);
    std::string sum = isStored ? "%r1" : "%s";
    CompiledKernel kernel(kernelText({full, full, full}, results,
                                     sum + " = arith.addf %a0, %a1 : " + full +
                                         "\n%r0 = " + "arith.mulf " + sum +
                                         ", %a2 : " + full));
    auto a = round(randomNumbers(7 * 37, 1, 1)),
         b = round(randomNumbers(7 * 37, 1, 2)),
         c = round(randomNumbers(7 * 37, 1, 3));
    std::vector<uint16_t> product(7 * 37), stored(7 * 37);
    std::vector<void *> buffers = {a.data(), b.data(), c.data(),
                                   product.data()};
    if (isStored)
      buffers.push_back(stored.data());
    kernel.run(buffers, 2);
    auto wideA = widen(a), wideB = widen(b), wideC = widen(c);
    for (size_t i = 0; i < a.size(); ++i) {
      uint16_t rounded = GetParam().round(wideA[i] + wideB[i]);
      ASSERT_EQ(product[i],
                GetParam().round(GetParam().widen(rounded) * wideC[i]));
      if (isStored) {
        ASSERT_EQ(stored[i], rounded);
      }
    }
  }
}

/// Sums are fp32 and rounded once, if at all.
TEST_P(Precision, SumsInSinglePrecision) {
  constexpr int64_t rows = 300, columns = 70;
  std::string full = type({rows, columns});
  auto x = round(randomNumbers(rows * columns, 1, 4));
  auto wide = widen(x);
  for (bool byRows : {true, false}) {
    int64_t kept = byRows ? rows : columns;
    std::vector<double> sums(kept);
    for (int64_t i = 0; i < rows * columns; ++i)
      sums[byRows ? i / columns : i % columns] += wide[i];
    std::string dims = byRows ? "[1]" : "[0]";
    CompiledKernel single(kernelText({full}, {tensor({kept})},
                                     "%r0 = nn.reduce sum %a0 dims " + dims +
                                         " : " + full + " -> " +
                                         tensor({kept}))),
        narrow(kernelText({full}, {type({kept})},
                          "%r0 = nn.reduce sum %a0 dims " + dims + " : " +
                              full + " -> " + type({kept})));
    std::vector<float> got(kept);
    std::vector<uint16_t> rounded(kept);
    single.run({x.data(), got.data()}, 2);
    narrow.run({x.data(), rounded.data()}, 2);
    for (int64_t i = 0; i < kept; ++i) {
      EXPECT_NEAR(got[i], sums[i], 1e-4);
      EXPECT_EQ(rounded[i], GetParam().round(got[i]));
    }
  }
}

/// The optimizer updates the master as ever, and rounds it.
TEST_P(Precision, RoundsTheMaster) {
  constexpr int64_t count = 1000;
  std::string flat = tensor({count}), narrow = type({count});
  std::string text =
      " = zero.update %a0, %a1 states %a2, %a3 by %a4, %a5 using "
      "#optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %a6 "
      "lr_scales [1.0, 1.0] weight_decays [0.1, 0.0] : (" +
      flat + ", ";
  std::string rest = ", " + flat + ", " + flat +
                     ", tensor<f32>, tensor<4xf32>, tensor<1xi64>) -> (" +
                     flat + ", " + flat + ", " + flat;
  std::vector<std::string> scalars = {"tensor<f32>", "tensor<4xf32>",
                                      "tensor<1xi64>"};
  CompiledKernel mixed(kernelText(
      {flat, narrow, flat, flat, scalars[0], scalars[1], scalars[2]},
      {flat, flat, flat, narrow},
      "%r0, %r1, %r2, %r3" + text + narrow + rest + ", " + narrow + ")"));
  CompiledKernel single(kernelText(
      {flat, flat, flat, flat, scalars[0], scalars[1], scalars[2]},
      {flat, flat, flat}, "%r0, %r1, %r2" + text + flat + rest + ")"));
  auto p = randomNumbers(count, 1, 1);
  auto g = round(randomNumbers(count, 0.1, 2));
  auto wide = widen(g);
  std::vector<float> m(count), v(count), pOne(count), mOne(count), vOne(count);
  std::vector<uint16_t> rounded(count);
  std::vector<float> pTwo(count), mTwo(count), vTwo(count);
  float clip = 0.5, hyper[] = {0.01f, 0.1f, 0.05f, 1};
  int64_t decayEnd = 500;
  mixed.run({p.data(), g.data(), m.data(), v.data(), &clip, hyper, &decayEnd,
             pOne.data(), mOne.data(), vOne.data(), rounded.data()});
  single.run({p.data(), wide.data(), m.data(), v.data(), &clip, hyper,
              &decayEnd, pTwo.data(), mTwo.data(), vTwo.data()});
  EXPECT_EQ(pOne, pTwo);
  EXPECT_EQ(mOne, mTwo);
  EXPECT_EQ(vOne, vTwo);
  EXPECT_EQ(rounded, round(pOne));
}

} // namespace
