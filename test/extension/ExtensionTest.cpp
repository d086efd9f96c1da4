//===- ExtensionTest.cpp - Modules with parts from outside ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/extension/ExtensionTest.h"
#include "codegen/AllTargets.h"
#include "codegen/kernels/Arithmetic.h"
#include "dialects/AllDialects.h"
#include "mlir/Pass/PassManager.h"
#include "passes/kernels/Passes.h"
#include "passes/plan/Passes.h"
#include "passes/train/Passes.h"
#include "passes/zero/Passes.h"
#include "target/Target.h"
#include "test/extension/Extension.h"

#include <mutex>
#include <random>

using namespace mlir;
using namespace tessera;
using namespace tessera::extension;
using test::Array;
using test::Arrays;
using test::Interpreter;

void ExtensionTest::SetUpTestSuite() {
  static std::once_flag once;
  std::call_once(once, registerAllTargets);
}

ExtensionTest::ExtensionTest() {
  DialectRegistry registry;
  registerAllDialects(registry);
  codegen::registerKernels(registry);
  registry.insert<ExtensionDialect>();
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
}

Specification ExtensionTest::parse(StringRef text) {
  std::string errors;
  llvm::raw_string_ostream stream(errors);
  auto specification =
      parseSpecification({"test.textproto", text.str()}, {}, stream);
  EXPECT_TRUE(specification) << errors;
  return specification ? *specification : Specification();
}

bool ExtensionTest::plan(ModuleOp module) {
  PassManager manager(&context, ModuleOp::getOperationName());
  train::buildPipeline(manager, {});
  zero::buildZeroPipeline(manager);
  kernels::buildPipeline(manager);
  manager.addPass(getTarget(module)->createShapeKernels());
  plan::buildPlanPipeline(manager);
  return succeeded(manager.run(module));
}

bool ExtensionTest::lower(ModuleOp module) {
  PassManager manager(&context, ModuleOp::getOperationName());
  getTarget(module)->buildPipeline(manager);
  return succeeded(manager.run(module));
}

/// The first result of \p function.
static double evaluate(func::FuncOp function, const Arrays &parameters,
                       ArrayRef<Array> inputs) {
  Interpreter interpreter(parameters);
  EXPECT_TRUE(succeeded(interpreter.run(function, inputs)));
  Operation *end = function.getBody().front().getTerminator();
  return interpreter.get(end->getOperand(0)).data[0];
}

void ExtensionTest::checkGradients(ModuleOp module, ArrayRef<Array> inputs) {
  Arrays parameters;
  std::mt19937_64 generator(1);
  std::uniform_real_distribution<double> values(-1, 1);
  for (auto parameter : module.getOps<nn::ParameterOp>()) {
    Array &array = parameters
                       .insert_or_assign(parameter.getSymName().str(),
                                         Array(parameter.getType()))
                       .first->second;
    for (double &x : array.data)
      x = values(generator);
  }
  Interpreter interpreter(parameters);
  auto step = module.lookupSymbol<func::FuncOp>("train");
  ASSERT_TRUE(succeeded(interpreter.run(step, inputs)));
  ASSERT_EQ(interpreter.getGradients().size(), parameters.size());
  for (const auto &[name, gradient] : interpreter.getGradients()) {
    double largest = 0;
    for (size_t i = 0; i < gradient.data.size(); ++i) {
      auto at = [&](double distance) {
        Arrays moved = parameters;
        moved[name].data[i] += distance;
        return evaluate(step, moved, inputs);
      };
      constexpr double h = 1e-3;
      double expected =
          (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
      EXPECT_NEAR(gradient.data[i], expected,
                  1e-6 * std::max(std::abs(expected), 1e-4))
          << "element " << i << " of " << name;
      largest = std::max(largest, std::abs(expected));
    }
    EXPECT_GT(largest, 1e-3) << name << " has no gradient to speak of";
  }
}
