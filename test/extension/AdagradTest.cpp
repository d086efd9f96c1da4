//===- AdagradTest.cpp - An optimizer from outside ------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/extension/Adagrad.h"
#include "codegen/AllTargets.h"
#include "codegen/Manifest.h"
#include "codegen/kernels/Arithmetic.h"
#include "dialects/AllDialects.h"
#include "dialects/nn/NN.h"
#include "dialects/plan/Plan.h"
#include "dialects/zero/Zero.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/kernels/Passes.h"
#include "passes/plan/Passes.h"
#include "passes/train/Passes.h"
#include "passes/zero/Passes.h"
#include "target/Target.h"
#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/Numbers.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace tessera;

namespace {

constexpr int64_t elements = 48;

/// A weight and a bias, whose gradient is the input.
const char *const model = R"(
module attributes {spec.specification = #spec.specification<
    name = "tiny", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1, optimizer = {
        kind = #outside.adagrad<eps = 1.0e-6>, lr = 0.1, weight_decay = 0.05}>>} {
  nn.parameter @w : tensor<4x8xf32> init normal(0.02) decay group "all"
  nn.parameter @b : tensor<16xf32> init normal(0.02) group "all"
  func.func @objective(%x: tensor<4x8xf32> {nn.input = "x"},
                       %y: tensor<16xf32> {nn.input = "y"})
      -> (tensor<f32> {nn.output = "loss"}) {
    %w = nn.get_parameter @w : tensor<4x8xf32>
    %b = nn.get_parameter @b : tensor<16xf32>
    %wx = arith.mulf %w, %x : tensor<4x8xf32>
    %by = arith.mulf %b, %y : tensor<16xf32>
    %sw = nn.reduce sum %wx dims [0, 1] : tensor<4x8xf32> -> tensor<f32>
    %sb = nn.reduce sum %by dims [0] : tensor<16xf32> -> tensor<f32>
    %loss = arith.addf %sw, %sb : tensor<f32>
    return %loss : tensor<f32>
  }
}
)";

class AdagradTest : public testing::Test {
protected:
  static void SetUpTestSuite() { registerAllTargets(); }

  AdagradTest() {
    DialectRegistry registry;
    registerAllDialects(registry);
    registry.insert<extension::OutsideDialect>();
    codegen::registerKernels(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    module = parseSourceString<ModuleOp>(model, &context);
  }

  LogicalResult run(llvm::function_ref<void(PassManager &)> build) {
    PassManager manager(&context, ModuleOp::getOperationName());
    build(manager);
    return manager.run(*module);
  }

  void buildKernels() {
    ASSERT_TRUE(module);
    ASSERT_TRUE(succeeded(run([](PassManager &manager) {
      train::buildPipeline(manager, {});
      zero::buildZeroPipeline(manager);
      kernels::buildPipeline(manager);
    })));
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(AdagradTest, ItsStatesArePlannedAndNamedInTheManifest) {
  buildKernels();
  ASSERT_TRUE(succeeded(run([&](PassManager &manager) {
    manager.addPass(getTarget(*module)->createShapeKernels());
    plan::buildPlanPipeline(manager);
  })));
  std::vector<std::string> states;
  for (auto program : module->getOps<plan::ProgramOp>())
    if (program.getSymName() == "train")
      for (auto state : program.getBody().getOps<plan::StateOp>())
        states.push_back(state.getState().str());
  llvm::sort(states);
  EXPECT_EQ(states,
            (std::vector<std::string>{"gradient", "parameter", "squares"}));
  std::string manifest = getManifest(*module);
  EXPECT_NE(manifest.find(R"("kind":"adagrad","states":[{"name":"squares",)"
                          R"("saved_as":"sum"}])"),
            std::string::npos)
      << manifest;
}

TEST_F(AdagradTest, ComputesItsFormula) {
  buildKernels();
  std::string text;
  llvm::raw_string_ostream stream(text);
  for (auto function : module->getOps<func::FuncOp>())
    if (function->hasAttr("plan.kernel"))
      for (auto update : function.getBody().getOps<zero::UpdateOp>()) {
        // A kernel by itself lies beside no group.
        update.removeGroupAttr();
        function.print(stream);
      }
  ASSERT_FALSE(text.empty());
  test::CompiledKernel kernel(text, [](DialectRegistry &registry) {
    registry.insert<extension::OutsideDialect>();
  });

  std::vector<float> p = test::randomNumbers(elements, 1, 1), s(elements);
  std::vector<double> pd = test::widen(p), sd(elements);
  float clip = 0.5, lr = 0.1;
  int64_t decayEnd = 32;
  for (int step = 1; step <= 20; ++step) {
    std::vector<float> g = test::randomNumbers(elements, 0.3, step + 1);
    kernel.run({p.data(), g.data(), s.data(), &clip, &lr, &decayEnd, p.data(),
                s.data()});
    for (int64_t i = 0; i < elements; ++i) {
      double h = double(g[i]) * clip + (i < decayEnd ? 0.05 : 0) * pd[i];
      sd[i] += h * h;
      pd[i] -= double(lr) * h / (std::sqrt(sd[i]) + 1e-6);
    }
  }
  EXPECT_LT(test::relativeError(p, pd), 1e-6);
  EXPECT_LT(test::relativeError(s, sd), 1e-6);
}

} // namespace
