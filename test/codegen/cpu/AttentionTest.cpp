//===- AttentionTest.cpp - Attention against its formulas -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cpu/AttentionReference.h"
#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/KernelCache.h"
#include "test/codegen/cpu/Numbers.h"
#include "gtest/gtest.h"

using namespace tessera::test;

namespace {

KernelCache<CompiledKernel> kernels;

/// Has the kernels of \p cases, forward and backward, made ahead.
void makeKernels(const std::vector<AttentionCase> &cases) {
  std::vector<std::string> sources;
  for (bool gradient : {false, true})
    for (const AttentionCase &one : cases)
      sources.push_back(one.source(gradient));
  kernels.start(std::move(sources));
}

class Attention : public testing::TestWithParam<AttentionCase> {
protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite() { kernels.stop(); }

  AttentionCase shape = GetParam();
  AttentionDraw draw{shape};
  std::vector<float> qkv =
      randomNumbers(shape.rows() * shape.columns(), 1.5, 1);
  std::vector<float> out = std::vector<float>(shape.rows() * shape.hidden());
  std::vector<float> lse =
      std::vector<float>(shape.batch * shape.heads * shape.sequence);

  void forward(int64_t pieces) {
    kernels.get(shape.source(false))
        .run(draw.insert({qkv.data()}, {out.data(), lse.data()}), pieces);
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
  CompiledKernel &kernel = kernels.get(shape.source(true));
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

class SharedKeys : public Attention {
protected:
  static void SetUpTestSuite();
};

/// The same model with each head's keys and values written out for all heads
/// that read them.
TEST_P(SharedKeys, MeetRepeatedKeys) {
  AttentionCase repeated = shape;
  repeated.kvHeads = 0;
  std::vector<float> wide(repeated.rows() * repeated.columns());
  auto forEach = [&](auto function) {
    for (int64_t b = 0; b < shape.batch; ++b)
      for (int64_t t = 0; t < shape.sequence; ++t)
        for (int64_t h = 0; h < shape.heads; ++h)
          for (int64_t which : {0, 1, 2})
            for (int64_t c = 0; c < shape.dim; ++c)
              function(repeated.packed(b, t, h, which, c),
                       shape.packed(b, t, h, which, c));
  };
  forEach([&](int64_t to, int64_t from) { wide[to] = qkv[from]; });
  forward(1);
  std::vector<float> wideOut(out.size()), wideLse(lse.size());
  kernels.get(repeated.source(false))
      .run(draw.insert({wide.data()}, {wideOut.data(), wideLse.data()}));
  EXPECT_EQ(wideOut, out);
  EXPECT_EQ(wideLse, lse);

  std::vector<float> weight = randomNumbers(out.size(), 1, 2);
  std::vector<float> gradient(qkv.size()), wideGradient(wide.size());
  kernels.get(shape.source(true))
      .run(draw.insert({qkv.data(), out.data(), lse.data(), weight.data()},
                       {gradient.data()}));
  kernels.get(repeated.source(true))
      .run(draw.insert({wide.data(), out.data(), lse.data(), weight.data()},
                       {wideGradient.data()}));
  std::vector<double> sum(qkv.size());
  forEach([&](int64_t from, int64_t to) { sum[to] += wideGradient[from]; });
  EXPECT_LT(relativeError(gradient, sum), 2e-6);
}

/// More threads than heads of keys change iterations, but no bit.
class Parts : public Attention {};

TEST_P(Parts, HaveTheBitsOfWholeHeads) {
  forward(1);
  std::vector<float> weight = randomNumbers(out.size(), 1, 2);
  std::vector<float> gradients[2];
  int64_t iterations[2];
  for (int64_t i : {0, 1}) {
    AttentionCase one = shape;
    one.threads = i == 0 ? 1 : shape.threads;
    CompiledKernel &kernel = kernels.get(one.source(true));
    iterations[i] = kernel.getIterations();
    gradients[i].assign(qkv.size(), -1);
    kernel.run(draw.insert({qkv.data(), out.data(), lse.data(), weight.data()},
                           {gradients[i].data()}),
               /*pieces=*/i == 0 ? 1 : 5);
  }
  EXPECT_EQ(iterations[0], shape.batch * shape.keyHeads());
  EXPECT_GE(iterations[1], shape.threads);
  EXPECT_EQ(gradients[0], gradients[1]);
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
      // Windows: within a register block, across its edge, across tiles, of all
      // keys and of more.
      {1, 1, 1, 16, true, true, false, "f32", 0, 0, 1},
      {1, 2, 100, 16, true, true, true, "f32", 0, 0, 1},
      {2, 2, 64, 32, false, true, false, "f32", 0, 0, 5},
      {1, 1, 129, 7, true, true, true, "f32", 0, 0, 8},
      {1, 2, 200, 24, false, true, false, "f32", 0, 0, 31},
      {1, 2, 200, 24, false, true, false, "f32", 0, 0, 33},
      {1, 1, 300, 128, true, true, false, "f32", 0, 0, 64},
      {1, 2, 333, 16, true, true, true, "f32", 0, 0, 100},
      {2, 1, 190, 80, false, true, false, "f32", 0, 0, 189},
      {1, 1, 190, 8, false, true, false, "f32", 0, 0, 190},
      {1, 1, 190, 8, false, true, false, "f32", 0, 0, 4096},
  };
}

std::vector<AttentionCase> sharedKeys() {
  return {
      {1, 2, 64, 16, false, true, false, "f32", 0, 1},
      {2, 6, 100, 24, false, true, true, "f32", 0, 2},
      {1, 8, 77, 20, false, false, false, "f32", 0, 4},
      {1, 14, 130, 64, false, true, false, "f32", 0, 2},
      {3, 6, 33, 33, false, true, true, "f32", 0.25, 3},
      {16, 4, 40, 8, false, true, false, "f32", 0, 2},
      {1, 6, 150, 33, false, true, true, "f32", 0.25, 2, 41},
  };
}

std::vector<AttentionCase> manyThreads() {
  return {
      {1, 1, 300, 16, true, true, false, "f32", 0, 0, 0, 8},
      {1, 2, 257, 24, false, false, true, "f32", 0, 0, 0, 7},
      {2, 4, 200, 32, false, true, false, "f32", 0, 1, 0, 16},
      {1, 6, 330, 7, false, true, true, "f32", 0.25, 2, 100, 16},
      {1, 2, 400, 16, false, true, false, "f32", 0, 1, 65, 12},
  };
}

void Attention::SetUpTestSuite() {
  std::vector<AttentionCase> all = manyThreads();
  for (const std::vector<AttentionCase> &more : {cases(), sharedKeys()})
    all.insert(all.end(), more.begin(), more.end());
  makeKernels(all);
}

void SharedKeys::SetUpTestSuite() {
  std::vector<AttentionCase> repeated = sharedKeys();
  for (AttentionCase &one : repeated)
    one.kvHeads = 0;
  makeKernels(repeated);
}

INSTANTIATE_TEST_SUITE_P(ManyThreads, Attention,
                         testing::ValuesIn(manyThreads()));
INSTANTIATE_TEST_SUITE_P(ManyThreads, Parts, testing::ValuesIn(manyThreads()));
INSTANTIATE_TEST_SUITE_P(Shapes, Attention, testing::ValuesIn(cases()));
INSTANTIATE_TEST_SUITE_P(SharedKeys, Attention,
                         testing::ValuesIn(sharedKeys()));
INSTANTIATE_TEST_SUITE_P(Shapes, SharedKeys, testing::ValuesIn(sharedKeys()));

} // namespace
