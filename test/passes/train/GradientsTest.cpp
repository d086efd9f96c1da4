//===- GradientsTest.cpp - Gradients against finite differences -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AllDialects.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/kernels/Passes.h"
#include "passes/train/Passes.h"
#include "test/passes/train/GradientCases.h"
#include "test/passes/train/Interpreter.h"
#include <gtest/gtest.h>
#include <random>
#include <set>

using namespace mlir;
using namespace tessera;
using namespace tessera::test;

namespace tessera::test {
/// How a failure names its case.
static void PrintTo(const GradientCase &test, std::ostream *stream) {
  *stream << test.op << " " << test.variant;
}
} // namespace tessera::test

static void loadDialects(MLIRContext &context) {
  DialectRegistry registry;
  registerAllDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
}

/// Values well away from 0, where some derivatives jump.
static void randomize(Array &array, std::mt19937_64 &generator, bool positive) {
  for (double &x : array.data) {
    x = 0.1 + 1.4 * static_cast<double>(generator() >> 11) / (1ULL << 53);
    if (!positive && generator() % 2)
      x = -x;
  }
}

namespace {

class Gradients : public testing::TestWithParam<GradientCase> {
protected:
  void SetUp() override {
    const GradientCase &test = GetParam();
    loadDialects(context);
    module = parseSourceString<ModuleOp>(test.source(), &context);
    ASSERT_TRUE(module) << test.source();
    PassManager manager(&context);
    if (test.op == "nn.linear_cross_entropy")
      manager.addPass(train::createFuseHead());
    train::DifferentiateOptions options;
    options.accumulation = 1;
    options.maxNorm = 0;
    manager.addPass(train::createDifferentiate(options));
    ASSERT_TRUE(succeeded(manager.run(*module)));

    std::mt19937_64 generator(1);
    for (auto parameter : module->getOps<nn::ParameterOp>()) {
      Array array(parameter.getType());
      randomize(array, generator, test.positive);
      parameters[parameter.getSymName().str()] = array;
    }
    factors = Array(step().getArgumentTypes()[0]);
    randomize(factors, generator, false);
  }

  func::FuncOp step() { return module->lookupSymbol<func::FuncOp>("train"); }

  /// The loss for \p values of the parameters.
  double loss(const Arrays &values) {
    Interpreter interpreter(values);
    EXPECT_TRUE(succeeded(interpreter.run(step(), factors)));
    Operation *end = step().getBody().front().getTerminator();
    return interpreter.get(end->getOperand(0)).data[0];
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  Arrays parameters;
  Array factors;
};

TEST_P(Gradients, MatchFiniteDifferences) {
  bool found = false;
  step().walk([&](Operation *op) {
    found |= op->getName().getStringRef() == GetParam().op;
  });
  ASSERT_TRUE(found) << "the model has no " << GetParam().op;

  Interpreter interpreter(parameters);
  ASSERT_TRUE(succeeded(interpreter.run(step(), factors)));
  ASSERT_EQ(interpreter.getGradients().size(), parameters.size());

  for (const auto &[name, gradient] : interpreter.getGradients()) {
    ASSERT_EQ(gradient.shape, parameters[name].shape);
    double largest = 0;
    for (size_t i = 0; i < gradient.data.size(); ++i) {
      auto at = [&](double distance) {
        Arrays moved = parameters;
        moved[name].data[i] += distance;
        return loss(moved);
      };
      // The central difference of fourth order: its error, of h⁴ and of
      // rounding / h, is below 1e-11 here.
      constexpr double h = 1e-3;
      double expected =
          (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
      // Relative; a gradient that is 0 is so but for the difference's rounding.
      double size = std::max(std::abs(expected), 1e-4);
      EXPECT_NEAR(gradient.data[i], expected, 1e-6 * size)
          << "element " << i << " of " << name;
      largest = std::max(largest, std::abs(expected));
    }
    EXPECT_GT(largest, 1e-3) << name << " has no gradient to speak of";
  }
}

// What kernels are made of is what the operations say that they are.
TEST_P(Gradients, AreThoseOfTheirDecomposition) {
  auto run = [&] {
    Interpreter interpreter(parameters);
    EXPECT_TRUE(succeeded(interpreter.run(step(), factors)));
    return interpreter.getGradients();
  };
  auto whole = run();
  double before = loss(parameters);
  PassManager manager(&context);
  manager.addPass(kernels::createDecompose());
  ASSERT_TRUE(succeeded(manager.run(*module)));
  EXPECT_NEAR(loss(parameters), before, 1e-6 * std::abs(before));
  for (const auto &[name, gradient] : run())
    for (size_t i = 0; i < gradient.data.size(); ++i)
      EXPECT_NEAR(gradient.data[i], whole.at(name).data[i],
                  1e-6 * std::max(1.0, std::abs(gradient.data[i])))
          << "element " << i << " of " << name;
}

INSTANTIATE_TEST_SUITE_P(Operations, Gradients,
                         testing::ValuesIn(getGradientCases()),
                         [](const testing::TestParamInfo<GradientCase> &info) {
                           std::string name = info.param.op;
                           if (!info.param.variant.empty())
                             name += "_" + info.param.variant;
                           llvm::replace(name, '.', '_');
                           return name;
                         });

TEST(GradientCases, CoverAllDifferentiableOperations) {
  std::set<std::string> tested;
  for (const GradientCase &test : getGradientCases())
    tested.insert(test.op);
  MLIRContext context;
  loadDialects(context);
  std::set<std::string> differentiable;
  for (RegisteredOperationName name : context.getRegisteredOperations())
    if (name.hasInterface<nn::DifferentiableOpInterface>())
      differentiable.insert(name.getStringRef().str());
  EXPECT_EQ(tested, differentiable);
}

} // namespace
