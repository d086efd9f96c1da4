//===- RecomputationTest.cpp - The search over plans ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Recomputation.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace tessera;

namespace {

/// Plans a model of equal layers: each keeps `layer` bytes, `matmul` where
/// what is cheap is recomputed, or `input` where all is; beside them the
/// backward pass of a layer that is recomputed, or the model's end, take room.
struct Layers {
  int64_t segments, layer, matmul, input, end;
  int64_t plans = 0;

  FailureOr<RecomputationPlan> operator()(Recomputation recomputation) {
    ++plans;
    int64_t whole = std::min(recomputation.whole, segments);
    int64_t cheap = std::clamp(recomputation.cheap, whole, segments);
    int64_t kept =
        whole * input + (cheap - whole) * matmul + (segments - cheap) * layer;
    return RecomputationPlan{segments, kept + std::max(whole ? layer : 0, end)};
  }
};

TEST(Recomputation, LeavesTheLastLayersWhereThatTakesNoMore) {
  // Every layer left out takes 15 more.
  Layers all{70, 16, 10, 1, 0};
  EXPECT_EQ(chooseLayers(all)->whole, 70);
  EXPECT_LE(all.plans, 3);

  // The room of what is recomputed is free before the last layer's turn.
  auto last = [](Recomputation recomputation) -> FailureOr<RecomputationPlan> {
    int64_t whole = std::min<int64_t>(recomputation.whole, 24);
    return RecomputationPlan{24, whole == 24 ? 40 : 24 + 16 * (24 - whole)};
  };
  EXPECT_EQ(chooseLayers(last)->whole, 23);
}

TEST(Recomputation, FindsTheFewestLayersInFewPlans) {
  for (int64_t fewest : {0, 1, 37, 69, 70}) {
    int64_t plans = 0;
    auto plan = [&](Recomputation recomputation) {
      ++plans;
      int64_t whole = std::min<int64_t>(recomputation.whole, 70);
      return FailureOr<RecomputationPlan>(
          {70, std::max<int64_t>(100, 100 + fewest - whole)});
    };
    FailureOr<Recomputation> choice = chooseLayers(plan);
    EXPECT_EQ(choice->whole, fewest);
    EXPECT_EQ(choice->cheap, fewest);
    EXPECT_LE(plans, 14);
  }
}

TEST(Recomputation, StaysWithinALimitWithTheLeastWork) {
  auto choose = [](int64_t limit) {
    Layers model{24, 16, 10, 1, 16};
    FailureOr<Recomputation> choice = chooseWithin(limit, model);
    EXPECT_LE(model.plans, 11);
    return std::pair(choice->whole, choice->cheap);
  };
  using Pair = std::pair<int64_t, int64_t>;
  // Nothing: 24 x 16 + 16 bytes. Each cheap segment spares 6.
  EXPECT_EQ(choose(400), Pair(0, 0));
  EXPECT_EQ(choose(399), Pair(0, 1));
  EXPECT_EQ(choose(394), Pair(0, 1));
  EXPECT_EQ(choose(393), Pair(0, 2));
  EXPECT_EQ(choose(400 - 24 * 6), Pair(0, 24));
  // Each whole one spares 9 more; fewer cheap ones may then do.
  EXPECT_EQ(choose(400 - 24 * 6 - 1), Pair(1, 23));
  EXPECT_EQ(choose(400 - 24 * 6 - 9), Pair(1, 24));
  EXPECT_EQ(choose(400 - 24 * 6 - 10), Pair(2, 23));
  EXPECT_EQ(choose(40), Pair(24, 24));
  // It cannot be met: the least that there is.
  EXPECT_EQ(choose(39), Pair(24, 24));
  EXPECT_EQ(choose(1), Pair(24, 24));
}

TEST(Recomputation, EndsWhereBytesAreNotLinear) {
  // All of it is gained by the 13th of 1000 segments, or by the last one.
  for (int64_t gain : {13, 1000}) {
    int64_t plans = 0;
    auto plan = [&](Recomputation recomputation) {
      ++plans;
      int64_t cheap = std::min<int64_t>(recomputation.cheap, 1000);
      return FailureOr<RecomputationPlan>(
          {1000, cheap < gain ? 2000000 - cheap : 1000000});
    };
    FailureOr<Recomputation> choice = chooseWithin(1000000, plan);
    EXPECT_EQ(choice->whole, 0);
    EXPECT_EQ(choice->cheap, gain);
    EXPECT_LE(plans, 35);
  }
}

TEST(Recomputation, HasNothingToDoWithoutSegments) {
  Layers none{0, 1, 1, 1, 0};
  EXPECT_EQ(chooseLayers(none)->whole, 0);
  EXPECT_EQ(none.plans, 1);
}

TEST(Recomputation, FailsWithAPlan) {
  auto plan = [](Recomputation) { return FailureOr<RecomputationPlan>(); };
  EXPECT_TRUE(failed(chooseLayers(plan)));
  EXPECT_TRUE(failed(chooseWithin(1, plan)));
}

} // namespace
