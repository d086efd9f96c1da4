//===- RandomBitsCheck.h - Kernels that draw, on any target -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_CODEGEN_CPU_RANDOMBITSCHECK_H
#define TESSERA_TEST_CODEGEN_CPU_RANDOMBITSCHECK_H

#include "test/codegen/cpu/RandomReference.h"
#include <functional>
#include <gtest/gtest.h>

namespace tessera::test {

using RunKernel = std::function<void(const std::vector<void *> &)>;

/// For GoogleTest's messages.
inline void PrintTo(const RandomBitsCase &shape, std::ostream *os) {
  *os << shape.rows << " x " << shape.columns << " of " << shape.samples
      << " samples " << shape.element;
}

/// Widths of each number of lanes on both targets, with an end of a row in the
/// middle of a vector and of a counter.
inline std::vector<RandomBitsCase> getRandomBitsCases() {
  return {{1, 1, 0},          {3, 7, 0},          {6, 6, 2},
          {4, 12, 4},         {5, 16, 1},         {8, 33, 2},
          {300, 64, 3},       {129, 250, 0},      {2, 1000, 2},
          {6, 16, 2, "bf16"}, {9, 40, 3, "bf16"}, {4, 10, 0, "bf16"}};
}

/// Bits, what is dropped by them, and sums along rows of what is kept, by two
/// kernels: those of `source(false)` and `source(true)`.
inline void checkRandomBits(const RandomBitsCase &shape, const RunKernel &rows,
                            const RunKernel &columns) {
  std::vector<uint32_t> expected = shape.expected();
  Stream stream = someStream;
  std::vector<int32_t> ids = shape.ids();
  bool isNarrow = shape.element == "bf16";
  // 1.0 everywhere.
  size_t size = expected.size(), words = isNarrow ? (size + 1) / 2 : size;
  uint32_t one = isNarrow ? 0x3f803f80 : 0x3f800000;
  std::vector<uint32_t> x(words + 16, one), y(words + 16, 7),
      bits(size + 16, 7);
  std::vector<float> counts(shape.columns + 16, -1);
  std::vector<void *> inputs = {x.data(), stream.data()};
  if (shape.samples)
    inputs.push_back(ids.data());
  auto with = [&](std::vector<void *> outputs) {
    std::vector<void *> all = inputs;
    all.insert(all.end(), outputs.begin(), outputs.end());
    return all;
  };
  rows(with({bits.data(), y.data()}));
  columns(with({counts.data()}));
  std::vector<float> expectedCounts(shape.columns);
  for (size_t i = 0; i < size; ++i) {
    ASSERT_EQ(bits[i], expected[i]) << "element " << i;
    bool kept = expected[i] >= 1u << 30;
    expectedCounts[i % shape.columns] += kept;
    uint32_t got = isNarrow ? reinterpret_cast<uint16_t *>(y.data())[i] : y[i];
    uint32_t number = isNarrow ? 0x3f80 : one;
    ASSERT_EQ(got, kept ? number : 0) << "element " << i;
  }
  counts.resize(shape.columns);
  EXPECT_EQ(counts, expectedCounts);
  EXPECT_EQ(bits[size], 7);
}

} // namespace tessera::test

#endif // TESSERA_TEST_CODEGEN_CPU_RANDOMBITSCHECK_H
