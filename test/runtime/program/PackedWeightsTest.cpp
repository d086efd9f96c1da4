//===- PackedWeightsTest.cpp - Weights in panels --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/PackedWeights.h"
#include <gtest/gtest.h>
#include <numeric>
#include <vector>

using namespace tessera::runtime;

namespace {

/// Where the weight of output \p n and inner index \p k lies, by the layout's
/// definition.
int64_t placeOf(int64_t outputs, int64_t inner, int64_t n, int64_t k,
                bool inPairs) {
  int64_t first = n / panelWidth * panelWidth;
  int64_t width = std::min(panelWidth, outputs - first), lane = n - first;
  int64_t panel = first * inner;
  if (inPairs && k < inner / 2 * 2)
    return panel + k / 2 * (2 * width) + 2 * lane + k % 2;
  return panel + k * width + lane;
}

template <typename Element> void check(ElementType type, bool inPairs) {
  for (int64_t outputs : {1, 16, 37})
    for (int64_t inner : {1, 6, 7})
      for (bool ofRows : {true, false}) {
        std::vector<Element> weights(outputs * inner);
        std::iota(weights.begin(), weights.end(), 1);
        std::vector<Element> packed = weights;
        packWeights(type, ofRows ? outputs : inner, ofRows ? inner : outputs,
                    ofRows, packed.data());
        for (int64_t n = 0; n < outputs; ++n)
          for (int64_t k = 0; k < inner; ++k)
            EXPECT_EQ(packed[placeOf(outputs, inner, n, k, inPairs)],
                      weights[ofRows ? n * inner + k : k * outputs + n])
                << outputs << " x " << inner << ", " << n << ", " << k;
      }
}

TEST(PackedWeights, PanelsHoldAllWeights) {
  check<uint32_t>(ElementType::F32, /*inPairs=*/false);
  check<uint16_t>(ElementType::F16, /*inPairs=*/false);
  check<uint16_t>(ElementType::Bf16, /*inPairs=*/true);
}

} // namespace
