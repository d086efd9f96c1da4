//===- LiraTest.cpp - Tests of the likelihood-ratio attack ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Lira.h"
#include "runtime/audit/Metrics.h"
#include "runtime/core/Random.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

using Doubles = std::vector<double>;

TEST(Lira, ScalesConfidencesByLogits) {
  Posteriors posteriors{3, 3, {0.5f, 0.25f, 0.25f, 1, 1e-12f, 0, 0, 0, 1}};
  Doubles scaled = logitConfidences(posteriors, std::vector<int32_t>{0, 0, 1});
  EXPECT_NEAR(scaled[0], 0, 1e-12);
  // 1 - p, which is 0 in single precision, has its digits.
  EXPECT_NEAR(scaled[1], 12 * std::log(10), 1e-5);
  EXPECT_NEAR(scaled[2], std::log(1e-30), 1e-9);
}

/// Nodes whose confidence is N(its own mean, 1), and \p gain above it for
/// models that were trained on it; every second node is the target's member.
struct Sample {
  static constexpr int64_t nodes = 2000;
  LiraShadows shadows;
  Doubles observed;

  explicit Sample(int64_t count, double gain, double spread = 3) {
    shadows = {count, nodes, Doubles(count * nodes),
               std::vector<uint8_t>(count * nodes)};
    auto draw = [&](uint32_t stream, int64_t index) {
      return normalBlock(9, RandomUse::Audit, stream, index)[0];
    };
    for (int64_t node = 0; node < nodes; ++node) {
      double mean = spread * draw(1000, node);
      observed.push_back(mean + draw(1001, node) + (node % 2 ? gain : 0));
      for (int64_t i = 0; i < count; ++i) {
        // Half of the shadows know a node.
        bool isMember = (node * 7 + i * 3 + node / count) % 2;
        shadows.isMember[i * nodes + node] = isMember;
        shadows.confidence[i * nodes + node] =
            mean + draw(uint32_t(i), node) + (isMember ? gain : 0);
      }
    }
  }
  double auroc(const Doubles &scores) const {
    AttackScores split;
    for (int64_t node = 0; node < nodes; ++node)
      (node % 2 ? split.members : split.nonMembers).push_back(scores[node]);
    return split.ranked().auroc();
  }
};

TEST(Lira, ReachesWhatTheBestTestDoes) {
  Sample sample(64, 1);
  // P(N(1, 1) > N(0, 1)), by Neyman and Pearson the most there is.
  double best = 0.5 * std::erfc(-0.5);
  EXPECT_NEAR(sample.auroc(liraScores(sample.shadows, sample.observed)), best,
              0.03);
  EXPECT_NEAR(sample.auroc(liraScores(sample.shadows, sample.observed,
                                      {.form = LiraForm::Offline})),
              best, 0.03);
  EXPECT_NEAR(sample.auroc(liraScores(sample.shadows, sample.observed,
                                      {.sharesVariance = false})),
              best, 0.03);
  // Nodes differ more than membership does: the confidence alone tells little.
  EXPECT_LT(sample.auroc(sample.observed), 0.62);
}

TEST(Lira, FindsNothingWhereNothingIs) {
  Sample sample(16, 0);
  EXPECT_NEAR(sample.auroc(liraScores(sample.shadows, sample.observed)), 0.5,
              0.04);
}

TEST(Lira, SharedVarianceHelpsWithFewShadows) {
  Sample sample(8, 1);
  double shared = sample.auroc(liraScores(sample.shadows, sample.observed));
  double own = sample.auroc(
      liraScores(sample.shadows, sample.observed, {.sharesVariance = false}));
  EXPECT_GT(shared, own + 0.01);
}

TEST(Lira, IsTheRatioOfDensities) {
  // One node, with shadows in 2, 4 and out -1, 1: variances 2, means 3, 0.
  LiraShadows shadows{4, 1, {2, 4, -1, 1}, {1, 1, 0, 0}};
  EXPECT_NEAR(liraScores(shadows, Doubles{3})[0], 9.0 / 4, 1e-12);
  EXPECT_NEAR(liraScores(shadows, Doubles{1.5})[0], 0, 1e-12);
  EXPECT_NEAR(liraScores(shadows, Doubles{0}, {.form = LiraForm::Offline})[0],
              std::log(0.5), 1e-12);
}

TEST(Lira, StaysFiniteFarAwayAndWhereShadowsAreMissing) {
  LiraShadows shadows{2, 2, {0, 5, 0.1, 6}, {0, 1, 0, 1}};
  Doubles last = {-INFINITY, -INFINITY};
  for (double x : {-1e6, -60.0, -3.0, 0.0, 3.0, 60.0}) {
    Doubles online = liraScores(shadows, Doubles{x, x});
    Doubles offline =
        liraScores(shadows, Doubles{x, x}, {.form = LiraForm::Offline});
    for (size_t node = 0; node < 2; ++node) {
      EXPECT_TRUE(std::isfinite(online[node])) << x;
      EXPECT_TRUE(std::isfinite(offline[node])) << x;
      EXPECT_GE(offline[node], last[node]) << x;
      last[node] = offline[node];
    }
  }
  // All say the same.
  LiraShadows equal{2, 1, {1, 1}, {0, 1}};
  EXPECT_TRUE(std::isfinite(liraScores(equal, Doubles{2})[0]));
}

TEST(Lira, TailsMeetWhereTheSeriesBegins) {
  LiraShadows shadows{2, 1, {-1, 1}, {0, 0}}; // variance 2
  auto score = [&](double z) {
    return liraScores(shadows, Doubles{z * std::sqrt(2)},
                      {.form = LiraForm::Offline})[0];
  };
  // log P(Z < z) falls with slope |z| + 1 / |z| there.
  EXPECT_NEAR(score(-29.999) - score(-30.001), 0.002 * (30 + 1 / 30.0), 1e-5);
}

} // namespace
