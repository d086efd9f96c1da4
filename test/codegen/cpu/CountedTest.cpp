//===- CountedTest.cpp - Kernels that skip rows beyond a count ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sums over a counted part have the bits of the same kernel without a count
// where everything beyond is 0, and what is beyond, here NaN, is not read.
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cpu/CompiledKernel.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <random>

using tessera::test::CompiledKernel;

namespace {

const float notANumber = std::numeric_limits<float>::quiet_NaN();

std::string tensor(int64_t rows, int64_t columns) {
  return "tensor<" + std::to_string(rows) + "x" + std::to_string(columns) +
         "xf32>";
}

/// Two sums over the squares and values of a matrix: by columns, or of all.
std::string makeSums(int64_t rows, int64_t columns, bool byColumns,
                     bool counted) {
  std::string full = tensor(rows, columns),
              result = byColumns ? "tensor<" + std::to_string(columns) + "xf32>"
                                 : std::string("tensor<f32>"),
              dims = byColumns ? "[0]" : "[0, 1]";
  return "func.func @k(%x: " + full +
         (counted ? ", %n: tensor<i32> {plan.counts_sums = " +
                        std::to_string(rows) + " : i64}"
                  : std::string()) +
         ") -> (" + result + ", " + result +
         ") attributes {plan.kernel} {\n%q = arith.mulf %x, %x : " + full +
         "\n%a = nn.reduce sum %q dims " + dims + " : " + full + " -> " +
         result + "\n%b = nn.reduce sum %x dims " + dims + " : " + full +
         " -> " + result + "\nreturn %a, %b : " + result + ", " + result +
         "\n}";
}

bool haveSameBits(const std::vector<float> &a, const std::vector<float> &b) {
  return a.size() == b.size() &&
         memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void checkSums(int64_t rows, int64_t columns, bool byColumns) {
  CompiledKernel counted(makeSums(rows, columns, byColumns, true));
  CompiledKernel plain(makeSums(rows, columns, byColumns, false));
  std::mt19937 generator(1);
  std::normal_distribution<float> normal(0, 2);
  std::vector<float> numbers(rows * columns);
  for (float &number : numbers)
    number = normal(generator);
  size_t results = byColumns ? columns : 1;
  for (int32_t count :
       {0, 1, 2, static_cast<int>(rows / 3), static_cast<int>(rows / 2),
        static_cast<int>(rows) - 1, static_cast<int>(rows), 1 << 30, -5}) {
    int64_t there = std::clamp<int64_t>(count, 0, rows);
    std::vector<float> zeroed = numbers, poisoned = numbers;
    std::fill(zeroed.begin() + there * columns, zeroed.end(), 0.0f);
    // A zero of either sign adds nothing.
    for (size_t i = there * columns; i < zeroed.size(); i += 3)
      zeroed[i] = -0.0f;
    std::fill(poisoned.begin() + there * columns, poisoned.end(), notANumber);
    std::vector<float> expectedA(results), expectedB(results),
        a(results, notANumber), b(results, notANumber);
    plain.run({zeroed.data(), expectedA.data(), expectedB.data()});
    counted.run({poisoned.data(), &count, a.data(), b.data()}, 3);
    EXPECT_TRUE(haveSameBits(a, expectedA))
        << rows << " x " << columns << ", " << count;
    EXPECT_TRUE(haveSameBits(b, expectedB))
        << rows << " x " << columns << ", " << count;
  }
}

TEST(Counted, ColumnSums) {
  for (auto [rows, columns] :
       {std::pair(1, 1), {3, 7}, {300, 33}, {257, 130}, {128, 64}})
    checkSums(rows, columns, /*byColumns=*/true);
}

TEST(Counted, SumsOfAll) {
  for (auto [rows, columns] : {std::pair(1, 1),
                               {1, 40},
                               {3, 7},
                               {300, 33},
                               {257, 130},
                               {64, 2},
                               {2708, 1}})
    checkSums(rows, columns, /*byColumns=*/false);
}

/// The iterations that a launch runs for a count.
std::vector<int64_t> getCounted(const std::string &source) {
  CompiledKernel kernel(source);
  auto counted = kernel.getCounted();
  return {counted.begin(), counted.end()};
}

TEST(Counted, RowsAreIterations) {
  std::string full = tensor(64, 40), row = "tensor<64xf32>";
  std::string head = "func.func @k(%x: " + full +
                     ", %n: tensor<i32> {plan.counts_rows = 64 : i64}) -> ";
  // One of each row.
  EXPECT_EQ(getCounted(head + row +
                       " attributes {plan.kernel} {\n"
                       "%s = nn.reduce sum %x dims [1] : " +
                       full + " -> " + row + "\nreturn %s : " + row + "\n}"),
            (std::vector<int64_t>{1, 1, 1}));
  // Elementwise kernels take 1024 elements at a time.
  EXPECT_EQ(getCounted(head + full +
                       " attributes {plan.kernel} {\n"
                       "%s = math.exp %x : " +
                       full + "\nreturn %s : " + full + "\n}"),
            (std::vector<int64_t>{1, 40, 1024}));
  // Two rows of heads for each row.
  EXPECT_EQ(getCounted(head +
                       "tensor<128xf32> attributes {plan.kernel} {\n"
                       "%h = nn.reshape %x : " +
                       full +
                       " -> tensor<128x20xf32>\n"
                       "%s = nn.reduce sum %h dims [1] : tensor<128x20xf32> "
                       "-> tensor<128xf32>\nreturn %s : tensor<128xf32>\n}"),
            (std::vector<int64_t>{1, 2, 1}));
  // Columns are not rows.
  EXPECT_TRUE(getCounted(head +
                         "tensor<40xf32> attributes {plan.kernel} {\n"
                         "%s = nn.reduce sum %x dims [0] : " +
                         full +
                         " -> tensor<40xf32>\nreturn %s : tensor<40xf32>\n}")
                  .empty());
}

} // namespace
