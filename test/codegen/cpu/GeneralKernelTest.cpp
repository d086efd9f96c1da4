//===- GeneralKernelTest.cpp - Kernels of rows and columns ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cpu/CompiledKernel.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using tessera::test::CompiledKernel;

namespace {

std::vector<float> randomNumbers(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, 2);
  std::vector<float> numbers(count);
  for (float &number : numbers)
    number = normal(generator);
  return numbers;
}

std::string tensor(const std::vector<int64_t> &shape,
                   const char *type = "f32") {
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += std::to_string(size) + "x";
  return text + type + ">";
}

std::string exactly(double number) {
  char text[40];
  snprintf(text, sizeof(text), "%.17e", number);
  return text;
}

/// Runs \p kernel on buffers with a guard behind each, which must stay.
void runGuarded(CompiledKernel &kernel,
                const std::vector<std::vector<float> *> &all, int64_t pieces) {
  std::vector<void *> addresses;
  for (std::vector<float> *buffer : all) {
    buffer->insert(buffer->end(), 16, 12345.0f);
    addresses.push_back(buffer->data());
  }
  kernel.run(addresses, pieces);
  for (std::vector<float> *buffer : all)
    for (size_t i = 0; i < 16; ++i) {
      ASSERT_EQ(buffer->back(), 12345.0f);
      buffer->pop_back();
    }
}

void expectNear(const std::vector<float> &got,
                const std::vector<double> &expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], expected[i],
                tolerance * std::max(1.0, std::abs(expected[i])))
        << "at " << i;
}

struct Size {
  int64_t rows, columns;
};

class Rows : public testing::TestWithParam<Size> {};
INSTANTIATE_TEST_SUITE_P(Sizes, Rows,
                         testing::Values(Size{1, 1}, Size{3, 7}, Size{5, 16},
                                         Size{4, 48}, Size{2, 64}, Size{3, 65},
                                         Size{7, 130}, Size{300, 256},
                                         Size{129, 33}, Size{2, 1000}));

/// A residual sum and a layer norm: three passes over a row, results of both
/// kinds.
TEST_P(Rows, LayerNorm) {
  auto [rows, columns] = GetParam();
  std::string full = tensor({rows, columns}), row = tensor({rows}),
              column = tensor({columns});
  CompiledKernel kernel(
      "func.func @k(%x: " + full + ", %y: " + full + ", %w: " + column +
      ", %b: " + column + ") -> (" + full + ", " + full + ", " + row +
      ") attributes {plan.kernel} {\n"
      "%inverse = arith.constant dense<" +
      exactly(1.0 / columns) + "> : " + row +
      "\n%eps = arith.constant dense<1.0e-5> : " + row +
      "\n%one = arith.constant dense<1.0> : " + row +
      "\n%s = arith.addf %x, %y : " + full +
      "\n%sum = nn.reduce sum %s dims [1] : " + full + " -> " + row +
      "\n%mean = arith.mulf %sum, %inverse : " + row +
      "\n%m = nn.broadcast %mean dims [0] : " + row + " -> " + full +
      "\n%c = arith.subf %s, %m : " + full + "\n%cc = arith.mulf %c, %c : " +
      full + "\n%squares = nn.reduce sum %cc dims [1] : " + full + " -> " +
      row + "\n%variance = arith.mulf %squares, %inverse : " + row +
      "\n%shifted = arith.addf %variance, %eps : " + row +
      "\n%root = math.sqrt %shifted : " + row +
      "\n%rstd = arith.divf %one, %root : " + row +
      "\n%r = nn.broadcast %rstd dims [0] : " + row + " -> " + full +
      "\n%n = arith.mulf %c, %r : " + full +
      "\n%ws = nn.broadcast %w dims [1] : " + column + " -> " + full +
      "\n%bs = nn.broadcast %b dims [1] : " + column + " -> " + full +
      "\n%nw = arith.mulf %n, %ws : " + full +
      "\n%z = arith.addf %nw, %bs : " + full +
      "\nreturn %s, %z, %rstd : " + full + ", " + full + ", " + row + "\n}");
  EXPECT_EQ(kernel.getIterations(), rows);
  size_t size = rows * columns;
  auto x = randomNumbers(size, 1), y = randomNumbers(size, 2),
       w = randomNumbers(columns, 3), b = randomNumbers(columns, 4);
  std::vector<float> s(size), z(size), rstd(rows);
  std::vector<double> expectedSum, expected, expectedRstd;
  for (int64_t i = 0; i < rows; ++i) {
    double mean = 0, variance = 0;
    auto at = [&](int64_t j) {
      return double(x[i * columns + j] + y[i * columns + j]);
    };
    for (int64_t j = 0; j < columns; ++j)
      mean += at(j) / columns;
    for (int64_t j = 0; j < columns; ++j)
      variance += (at(j) - mean) * (at(j) - mean) / columns;
    double inverse = 1 / std::sqrt(variance + 1e-5);
    expectedRstd.push_back(inverse);
    for (int64_t j = 0; j < columns; ++j) {
      expectedSum.push_back(at(j));
      expected.push_back((at(j) - mean) * inverse * w[j] + b[j]);
    }
  }
  // One column has no variance: what is left is rounding, blown up.
  double tolerance = columns == 1 ? 1e-3 : 2e-5;
  runGuarded(kernel, {&x, &y, &w, &b, &s, &z, &rstd}, 1);
  expectNear(s, expectedSum, 0);
  expectNear(z, expected, tolerance);
  expectNear(rstd, expectedRstd, tolerance);
  std::vector<float> whole = z;
  runGuarded(kernel, {&x, &y, &w, &b, &s, &z, &rstd},
             std::min<int64_t>(rows, 3));
  EXPECT_EQ(whole, z);
}

/// Sums along the rows, of two tensors at once, the second one accumulated.
TEST_P(Rows, ColumnSums) {
  auto [rows, columns] = GetParam();
  std::string full = tensor({rows, columns}), row = tensor({rows}),
              column = tensor({columns});
  CompiledKernel kernel(
      "func.func @k(%x: " + full + ", %y: " + full + ", %r: " + row + ") -> (" +
      column + ", " + column +
      " {plan.accumulate}) attributes {plan.kernel} {\n"
      "%rs = nn.broadcast %r dims [0] : " +
      row + " -> " + full + "\n%p = arith.mulf %x, %rs : " + full +
      "\n%q = arith.mulf %p, %y : " + full +
      "\n%a = nn.reduce sum %q dims [0] : " + full + " -> " + column +
      "\n%b = nn.reduce sum %y dims [0] : " + full + " -> " + column +
      "\n%c = nn.accumulate %b : " + column + "\nreturn %a, %c : " + column +
      ", " + column + "\n}");
  EXPECT_EQ(kernel.getIterations(), (columns + 63) / 64);
  size_t size = rows * columns;
  auto x = randomNumbers(size, 1), y = randomNumbers(size, 2),
       r = randomNumbers(rows, 3);
  std::vector<float> a(columns), c(columns, 1.5f);
  std::vector<double> expectedA(columns), expectedC(columns, 1.5);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      size_t at = i * columns + j;
      expectedA[j] += double(x[at]) * y[at] * r[i];
      expectedC[j] += y[at];
    }
  runGuarded(kernel, {&x, &y, &r, &a, &c}, 1);
  expectNear(a, expectedA, 2e-4);
  expectNear(c, expectedC, 2e-4);
}

/// The loss of a row of logits and its probabilities, both 0 in the last of
/// several rows, which does not count and is NaN.
TEST_P(Rows, CrossEntropy) {
  auto [rows, columns] = GetParam();
  std::string full = tensor({rows, columns}), row = tensor({rows}),
              ints = tensor({rows, columns}, "i32"),
              intRow = tensor({rows}, "i32"),
              bits = tensor({rows, columns}, "i1"),
              rowBits = tensor({rows}, "i1");
  CompiledKernel kernel(
      "func.func @k(%l: " + full + ", %t: " + intRow + ") -> (" + full + ", " +
      row +
      ") attributes {plan.kernel} {\n"
      "%zero = arith.constant dense<0.0> : " +
      full + "\n%m = nn.reduce max %l dims [1] : " + full + " -> " + row +
      "\n%ms = nn.broadcast %m dims [0] : " + row + " -> " + full +
      "\n%d = arith.subf %l, %ms : " + full + "\n%e = math.exp %d : " + full +
      "\n%s = nn.reduce sum %e dims [1] : " + full + " -> " + row +
      "\n%i = nn.iota 1 : " + ints + "\n%ts = nn.broadcast %t dims [0] : " +
      intRow + " -> " + ints + "\n%hit = arith.cmpi eq, %i, %ts : " + ints +
      "\n%only = arith.select %hit, %l, %zero : " + bits + ", " + full +
      "\n%picked = nn.reduce sum %only dims [1] : " + full + " -> " + row +
      "\n%log = math.log %s : " + row + "\n%all = arith.addf %log, %m : " +
      row + "\n%plain = arith.subf %all, %picked : " + row +
      "\n%none = arith.constant dense<0> : " + intRow +
      "\n%counts = arith.cmpi sge, %t, %none : " + intRow +
      "\n%rowZero = arith.constant dense<0.0> : " + row +
      "\n%loss = arith.select %counts, %plain, %rowZero : " + rowBits + ", " +
      row + "\n%nones = arith.constant dense<0> : " + ints +
      "\n%all_count = arith.cmpi sge, %ts, %nones : " + ints +
      "\n%ss = nn.broadcast %s dims [0] : " + row + " -> " + full +
      "\n%q = arith.divf %e, %ss : " + full +
      "\n%p = arith.select %all_count, %q, %zero : " + bits + ", " + full +
      "\nreturn %p, %loss : " + full + ", " + row + "\n}");
  size_t size = rows * columns;
  auto logits = randomNumbers(size, 1);
  std::vector<int32_t> targets(rows);
  std::vector<float> p(size), loss(rows);
  std::vector<double> expectedP, expectedLoss;
  for (int64_t i = 0; i < rows; ++i) {
    targets[i] = i % columns;
    if (i == rows - 1 && i > 0) {
      targets[i] = -1;
      std::fill_n(&logits[i * columns], columns, NAN);
      expectedP.insert(expectedP.end(), columns, 0);
      expectedLoss.push_back(0);
      continue;
    }
    double max = -1e30, sum = 0;
    for (int64_t j = 0; j < columns; ++j)
      max = std::max<double>(max, logits[i * columns + j]);
    for (int64_t j = 0; j < columns; ++j)
      sum += std::exp(logits[i * columns + j] - max);
    for (int64_t j = 0; j < columns; ++j)
      expectedP.push_back(std::exp(logits[i * columns + j] - max) / sum);
    expectedLoss.push_back(std::log(sum) + max -
                           logits[i * columns + targets[i]]);
  }
  kernel.run({logits.data(), targets.data(), p.data(), loss.data()});
  expectNear(p, expectedP, 1e-6);
  expectNear(loss, expectedLoss, 2e-6);
}

/// Rows of a table by index, plus a table of positions that repeats.
TEST(GeneralKernel, GatherAndPositions) {
  CompiledKernel kernel(R"(
    func.func @k(%table: tensor<9x20xf32>, %ids: tensor<2x3xi32>, %p: tensor<3x20xf32>)
        -> tensor<6x20xf32> attributes {plan.kernel} {
      %flat = nn.reshape %ids : tensor<2x3xi32> -> tensor<6xi32>
      %x = nn.gather %table, %flat : tensor<9x20xf32>, tensor<6xi32> -> tensor<6x20xf32>
      %each = nn.broadcast %p dims [1, 2] : tensor<3x20xf32> -> tensor<2x3x20xf32>
      %ps = nn.reshape %each : tensor<2x3x20xf32> -> tensor<6x20xf32>
      %y = arith.addf %x, %ps : tensor<6x20xf32>
      return %y : tensor<6x20xf32>
    })");
  auto table = randomNumbers(9 * 20, 1), p = randomNumbers(3 * 20, 2);
  std::vector<int32_t> ids = {8, 0, 3, 3, 7, 1};
  std::vector<float> y(6 * 20);
  kernel.run({table.data(), ids.data(), p.data(), y.data()});
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < 20; ++j)
      ASSERT_EQ(y[i * 20 + j], table[ids[i] * 20 + j] + p[i % 3 * 20 + j]);
}

/// Halves of the columns, and two results side by side, which take the place of
/// what they are computed from.
TEST_P(Rows, Columns) {
  auto [rows, columns] = GetParam();
  std::string whole = tensor({rows, 2 * columns}),
              part = tensor({rows, columns});
  CompiledKernel kernel(
      "func.func @k(%x: " + whole + ", %y: " + part + ") -> (" + whole + ", " +
      part +
      ") attributes {plan.kernel} {\n"
      "%a = nn.slice_columns %x from 0 : " +
      whole + " -> " + part + "\n%b = nn.slice_columns %x from " +
      std::to_string(columns) + " : " + whole + " -> " + part +
      "\n%p = arith.mulf %a, %y : " + part + "\n%q = arith.addf %b, %p : " +
      part + "\n%r = arith.subf %a, %b : " + part +
      "\n%s = nn.concat_columns %q, %r : " + part + ", " + part + " -> " +
      whole + "\nreturn %s, %p : " + whole + ", " + part + "\n}");
  EXPECT_EQ(kernel.getIterations(), rows);
  auto x = randomNumbers(2 * rows * columns, 1),
       y = randomNumbers(rows * columns, 2);
  std::vector<float> s(x.size()), p(y.size());
  std::vector<double> expectedS, expectedP;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < 2 * columns; ++j) {
      int64_t c = j % columns;
      float a = x[i * 2 * columns + c], b = x[i * 2 * columns + columns + c];
      float product = a * y[i * columns + c];
      expectedS.push_back(j < columns ? b + product : a - b);
      if (j < columns)
        expectedP.push_back(product);
    }
  runGuarded(kernel, {&x, &y, &s, &p}, 1);
  expectNear(s, expectedS, 0);
  expectNear(p, expectedP, 0);
  kernel.run({x.data(), y.data(), x.data(), y.data()},
             std::min<int64_t>(rows, 3));
  EXPECT_EQ(x, s);
  EXPECT_EQ(y, p);
}

/// 2 texts of 3 positions and 4 heads: a table of positions for all heads, what
/// heads below 3 have of it, and one number a token and head.
TEST(GeneralKernel, HeadsOfPositions) {
  CompiledKernel kernel(R"(
    func.func @k(%x: tensor<2x3x4x20xf32>, %p: tensor<3x20xf32>)
        -> (tensor<2x3x4x20xf32>, tensor<2x3x4xf32>) attributes {plan.kernel} {
      %three = arith.constant dense<3> : tensor<2x3x4x20xi32>
      %zero = arith.constant dense<0.0> : tensor<2x3x4x20xf32>
      %each = nn.broadcast %p dims [1, 3] : tensor<3x20xf32> -> tensor<2x3x4x20xf32>
      %head = nn.iota 2 : tensor<2x3x4x20xi32>
      %has = arith.cmpi slt, %head, %three : tensor<2x3x4x20xi32>
      %q = arith.select %has, %each, %zero : tensor<2x3x4x20xi1>, tensor<2x3x4x20xf32>
      %sum = nn.reduce sum %x dims [3] : tensor<2x3x4x20xf32> -> tensor<2x3x4xf32>
      %one = arith.constant dense<1> : tensor<2x3x4xi32>
      %number = nn.iota 1 : tensor<2x3x4xi32>
      %second = arith.cmpi eq, %number, %one : tensor<2x3x4xi32>
      %none = arith.constant dense<-1.0> : tensor<2x3x4xf32>
      %r = arith.select %second, %none, %sum : tensor<2x3x4xi1>, tensor<2x3x4xf32>
      %rs = nn.broadcast %r dims [0, 1, 2] : tensor<2x3x4xf32> -> tensor<2x3x4x20xf32>
      %y = arith.addf %rs, %q : tensor<2x3x4x20xf32>
      return %y, %r : tensor<2x3x4x20xf32>, tensor<2x3x4xf32>
    })");
  auto x = randomNumbers(24 * 20, 1), p = randomNumbers(3 * 20, 2);
  std::vector<float> y(24 * 20), r(24);
  std::vector<double> expectedY, expectedR;
  for (int64_t row = 0; row < 24; ++row) {
    int64_t head = row % 4, position = row / 4 % 3;
    double sum = position == 1 ? -1 : 0;
    for (int64_t j = 0; j < 20 && position != 1; ++j)
      sum += x[row * 20 + j];
    expectedR.push_back(sum);
    for (int64_t j = 0; j < 20; ++j)
      expectedY.push_back(sum + (head < 3 ? p[position * 20 + j] : 0));
  }
  runGuarded(kernel, {&x, &p, &y, &r}, 1);
  expectNear(y, expectedY, 1e-5);
  expectNear(r, expectedR, 1e-5);
}

/// Elementwise kernels run in blocks, whatever the shape; the last one is cut.
TEST(GeneralKernel, Flat) {
  for (int64_t size : {1, 5, 16, 1000, 1024, 1025, 5000}) {
    std::string type = tensor({size});
    CompiledKernel kernel(
        "func.func @k(%x: " + type + ", %s: tensor<f32>) -> " + type +
        " attributes {plan.kernel} {\n"
        "%t = math.tanh %x : " +
        type + "\n%f = nn.broadcast %s dims [] : tensor<f32> -> " + type +
        "\n%y = arith.mulf %t, %f : " + type + "\nreturn %y : " + type + "\n}");
    EXPECT_EQ(kernel.getIterations(), (size + 1023) / 1024);
    auto x = randomNumbers(size, 1);
    std::vector<float> scale = {3}, y(size);
    std::vector<double> expected;
    for (float value : x)
      expected.push_back(3 * std::tanh(double(value)));
    runGuarded(kernel, {&x, &scale, &y}, 1);
    expectNear(y, expected, 1e-6);
  }
}

/// A sum over a long vector, and what is computed from it alone.
TEST(GeneralKernel, ScalarResult) {
  CompiledKernel kernel(R"(
    func.func @k(%x: tensor<1000xf32>) -> tensor<f32> attributes {plan.kernel} {
      %half = arith.constant dense<0.5> : tensor<f32>
      %s = nn.reduce sum %x dims [0] : tensor<1000xf32> -> tensor<f32>
      %y = arith.mulf %s, %half : tensor<f32>
      return %y : tensor<f32>
    })");
  auto x = randomNumbers(1000, 1);
  std::vector<float> y(1);
  double sum = 0;
  for (float value : x)
    sum += value;
  kernel.run({x.data(), y.data()});
  EXPECT_NEAR(y[0], sum / 2, 1e-3);
}

/// A NaN must reach the loss.
TEST(GeneralKernel, MaximumKeepsNaN) {
  CompiledKernel kernel(R"(
    func.func @k(%x: tensor<1x40xf32>) -> tensor<1xf32> attributes {plan.kernel} {
      %m = nn.reduce max %x dims [1] : tensor<1x40xf32> -> tensor<1xf32>
      return %m : tensor<1xf32>
    })");
  auto x = randomNumbers(40, 1);
  x[37] = NAN;
  std::vector<float> y(1);
  kernel.run({x.data(), y.data()});
  EXPECT_TRUE(std::isnan(y[0]));
}

} // namespace
