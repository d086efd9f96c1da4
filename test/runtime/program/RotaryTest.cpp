//===- RotaryTest.cpp - The table of rotary positions ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/Rotary.h"
#include <cmath>
#include <gtest/gtest.h>

namespace tessera::runtime {
namespace {

// Cosines of all positions come before sines; angles are rounded to fp32.
TEST(Rotary, TableHasCosinesAndThenSines) {
  Rotary rotary = {{1, 0.01F}, 1.5};
  float table[2 * 3000 * 2];
  computeRotary(rotary, 3000, table);
  EXPECT_EQ(table[0], 1.5F);
  EXPECT_EQ(table[6000], 0);
  for (int position : {1, 7, 2999})
    for (int i = 0; i < 2; ++i) {
      float angle = float(position) * (i ? 0.01F : 1.0F);
      EXPECT_FLOAT_EQ(table[2 * position + i], 1.5 * std::cos(double(angle)));
      EXPECT_FLOAT_EQ(table[6000 + 2 * position + i],
                      1.5 * std::sin(double(angle)));
    }
}

} // namespace
} // namespace tessera::runtime
