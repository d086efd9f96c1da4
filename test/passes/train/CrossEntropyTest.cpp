//===- CrossEntropyTest.cpp - Rows that do not count ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Logits that are Inf or NaN in rows without a target. The loss and the
// gradients of rows that count are those that PyTorch 2.15.0 computes in double
// precision by
//
//   torch.nn.functional.cross_entropy(logits, targets, ignore_index=-100)
//
// The gradients of other rows are 0 here. PyTorch leaves NaN in them where the
// logits are not finite: its softmax times 0.
//
//===----------------------------------------------------------------------===//

#include "dialects/AllDialects.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/kernels/Passes.h"
#include "passes/train/Passes.h"
#include "test/passes/train/Interpreter.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace mlir;
using namespace tessera;
using namespace tessera::test;

namespace {

constexpr int64_t rows = 20, classes = 3;
constexpr double inf = std::numeric_limits<double>::infinity();
const double nan = std::nan("");

/// A row whose target counts: what it holds and its part of the gradient.
struct CountedRow {
  int64_t row, target;
  std::array<double, classes> logits, gradient;
};
/// They lie in different chunks.
const CountedRow counted[] = {
    {1,
     2,
     {0.5, -1, 2},
     {0.08764519607001835, 0.019556286635343725, -0.10720148270536208}},
    {17,
     0,
     {1, 3, -0.25},
     {-0.4423668387547614, 0.42585466159978375, 0.016512177154977662}}};
constexpr double expectedLoss = 1.2009106384876234;

class CrossEntropy : public testing::Test {
protected:
  CrossEntropy() : targets(), scale() {
    DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    targets.shape = {rows};
    targets.data.assign(rows, -100);
    for (const CountedRow &row : counted)
      targets.data[row.row] = row.target;
    scale.data = {0.5};
  }

  /// Logits that are not finite wherever no target counts.
  static Array getLogits() {
    Array logits;
    logits.shape = {rows, classes};
    logits.data.assign(rows * classes, nan);
    for (int64_t i = 0; i < rows; i += 3)
      logits.at(i, 1) = inf;
    for (int64_t i = 0; i < rows; i += 4)
      for (int64_t j = 0; j < classes; ++j)
        logits.at(i, j) = j == i % 3 ? inf : -inf;
    for (const CountedRow &row : counted)
      for (int64_t j = 0; j < classes; ++j)
        logits.at(row.row, j) = row.logits[j];
    return logits;
  }

  /// \p source after \p passes.
  func::FuncOp parse(const std::string &source, llvm::StringRef name,
                     llvm::function_ref<void(PassManager &)> passes) {
    module = parseSourceString<ModuleOp>(source, &context);
    EXPECT_TRUE(module);
    PassManager manager(&context);
    passes(manager);
    EXPECT_TRUE(succeeded(manager.run(*module)));
    return module->lookupSymbol<func::FuncOp>(name);
  }

  /// The loss and the gradient with respect to all logits.
  std::pair<double, Array> differentiate(const Array &logits) {
    func::FuncOp step = parse(
        R"(
      nn.parameter @logits : tensor<20x3xf64> init normal(1.0) group "all"
      func.func @objective(%t: tensor<20xi32> {nn.input = "targets"},
                           %s: tensor<f64> {nn.input = "scale"})
          -> (tensor<f64> {nn.output = "loss"}) {
        %x = nn.get_parameter @logits : tensor<20x3xf64>
        %loss = nn.cross_entropy %x, %t, %s
            : tensor<20x3xf64>, tensor<20xi32>, tensor<f64>
        return %loss : tensor<f64>
      })",
        "train", [](PassManager &manager) {
          train::DifferentiateOptions options;
          options.accumulation = 1;
          options.maxNorm = 0;
          manager.addPass(train::createDifferentiate(options));
          manager.addPass(kernels::createDecompose());
        });
    Arrays parameters = {{"logits", logits}};
    Interpreter interpreter(parameters);
    EXPECT_TRUE(succeeded(interpreter.run(step, {targets, scale})));
    Operation *end = step.getBody().front().getTerminator();
    return {interpreter.get(end->getOperand(0)).data[0],
            interpreter.getGradients().at("logits")};
  }

  /// The results of a head with its loss: the loss, the gradients of the input
  /// and of the weights.
  std::vector<Array> runHead(const Array &input, const Array &weight) {
    func::FuncOp head = parse(
        R"(
      func.func @head(%x: tensor<20x4xf64>, %w: tensor<3x4xf64>,
                      %t: tensor<20xi32>, %s: tensor<f64>)
          -> (tensor<f64>, tensor<20x4xf64>, tensor<3x4xf64>) {
        %loss, %dx, %dw = nn.linear_cross_entropy %x, %w, %t, %s
            : tensor<20x4xf64>, tensor<3x4xf64>, tensor<20xi32>, tensor<f64>
            -> tensor<3x4xf64>
        return %loss, %dx, %dw
            : tensor<f64>, tensor<20x4xf64>, tensor<3x4xf64>
      })",
        "head", [](PassManager &manager) {
          // Chunks of 16 rows.
          manager.addPass(
              kernels::createDecompose({/*chunkBytes=*/16 * 3 * 8}));
        });
    Arrays parameters;
    Interpreter interpreter(parameters);
    EXPECT_TRUE(
        succeeded(interpreter.run(head, {input, weight, targets, scale})));
    std::vector<Array> results;
    for (Value value : head.getBody().front().getTerminator()->getOperands())
      results.push_back(interpreter.get(value));
    return results;
  }

  /// Of the logits input · weightᵀ, the logarithms of the targets'
  /// probabilities and whether they are the likeliest.
  std::vector<Array> runScores(const Array &input, const Array &weight) {
    func::FuncOp scores = parse(
        R"(
      func.func @scores(%x: tensor<20x4xf64>, %w: tensor<3x4xf64>,
                        %t: tensor<20xi32>) -> (tensor<20xf64>, tensor<20xf64>) {
        %log, %correct = nn.linear_target_scores %x, %w, %t
            : tensor<20x4xf64>, tensor<3x4xf64>, tensor<20xi32>
            -> tensor<20xf64>
        return %log, %correct : tensor<20xf64>, tensor<20xf64>
      })",
        "scores", [](PassManager &manager) {
          // Chunks of 16 rows.
          manager.addPass(
              kernels::createDecompose({/*chunkBytes=*/16 * 3 * 8}));
        });
    Arrays parameters;
    Interpreter interpreter(parameters);
    EXPECT_TRUE(succeeded(interpreter.run(scores, {input, weight, targets})));
    std::vector<Array> results;
    for (Value value : scores.getBody().front().getTerminator()->getOperands())
      results.push_back(interpreter.get(value));
    return results;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  Array targets, scale;
};

/// An input and weights of a head whose logits overflow, from a column of the
/// input that is 0 elsewhere, in rows without a target.
std::pair<Array, Array> getOverflowingHead() {
  Array input, weight;
  input.shape = {rows, 4};
  input.data.resize(rows * 4);
  weight.shape = {classes, 4};
  weight.data = {1, 0, 0, 10, 0, 1, 0, -10, 0, 0, 1, 10};
  for (int64_t i = 0; i < rows; ++i)
    input.at(i, 3) = 1e308;
  for (const CountedRow &row : counted) {
    input.at(row.row, 3) = 0;
    for (int64_t j = 0; j < classes; ++j)
      input.at(row.row, j) = row.logits[j];
  }
  return {input, weight};
}

TEST_F(CrossEntropy, SelectsTheRowsThatCount) {
  auto [loss, gradient] = differentiate(getLogits());
  EXPECT_NEAR(loss, expectedLoss, 1e-14);
  Array expected;
  expected.shape = {rows, classes};
  expected.data.resize(rows * classes);
  for (const CountedRow &row : counted)
    for (int64_t j = 0; j < classes; ++j)
      expected.at(row.row, j) = row.gradient[j];
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < classes; ++j)
      if (targets.data[i] < 0)
        EXPECT_EQ(gradient.at(i, j), 0) << "row " << i;
      else
        EXPECT_NEAR(gradient.at(i, j), expected.at(i, j), 1e-14);
}

TEST_F(CrossEntropy, SelectsInAHeadThatOverflows) {
  auto [input, weight] = getOverflowingHead();
  std::vector<Array> results = runHead(input, weight);
  EXPECT_NEAR(results[0].data[0], expectedLoss, 1e-14);
  Array weightGradient;
  weightGradient.shape = {classes, 4};
  weightGradient.data.resize(classes * 4);
  for (const CountedRow &row : counted)
    for (int64_t j = 0; j < classes; ++j) {
      EXPECT_NEAR(results[1].at(row.row, j), row.gradient[j], 1e-14);
      for (int64_t k = 0; k < classes; ++k)
        weightGradient.at(j, k) += row.gradient[j] * row.logits[k];
    }
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; targets.data[i] < 0 && j < 4; ++j)
      EXPECT_EQ(results[1].at(i, j), 0) << "row " << i;
  for (size_t i = 0; i < weightGradient.data.size(); ++i)
    EXPECT_NEAR(results[2].data[i], weightGradient.data[i], 1e-14);
}

TEST_F(CrossEntropy, ScoresTheTargetsThatCount) {
  auto [input, weight] = getOverflowingHead();
  // Two rows more, whose largest logits are equal: the first one is the
  // prediction.
  for (int64_t row : {5, 6}) {
    input.at(row, 3) = 0;
    for (int64_t j = 0; j < classes; ++j)
      input.at(row, j) = j == 0 ? -1 : 2;
  }
  targets.data[5] = 1;
  targets.data[6] = 2;
  std::vector<Array> results = runScores(input, weight);
  double sum = 0;
  for (const CountedRow &row : counted)
    sum += results[0].data[row.row];
  EXPECT_NEAR(-0.5 * sum, expectedLoss, 1e-14);
  double half = -std::log(2 + std::exp(-3));
  EXPECT_NEAR(results[0].data[5], half, 1e-14);
  EXPECT_NEAR(results[0].data[6], half, 1e-14);
  for (int64_t i = 0; i < rows; ++i) {
    if (targets.data[i] < 0)
      EXPECT_EQ(results[0].data[i], 0) << "row " << i;
    // Of the two counted rows the first one's target is the likeliest.
    EXPECT_EQ(results[1].data[i], i == 1 || i == 5) << "row " << i;
  }
}

TEST_F(CrossEntropy, KeepsNaNOfARowThatCounts) {
  Array logits = getLogits();
  logits.at(17, 1) = nan;
  auto [loss, gradient] = differentiate(logits);
  EXPECT_TRUE(std::isnan(loss));
  EXPECT_TRUE(std::isnan(gradient.at(17, 0)));
  EXPECT_EQ(gradient.at(2, 0), 0);
}

} // namespace
