//===- Float16Test.cpp - Tests of numbers of 16 bits ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All 65536 values against their definition, and rounding around the middle
// of each pair of neighbours.
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Float16.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace tessera::runtime;

namespace {

/// The number that \p bits stand for, by IEEE 754, section 3.4.
double valueOf(uint32_t bits, int exponentBits, int mantissaBits) {
  int mantissa = bits & ((1 << mantissaBits) - 1);
  int exponent = bits >> mantissaBits & ((1 << exponentBits) - 1);
  int bias = (1 << (exponentBits - 1)) - 1;
  double one = 1 << mantissaBits, magnitude;
  if (exponent == (1 << exponentBits) - 1)
    magnitude = mantissa ? NAN : INFINITY;
  else if (exponent == 0)
    magnitude = std::ldexp(mantissa / one, 1 - bias);
  else
    magnitude = std::ldexp(1 + mantissa / one, exponent - bias);
  return bits >> 15 ? -magnitude : magnitude;
}

template <typename Number> Number narrow(float number);
template <> BFloat16 narrow(float number) { return toBFloat16(number); }
template <> Float16 narrow(float number) { return toFloat16(number); }

template <typename Number> void check(int exponentBits, int mantissaBits) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    Number number{static_cast<uint16_t>(bits)};
    double want = valueOf(bits, exponentBits, mantissaBits);
    float have = toFloat(number);
    Number back = narrow<Number>(have);
    if (std::isnan(want)) {
      ASSERT_TRUE(std::isnan(have)) << bits;
      ASSERT_TRUE(std::isnan(toFloat(back))) << bits;
      continue;
    }
    ASSERT_EQ(have, want) << bits;
    ASSERT_EQ(std::signbit(have), std::signbit(want)) << bits;
    ASSERT_EQ(back.bits, bits);
    // The neighbour away from zero; beyond the largest number it is infinite,
    // and the middle is where the next power of two would be a neighbour.
    if (std::isinf(want))
      continue;
    double next = valueOf(bits + 1, exponentBits, mantissaBits);
    if (std::isinf(next))
      next = 2 * want - valueOf(bits - 1, exponentBits, mantissaBits);
    float middle = static_cast<float>((want + next) / 2);
    ASSERT_EQ(double(middle), (want + next) / 2) << "not exact: " << bits;
    ASSERT_EQ(narrow<Number>(middle).bits, bits % 2 ? bits + 1 : bits);
    ASSERT_EQ(narrow<Number>(std::nextafter(middle, 0.0f)).bits, bits);
    float beyond = std::copysign(std::numeric_limits<float>::infinity(), have);
    ASSERT_EQ(narrow<Number>(std::nextafter(middle, beyond)).bits, bits + 1);
  }
}

TEST(Float16, EveryBFloat16) { check<BFloat16>(8, 7); }

TEST(Float16, EveryHalf) { check<Float16>(5, 10); }

TEST(Float16, OutOfRange) {
  float largest = std::numeric_limits<float>::max();
  EXPECT_EQ(toFloat16(largest).bits, 0x7c00);
  EXPECT_EQ(toFloat16(-65536).bits, 0xfc00);
  EXPECT_EQ(toFloat16(0x1p-140f).bits, 0);
  EXPECT_EQ(toFloat16(-0x1p-26f).bits, 0x8000);
  EXPECT_EQ(toBFloat16(largest).bits, 0x7f80);
  // A NaN whose payload lies in the bits that are lost.
  float nan = std::bit_cast<float>(0x7f800001u);
  EXPECT_TRUE(std::isnan(toFloat(toBFloat16(nan))));
  EXPECT_TRUE(std::isnan(toFloat(toFloat16(nan))));
}

} // namespace
