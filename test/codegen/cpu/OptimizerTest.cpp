//===- OptimizerTest.cpp - The gradient's norm and AdamW --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/optimizer/Optimizer.h"
#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/Numbers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"
#include <set>
#include <sys/mman.h>

using namespace tessera::test;

namespace {

constexpr double firstBeta = 0.9, secondBeta = 0.95, epsilon = 1e-8,
                 decay = 0.1;

class AdamW : public testing::TestWithParam<std::pair<int64_t, int64_t>> {};

TEST_P(AdamW, FollowsTheFormulas) {
  auto [elements, decayEnd] = GetParam();
  std::string flat = tensor({elements}), scalar = "tensor<f32>";
  CompiledKernel kernel(kernelText(
      {flat, flat, flat, flat, scalar, "tensor<4xf32>", "tensor<1xi64>"},
      {flat, flat, flat},
      "%r0, %r1, %r2 = zero.update %a0, %a1 states %a2, %a3 by %a4, %a5 using "
      "#optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %a6 "
      "lr_scales [1.0, 1.0] weight_decays [0.1, 0.0] : (" +
          flat + ", " + flat + ", " + flat + ", " + flat + ", " + scalar +
          ", tensor<4xf32>, tensor<1xi64>) -> (" + flat + ", " + flat + ", " +
          flat + ")",
      {0, 2, 3}));
  std::vector<float> p = randomNumbers(elements, 1, 1);
  std::vector<float> m(elements), v(elements);
  std::vector<double> pd = widen(p), md(elements), vd(elements);
  float clip = 0.75;
  for (int step = 1; step <= 5; ++step) {
    std::vector<float> g = randomNumbers(elements, 0.1, step + 1);
    float hyper[] = {0.01f, float(1 - std::pow(firstBeta, step)),
                     float(1 - std::pow(secondBeta, step)), float(step)};
    kernel.run({p.data(), g.data(), m.data(), v.data(), &clip, hyper, &decayEnd,
                p.data(), m.data(), v.data()},
               2);
    for (int64_t i = 0; i < elements; ++i) {
      double grad = double(g[i]) * clip;
      md[i] = firstBeta * md[i] + (1 - firstBeta) * grad;
      vd[i] = secondBeta * vd[i] + (1 - secondBeta) * grad * grad;
      if (i < decayEnd)
        pd[i] -= double(hyper[0]) * decay * pd[i];
      pd[i] -= hyper[0] * (md[i] / hyper[1]) /
               (std::sqrt(vd[i] / hyper[2]) + epsilon);
    }
  }
  EXPECT_LT(relativeError(p, pd), 2e-7);
  EXPECT_LT(relativeError(m, md), 2e-7);
  EXPECT_LT(relativeError(v, vd), 4e-7);
}

INSTANTIATE_TEST_SUITE_P(Sizes, AdamW,
                         testing::Values(std::pair(16, 16), std::pair(64, 0),
                                         std::pair(10000, 5003),
                                         std::pair(4103, 4100)));

/// The optimizers of test/golden/optimizers/updates.json on the gradients that
/// are given there, against the parameters that PyTorch's and lion-pytorch's
/// have come to.
TEST(Optimizers, ComputeWhatPyTorchDoes) {
  auto file = llvm::MemoryBuffer::getFile(
      TESSERA_SOURCE_DIR "/test/golden/optimizers/updates.json");
  ASSERT_TRUE(file);
  auto golden = llvm::cantFail(llvm::json::parse((*file)->getBuffer()));
  const llvm::json::Object &root = *golden.getAsObject();
  auto numbers = [](const llvm::json::Value *values) {
    std::vector<double> result;
    for (const llvm::json::Value &value : *values->getAsArray())
      result.push_back(*value.getAsNumber());
    return result;
  };
  auto list = [&](const char *key) {
    std::string text;
    for (double value : numbers(root.get(key)))
      text += (text.empty() ? "" : ", ") + llvm::formatv("{0:f6}", value).str();
    return "[" + text + "]";
  };
  std::vector<double> start = numbers(root.get("start"));
  auto elements = static_cast<int64_t>(start.size());
  std::string flat = tensor({elements}), scalar = "tensor<f32>";
  int64_t classEnd = *root.getInteger("class_end");
  mlir::MLIRContext context;
  context.loadDialect<tessera::optimizer::OptimizerDialect>();
  for (const auto &[key, value] : *root.getObject("cases")) {
    SCOPED_TRACE(key.str());
    const llvm::json::Object &fields = *value.getAsObject();
    const auto *kind = tessera::optimizer::findKind(*fields.getString("kind"));
    ASSERT_TRUE(kind);
    std::vector<double> hyperparameters;
    for (const auto &parameter : kind->hyperparameters) {
      const llvm::json::Value &given = *fields.get(parameter.name);
      hyperparameters.push_back(given.getAsBoolean()
                                    ? double(*given.getAsBoolean())
                                    : *given.getAsNumber());
    }
    auto optimizer = kind->make(
        [&] { return mlir::emitError(mlir::UnknownLoc::get(&context)); },
        &context, hyperparameters);
    ASSERT_TRUE(optimizer);

    size_t states = optimizer.getStates().size(),
           scalars = optimizer.getScalars().size();
    std::vector<std::string> arguments(2 + states, flat);
    std::vector<std::string> results(1 + states, flat);
    std::string numbersType = tensor({static_cast<int64_t>(scalars)});
    arguments.insert(arguments.end(), {scalar, numbersType, "tensor<1xi64>"});
    std::string body, operands, types;
    std::vector<int> inPlace = {0};
    for (size_t i = 0; i <= states; ++i) {
      body += (i ? ", %r" : "%r") + std::to_string(i);
      if (i) {
        operands += (i > 1 ? ", %a" : " states %a") + std::to_string(1 + i);
        inPlace.push_back(1 + i);
      }
    }
    auto argument = [&](size_t i) {
      return "%a" + std::to_string(2 + states + i);
    };
    llvm::raw_string_ostream stream(body);
    stream << " = zero.update %a0, %a1" << operands << " by " << argument(0)
           << ", " << argument(1) << " using " << optimizer << " ends "
           << argument(2) << " lr_scales " << list("lr_scales")
           << " weight_decays " << list("weight_decays") << " : ("
           << llvm::join(arguments, ", ") << ") -> ("
           << llvm::join(results, ", ") << ")";
    CompiledKernel kernel(kernelText(arguments, results, body, inPlace));

    std::vector<std::vector<float>> buffers(1 + states,
                                            std::vector<float>(elements));
    llvm::copy(start, buffers[0].begin());
    float clip = 1;
    int step = 0;
    for (const llvm::json::Value &given : *root.getArray("gradients")) {
      ++step;
      std::vector<double> wide = numbers(&given);
      std::vector<float> gradient(wide.begin(), wide.end()), values;
      for (const auto &each : optimizer.getScalars())
        values.push_back(each.kind == each.LearningRate ? *root.getNumber("lr")
                         : each.kind == each.Correction
                             ? 1 - std::pow(each.base, step)
                             : step);
      std::vector<void *> pointers = {buffers[0].data(), gradient.data()};
      for (size_t i = 1; i <= states; ++i)
        pointers.push_back(buffers[i].data());
      pointers.insert(pointers.end(), {&clip, values.data(), &classEnd});
      for (auto &buffer : buffers)
        pointers.push_back(buffer.data());
      kernel.run(pointers, 2);
    }
    EXPECT_LT(relativeError(buffers[0], numbers(fields.get("result"))), 1e-6);
  }
}

/// Address space for \p elements, of which only what is touched takes memory.
class Sparse {
public:
  explicit Sparse(int64_t elements) : bytes(elements * sizeof(float)) {
    void *address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    numbers = address == MAP_FAILED ? nullptr : static_cast<float *>(address);
  }
  ~Sparse() {
    if (numbers)
      munmap(numbers, bytes);
  }
  Sparse(const Sparse &) = delete;

  float *numbers;

private:
  size_t bytes;
};

// Of a group with more elements than 32 bits count only a few are touched:
// those around the end of decay, and the first and last ones.
TEST(AdamWKernel, CountsElementsIn64Bits) {
  constexpr int64_t elements = (int64_t(3) << 31) + 21, block = 4096;
  std::string flat = tensor({elements}), scalar = "tensor<f32>";
  CompiledKernel kernel(kernelText(
      {flat, flat, flat, flat, scalar, "tensor<4xf32>", "tensor<1xi64>"},
      {flat, flat, flat},
      "%r0, %r1, %r2 = zero.update %a0, %a1 states %a2, %a3 by %a4, %a5 using "
      "#optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %a6 "
      "lr_scales [1.0, 1.0] weight_decays [0.1, 0.0] : (" +
          flat + ", " + flat + ", " + flat + ", " + flat + ", " + scalar +
          ", tensor<4xf32>, tensor<1xi64>) -> (" + flat + ", " + flat + ", " +
          flat + ")",
      {0, 2, 3}));
  float clip = 1, hyper[] = {1, 0.1f, 0.05f, 1};
  for (int64_t decayEnd : {int64_t(0), int64_t(5), int64_t(1) << 31,
                           (int64_t(1) << 32) + 3, elements}) {
    Sparse p(elements), g(elements), m(elements), v(elements);
    if (!p.numbers || !g.numbers || !m.numbers || !v.numbers)
      GTEST_SKIP() << "the system gives no address space";
    std::vector<int64_t> places = {0, elements - 1};
    for (int64_t place : {decayEnd - 1, decayEnd})
      if (place >= 0 && place < elements)
        places.push_back(place);
    std::set<int64_t> blocks;
    for (int64_t place : places) {
      p.numbers[place] = 1;
      blocks.insert(place / block);
    }
    void *args[] = {p.numbers, g.numbers, m.numbers, v.numbers, &clip,
                    hyper,     &decayEnd, p.numbers, m.numbers, v.numbers};
    for (int64_t number : blocks)
      kernel.getFunction()(reinterpret_cast<char *const *>(args), number,
                           number + 1, nullptr);
    // Without a gradient nothing but decay changes them.
    for (int64_t place : places)
      EXPECT_EQ(p.numbers[place], place < decayEnd ? 0.9f : 1.0f)
          << place << " of " << decayEnd;
  }
}

TEST(SumSquares, BlocksAndTheirSum) {
  int64_t elements = 3 * 65536 + 77;
  CompiledKernel partial(
      kernelText({tensor({elements})}, {"tensor<4xf64>"},
                 "%r0 = nn.partial_sum_squares %a0 : " + tensor({elements}) +
                     " -> tensor<4xf64>"));
  CompiledKernel sum(kernelText(
      {"tensor<4xf64>", "tensor<1xf64>"}, {"tensor<f64>"},
      "%r0 = nn.sum_partials %a0, %a1 : tensor<4xf64>, tensor<1xf64> -> "
      "tensor<f64>"));
  std::vector<float> x = randomNumbers(elements, 1, 1);
  // The reference must not round where the kernel adds in another order.
  long double expected = 0;
  double partials[4], other = 2.5, total = 0;
  for (float value : x)
    expected += static_cast<long double>(value) * value;
  partial.run({x.data(), partials}, 3);
  sum.run({partials, &other, &total});
  // Each lane rounds a thousand times.
  EXPECT_NEAR(static_cast<double>(total / (expected + other)), 1, 1e-14);
  EXPECT_EQ(total,
            partials[0] + partials[1] + partials[2] + partials[3] + other);
}

TEST(SumSquares, OfLessThanABlock) {
  for (int64_t elements :
       {1, 16, 77, 16384, 16384 + 5, 32768, 3 * 16384 + 16, 65535, 65536}) {
    CompiledKernel kernel(
        kernelText({tensor({elements})}, {"tensor<1xf64>"},
                   "%r0 = nn.partial_sum_squares %a0 : " + tensor({elements}) +
                       " -> tensor<1xf64>"));
    std::vector<float> x = randomNumbers(elements, 1, 1);
    long double expected = 0;
    for (float value : x)
      expected += static_cast<long double>(value) * value;
    x.resize(elements + 4 * 16384, 100.0f); // what lies behind does not count
    double sum = 0;
    kernel.run({x.data(), &sum});
    EXPECT_NEAR(static_cast<double>(sum / expected), 1, 1e-14) << elements;
  }
}

std::pair<float, float> clip(double sumSquares, const std::string &maximum) {
  CompiledKernel kernel(
      kernelText({"tensor<f64>"}, {"tensor<f32>", "tensor<f32>"},
                 "%r0, %r1 = nn.clip_scale %a0 max_norm " + maximum +
                     " : tensor<f64> -> tensor<f32>, tensor<f32>"));
  float scale = -1, norm = -1;
  kernel.run({&sumSquares, &scale, &norm});
  return {scale, norm};
}

TEST(ClipScale, LimitsTheNorm) {
  EXPECT_EQ(clip(16, "1.0"), std::pair(float(1 / (4 + 1e-6)), 4.0f));
  EXPECT_EQ(clip(0.25, "1.0"), std::pair(1.0f, 0.5f));
  EXPECT_EQ(clip(0, "1.0"), std::pair(1.0f, 0.0f));
  EXPECT_EQ(clip(16, "0.0"), std::pair(1.0f, 4.0f));
  EXPECT_TRUE(std::isnan(clip(NAN, "1.0").first));
}

} // namespace
