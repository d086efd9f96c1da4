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

namespace {

class Attention : public testing::TestWithParam<AttentionCase> {
protected:
  AttentionCase shape = GetParam();
  AttentionDraw draw{shape};
  std::vector<float> qkv =
      randomNumbers(shape.rows() * 3 * shape.hidden(), 1.5, 1);
  std::vector<float> out = std::vector<float>(shape.rows() * shape.hidden());
  std::vector<float> lse =
      std::vector<float>(shape.batch * shape.heads * shape.sequence);

  void forward(int64_t pieces) {
    CompiledKernel kernel(shape.source(false));
    kernel.run(draw.insert({qkv.data()}, {out.data(), lse.data()}), pieces);
  }
};

TEST_P(Attention, Forward) {
  forward(1);
  std::vector<double> expected, expectedLse;
  shape.forward(widen(qkv), expected, expectedLse);
  // A score of 128 products has an error of some units in its last place.
  EXPECT_LT(relativeError(out, expected), 1e-6);
  EXPECT_LT(relativeError(lse, expectedLse), 1e-6);
  std::vector<float> whole = out;
  forward(3);
  EXPECT_EQ(whole, out);
}

TEST_P(Attention, Backward) {
  forward(1);
  std::vector<float> weight = randomNumbers(out.size(), 1, 2);
  std::vector<float> gradient(qkv.size(), -1);
  CompiledKernel kernel(shape.source(true));
  std::vector<void *> buffers = draw.insert(
      {qkv.data(), out.data(), lse.data(), weight.data()}, {gradient.data()});
  kernel.run(buffers);
  EXPECT_LT(relativeError(gradient, shape.backward(widen(qkv), widen(weight))),
            2e-6);
  std::vector<float> whole = gradient;
  kernel.run(buffers, 3);
  EXPECT_EQ(whole, gradient);
}

/// The reference's gradient against finite differences of the reference's
/// output, both in double precision.
TEST_P(Attention, ReferenceMeetsFiniteDifferences) {
  std::vector<double> x = widen(qkv);
  std::vector<double> weight = widen(randomNumbers(out.size(), 1, 2));
  std::vector<double> gradient = shape.backward(x, weight);
  std::vector<double> direction = widen(randomNumbers(x.size(), 1, 3));
  auto objective = [&](double step) {
    std::vector<double> moved(x), y, sums;
    for (size_t i = 0; i < x.size(); ++i)
      moved[i] += step * direction[i];
    shape.forward(moved, y, sums);
    double sum = 0;
    for (size_t i = 0; i < y.size(); ++i)
      sum += y[i] * weight[i];
    return sum;
  };
  double expected = 0, size = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    expected += gradient[i] * direction[i];
    size += std::abs(gradient[i] * direction[i]);
  }
  double step = 1e-5;
  double slope = (objective(step) - objective(-step)) / (2 * step);
  EXPECT_NEAR(slope, expected, 1e-7 * size);
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
      {1, 1, 1, 16, true, true, false, "f32", 0.5},
      {2, 3, 100, 16, true, true, true, "f32", 0.1},
      {1, 2, 129, 24, false, false, false, "f32", 0.25},
      {3, 5, 66, 7, false, true, false, "f32", 0.9},
  };
}

INSTANTIATE_TEST_SUITE_P(Shapes, Attention, testing::ValuesIn(cases()));

} // namespace
