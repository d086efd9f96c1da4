//===- AttentionTest.cpp - Attention against its formulas -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cpu/AttentionReference.h"
#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/Numbers.h"
#include "gtest/gtest.h"

using namespace tessera::test;

namespace tessera::test {
void PrintTo(const AttentionCase &c, std::ostream *os) {
  *os << c.batch << " x " << c.heads << " heads x " << c.sequence << " x "
      << c.dim << (c.interleaved ? " interleaved" : " blocked")
      << (c.causal ? " causal" : "") << (c.alibi ? " alibi" : "");
}
} // namespace tessera::test

namespace {

class Attention : public testing::TestWithParam<AttentionCase> {
protected:
  AttentionCase shape = GetParam();
  std::vector<float> qkv =
      randomNumbers(shape.rows() * 3 * shape.hidden(), 1.5, 1);
  std::vector<float> out = std::vector<float>(shape.rows() * shape.hidden());
  std::vector<float> lse =
      std::vector<float>(shape.batch * shape.heads * shape.sequence);

  void forward(int64_t pieces) {
    CompiledKernel kernel(shape.source(false));
    kernel.run({qkv.data(), out.data(), lse.data()}, pieces);
  }
};

TEST_P(Attention, Forward) {
  forward(1);
  std::vector<double> expected;
  shape.forward(widen(qkv), expected);
  // A score of 128 products has an error of some units in its last place.
  EXPECT_LT(relativeError(out, expected), 1e-6);
  std::vector<float> whole = out;
  forward(3);
  EXPECT_EQ(whole, out);
}

std::vector<AttentionCase> cases() {
  return {
      {1, 1, 1, 16},
      {1, 2, 8, 16},
      {2, 2, 64, 32},
      {1, 3, 100, 16, true, true, true},
      {1, 2, 100, 24, false, true, false},
      {1, 2, 256, 64, false, true, false},
      {2, 5, 129, 7, true, true, true},
      {1, 2, 96, 80, true, true, true},
      {1, 2, 77, 20, false, false, false},
      {1, 1, 64, 48, true, false, false},
      {3, 7, 33, 33, true, true, true},
      {1, 2, 300, 128, true, true, true},
  };
}

INSTANTIATE_TEST_SUITE_P(Shapes, Attention, testing::ValuesIn(cases()));

} // namespace
