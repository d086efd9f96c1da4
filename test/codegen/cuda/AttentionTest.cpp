//===- AttentionTest.cpp - Attention on grids, by its formulas --*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/ElementType.h"
#include "test/codegen/cpu/AttentionReference.h"
#include "test/codegen/cpu/KernelCache.h"
#include "test/codegen/cpu/Numbers.h"
#include "test/codegen/cuda/EmulatedKernel.h"
#include "gtest/gtest.h"

using namespace tessera::runtime;
using namespace tessera::test;

namespace {

/// Numbers as they lie in memory, in the type of \p element.
class Tensor {
public:
  Tensor(const std::string &element, size_t count)
      : type(element == "f32"    ? ElementType::F32
             : element == "bf16" ? ElementType::Bf16
                                 : ElementType::F16),
        count(count), memory(count + 4) {}
  Tensor(const std::string &element, const std::vector<float> &numbers)
      : Tensor(element, numbers.size()) {
    fromFloats(type, numbers.data(), count, data());
  }

  void *data() { return memory.data(); }
  std::vector<float> get() const {
    std::vector<float> numbers(count);
    toFloats(type, memory.data(), count, numbers.data());
    return numbers;
  }

private:
  ElementType type;
  size_t count;
  std::vector<float> memory;
};

KernelCache<DeviceKernel> kernels;

class DeviceAttention : public testing::TestWithParam<AttentionCase> {
protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite() { kernels.stop(); }

  AttentionCase shape = GetParam();
  AttentionDraw draw{shape};
  Tensor qkv{shape.element,
             randomNumbers(shape.rows() * shape.columns(), 1.5, 1)};
  Tensor weight{shape.element,
                randomNumbers(shape.rows() * shape.hidden(), 1, 2)};
  Tensor out{shape.element, static_cast<size_t>(shape.rows() * shape.hidden())};
  Tensor lse{"f32",
             static_cast<size_t>(shape.batch * shape.heads * shape.sequence)};

  double tolerance(double full) const {
    return shape.element == "f32"    ? full
           : shape.element == "bf16" ? 1.0 / 128
                                     : 1.0 / 1024;
  }
};

TEST_P(DeviceAttention, Forward) {
  DeviceKernel &kernel = kernels.get(shape.source(false));
  std::vector<void *> buffers =
      draw.insert({qkv.data()}, {out.data(), lse.data()});
  kernel.run(buffers);
  std::vector<double> expected, expectedLse;
  shape.forward(widen(qkv.get()), expected, expectedLse);
  EXPECT_LT(relativeError(out.get(), expected), tolerance(1e-6));
  // Products of 16 bits are exact in fp32, and the sums are not rounded.
  EXPECT_LT(relativeError(lse.get(), expectedLse), 1e-6);
  std::vector<float> ascending = out.get(), sums = lse.get();
  kernel.run(buffers, ThreadOrder::Descending);
  EXPECT_EQ(ascending, out.get());
  EXPECT_EQ(sums, lse.get());
}

TEST_P(DeviceAttention, Backward) {
  // With the other target's log-sum-exps: both mean the same by them.
  CompiledKernel forward(shape.source(false));
  std::vector<void *> buffers =
      draw.insert({qkv.data()}, {out.data(), lse.data()});
  forward.run(buffers);
  Tensor gradient(shape.element,
                  static_cast<size_t>(shape.rows() * shape.columns()));
  DeviceKernel &kernel = kernels.get(shape.source(true));
  buffers = draw.insert({qkv.data(), out.data(), lse.data(), weight.data()},
                        {gradient.data()});
  kernel.run(buffers);
  EXPECT_LT(relativeError(gradient.get(), shape.backward(widen(qkv.get()),
                                                         widen(weight.get()))),
            tolerance(2e-6));
  std::vector<float> ascending = gradient.get();
  kernel.run(buffers, ThreadOrder::Descending);
  EXPECT_EQ(ascending, gradient.get());
}

std::vector<AttentionCase> cases() {
  return {
      {1, 2, 1, 16},
      {1, 1, 17, 64},
      {2, 2, 64, 32},
      {1, 3, 100, 16, true, true, true},
      {1, 2, 100, 24, false, true, false},
      {1, 5, 129, 7, true, true, true},
      {2, 3, 17, 5, false, true, true},
      {1, 1, 96, 80, true, true, true},
      {1, 2, 77, 20, false, false, true},
      {1, 1, 64, 48, true, false, false},
      {1, 1, 129, 128, false, true, true},
      {1, 1, 40, 256, true, true, true},
      {1, 2, 1, 16, true, true, true, "bf16"},
      {1, 2, 17, 64, false, true, false, "f16"},
      {2, 1, 64, 32, true, true, false, "bf16"},
      {1, 1, 100, 64, true, true, true, "bf16"},
      {2, 1, 129, 7, true, true, true, "bf16"},
      {1, 6, 17, 5, false, false, true, "bf16"},
      {2, 3, 100, 32, false, true, true, "bf16"},
      {1, 1, 100, 128, false, false, false, "bf16"},
      {1, 1, 96, 80, true, true, true, "bf16"},
      {1, 2, 77, 20, false, false, true, "f16"},
      {1, 1, 129, 128, false, true, false, "bf16"},
      {1, 1, 100, 256, true, true, true, "f16"},
      {1, 2, 17, 16, true, true, false, "f32", 0.5},
      {2, 3, 77, 20, false, false, true, "f32", 0.1},
      {2, 2, 100, 64, false, true, false, "bf16", 0.25},
      {1, 3, 66, 32, true, true, true, "f16", 0.9},
      {1, 2, 17, 16, false, true, false, "f32", 0, 1},
      {2, 6, 100, 24, false, true, true, "f32", 0, 2},
      {1, 3, 77, 20, false, false, true, "f32", 0.25, 1},
      {1, 4, 100, 64, false, true, false, "bf16", 0, 2},
      {1, 6, 66, 7, false, true, true, "f16", 0.1, 3},
      {1, 2, 96, 256, false, true, false, "bf16", 0, 1},
      {1, 1, 1, 16, true, true, false, "f32", 0, 0, 1},
      {1, 2, 100, 16, true, true, true, "f32", 0, 0, 1},
      {1, 1, 129, 7, true, true, true, "f32", 0, 0, 17},
      {1, 1, 200, 24, false, true, false, "f32", 0, 0, 65},
      {1, 1, 190, 8, false, true, false, "f32", 0, 0, 190},
      {1, 1, 40, 256, true, true, true, "f32", 0, 0, 9},
      {1, 2, 200, 64, false, true, false, "bf16", 0, 0, 1},
      {1, 1, 200, 128, false, true, true, "bf16", 0, 0, 40},
      {2, 1, 150, 32, true, true, true, "f16", 0, 0, 100},
      {1, 4, 150, 32, false, true, true, "bf16", 0.25, 2, 41},
  };
}

void DeviceAttention::SetUpTestSuite() {
  std::vector<std::string> sources;
  for (bool gradient : {false, true})
    for (const AttentionCase &one : cases())
      sources.push_back(one.source(gradient));
  kernels.start(std::move(sources));
}

INSTANTIATE_TEST_SUITE_P(Shapes, DeviceAttention, testing::ValuesIn(cases()));

} // namespace
