//===- GraphDropoutTest.cpp - Dropout of sparse matrices ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/Numbers.h"
#include "test/codegen/cpu/RandomReference.h"
#include "gtest/gtest.h"

using namespace tessera::test;

namespace {

class GraphDropout : public testing::TestWithParam<bool> {};

// Rows of 0 to 40 entries, which end in the middle of vectors; the bits are
// those of the dense matrix.
TEST_P(GraphDropout, DropsWhatTheDenseMatrixWould) {
  bool isTransposed = GetParam();
  constexpr int64_t rows = 60, columns = 1000, room = 2000;
  constexpr double rate = 0.375;
  std::mt19937 generator(3);
  std::uniform_int_distribution<int32_t> anyCount(0, 40),
      anyColumn(0, columns - 1);
  std::vector<int32_t> start = {0}, column(room, INT32_MAX);
  for (int64_t i = 0; i < rows; ++i) {
    int32_t end = start.back() + anyCount(generator);
    for (int32_t e = start.back(); e < end; ++e)
      column[e] = anyColumn(generator);
    start.push_back(end);
  }
  ASSERT_LT(start.back(), room);
  std::vector<float> weight = randomNumbers(room, 1, 5), result(room, -7);
  Stream stream = someStream;
  CompiledKernel kernel(kernelText(
      {tensor({rows + 1}, "i32"), tensor({room}, "i32"), tensor({room}),
       tensor({1, 4}, "i32")},
      {tensor({room})},
      std::string("%r0 = graph.dropout 0.375 of %a0, %a1, %a2 from %a3 ") +
          (isTransposed ? "transpose " : "") + ": " +
          tensor({rows + 1}, "i32") + ", " + tensor({room}, "i32") + ", " +
          tensor({room}) + ", " + tensor({1, 4}, "i32")));
  EXPECT_EQ(kernel.getIterations(), rows);
  kernel.run({start.data(), column.data(), weight.data(), stream.data(),
              result.data()},
             3);
  int64_t dropped = 0;
  for (int32_t row = 0; row < rows; ++row)
    for (int32_t e = start[row]; e < start[row + 1]; ++e) {
      int32_t sample = row, element = column[e];
      if (isTransposed)
        std::swap(sample, element);
      double factor =
          dropFactor(drawBits(stream, sample, 0, columns, element), rate);
      ASSERT_EQ(result[e], weight[e] * static_cast<float>(factor))
          << "entry " << e << " of row " << row;
      dropped += factor == 0;
    }
  EXPECT_NEAR(static_cast<double>(dropped) / start.back(), rate, 0.05);
  EXPECT_EQ(result[start.back()], -7);
}

INSTANTIATE_TEST_SUITE_P(Arrays, GraphDropout, testing::Bool());

} // namespace
