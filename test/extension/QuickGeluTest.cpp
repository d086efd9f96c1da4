//===- QuickGeluTest.cpp - An activation from outside ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/kernels/Passes.h"
#include "passes/train/Passes.h"
#include "test/codegen/cpu/CompiledKernel.h"
#include "test/extension/Extension.h"
#include "test/extension/ExtensionTest.h"

#include <cmath>

using namespace mlir;
using namespace tessera;
using namespace tessera::extension;
using test::Array;

namespace {

using QuickGeluTest = ExtensionTest;

TEST_F(QuickGeluTest, ItsGradientIsThatOfItsFormula) {
  auto module = parseSourceString<ModuleOp>(R"(
    nn.parameter @a : tensor<3x4xf64> init normal(1.0) group "all"
    func.func @objective(%factors: tensor<3x4xf64> {nn.input = "factors"})
        -> (tensor<f64> {nn.output = "loss"}) {
      %a = nn.get_parameter @a : tensor<3x4xf64>
      %r = extension.quick_gelu %a : tensor<3x4xf64>
      %w = arith.mulf %r, %factors : tensor<3x4xf64>
      %loss = nn.reduce sum %w dims [0, 1] : tensor<3x4xf64> -> tensor<f64>
      return %loss : tensor<f64>
    })",
                                            &context);
  ASSERT_TRUE(module);
  PassManager manager(&context, ModuleOp::getOperationName());
  train::DifferentiateOptions options;
  options.accumulation = 1;
  options.maxNorm = 0;
  manager.addPass(train::createDifferentiate(options));
  manager.addPass(kernels::createDecompose());
  ASSERT_TRUE(succeeded(manager.run(*module)));
  Array factors(RankedTensorType::get({3, 4}, Float64Type::get(&context)));
  for (size_t i = 0; i < factors.data.size(); ++i)
    factors.data[i] = 1 - 0.3 * static_cast<double>(i);
  checkGradients(*module, factors);
}

TEST_F(QuickGeluTest, ItsKernelComputesIt) {
  auto module = parseSourceString<ModuleOp>(R"(
    func.func @quick_gelu(%x: tensor<4x40xf32>) -> tensor<4x40xf32> {
      %y = extension.quick_gelu %x : tensor<4x40xf32>
      return %y : tensor<4x40xf32>
    })",
                                            &context);
  ASSERT_TRUE(module);
  PassManager manager(&context, ModuleOp::getOperationName());
  manager.addPass(kernels::createDecompose());
  ASSERT_TRUE(succeeded(manager.run(*module)));
  module->lookupSymbol("quick_gelu")
      ->setAttr("plan.kernel", UnitAttr::get(&context));
  std::string text;
  llvm::raw_string_ostream(text) << *module;
  test::CompiledKernel kernel(text);
  std::vector<float> x(160), y(160);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = 0.25F * (static_cast<float>(i) - 80);
  kernel.run({x.data(), y.data()});
  for (size_t i = 0; i < x.size(); ++i) {
    double expected = x[i] / (1 + std::exp(-1.702 * static_cast<double>(x[i])));
    EXPECT_NEAR(y[i], expected, 1e-6 * std::max(1.0, std::abs(expected)))
        << x[i];
  }
}

/// A Transformer as the specification has them, but for its activation.
TEST_F(QuickGeluTest, ATransformerIsMadeWithIt) {
  for (StringRef target : {"cpu {}", "cuda {}"}) {
    Specification specification = parse((R"(
      transformer {
        names: GPT2 positions: LEARNED vocabulary: 32 layers: 2 hidden: 16
        heads: 2 sequence_length: 8
      }
      training { global_batch: 2 steps: 3 optimizer { lr: 0.01 } }
      target { )" + target + " }")
                                            .str());
    ModelKinds kinds = kindsOf(specification.message);
    EXPECT_EQ(kinds.activation, "nn.gelu");
    kinds.activation = "extension.quick_gelu";
    OwningOpRef<ModuleOp> module = buildModel(specification, kinds, context);
    int64_t activations = 0;
    module->walk([&](QuickGeluOp) { ++activations; });
    EXPECT_EQ(activations, 3 * 2) << "of three programs";
    ASSERT_TRUE(plan(*module));
    EXPECT_TRUE(lower(*module));
  }
}

} // namespace
