//===- MetricsTest.cpp - Tests of how well members are told ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Metrics.h"
#include "runtime/audit/Bootstrap.h"
#include "runtime/audit/Draws.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

using Doubles = std::vector<double>;

/// 120 members and 150 non-members with scores of two digits, so with many
/// ties. What scikit-learn 1.9.1 and scipy 1.17.1 say of them was computed
/// apart, with numpy 2.4.6.
AttackScores tied() {
  AttackScores scores;
  for (int i = 0; i < 120; ++i)
    scores.members.push_back(std::min(100, (37 * i + 11) % 101 + 15) / 100.0);
  for (int i = 0; i < 150; ++i)
    scores.nonMembers.push_back((53 * i + 7) % 101 / 100.0);
  return scores;
}

/// 2,000 members and 10,000 non-members.
AttackScores many() {
  AttackScores scores;
  for (int64_t i = 0; i < 2000; ++i)
    scores.members.push_back(double(7919 * i % 10007) / 10007 * 0.9 +
                             0.1 * (i % 5 == 0));
  for (int64_t i = 0; i < 10000; ++i)
    scores.nonMembers.push_back(double((7907 * i + 3) % 10007) / 10007 * 0.95);
  return scores;
}

/// By the definition.
double aurocByPairs(const AttackScores &scores) {
  double wins = 0;
  for (double member : scores.members)
    for (double other : scores.nonMembers)
      wins += member > other ? 1 : member == other ? 0.5 : 0;
  return wins / double(scores.members.size() * scores.nonMembers.size());
}

TEST(Metrics, AreThoseOfScikitLearn) {
  AttackMetrics metrics = tied().ranked().metrics();
  EXPECT_NEAR(metrics[Metric::Auroc], 0.6439722222222222, 1e-14);
  EXPECT_NEAR(metrics[Metric::AurocHard], 0.5741666666666666, 1e-14);
  EXPECT_NEAR(metrics[Metric::Precision], 0.5099337748344371, 1e-14);
  EXPECT_NEAR(metrics[Metric::Recall], 0.6416666666666667, 1e-14);
  EXPECT_NEAR(metrics[Metric::MacroPrecision], 0.5742946185096556, 1e-14);
  EXPECT_NEAR(metrics[Metric::MacroRecall], 0.5741666666666667, 1e-14);
  EXPECT_NEAR(metrics[Metric::Accuracy], 0.5666666666666667, 1e-14);
  EXPECT_NEAR(tied().ranked().auroc(), aurocByPairs(tied()), 1e-14);
  EXPECT_NEAR(many().ranked().auroc(), 0.494783875, 1e-14);
}

/// The mean over batches of the AUROC of hard labels, as reference code has
/// it, is another number than that of the score.
TEST(Metrics, TellTheScoresAurocFromThatOfLabels) {
  // Ranked without an error, all on one side of 0.5.
  AttackScores scores{{0.4, 0.3, 0.45}, {0.2, 0.1}};
  AttackMetrics metrics = scores.ranked().metrics();
  EXPECT_EQ(metrics[Metric::Auroc], 1);
  EXPECT_EQ(metrics[Metric::AurocHard], 0.5);
  EXPECT_EQ(metrics[Metric::Precision], 0);
  EXPECT_EQ(metrics[Metric::MacroPrecision], 0.2);
  // And that of all scores is not the mean of that of batches.
  AttackScores first{{0.9, 0.8}, {0.7}}, second{{0.3}, {0.2, 0.1}};
  EXPECT_EQ(first.ranked().auroc(), 1);
  EXPECT_EQ(second.ranked().auroc(), 1);
  AttackScores runs[] = {first, second};
  EXPECT_NEAR(pooled(runs).ranked().auroc(), 8.0 / 9, 1e-15);
}

TEST(Metrics, CountTiesHalf) {
  EXPECT_EQ(RankedScores(Doubles{1, 1}, Doubles{1, 1, 1}).auroc(), 0.5);
  EXPECT_EQ(RankedScores(Doubles{2, 1}, Doubles{1}).auroc(), 0.75);
  EXPECT_EQ(RankedScores(Doubles{0}, Doubles{1}).auroc(), 0);
  // -0 is 0.
  EXPECT_EQ(RankedScores(Doubles{-0.0}, Doubles{0.0}).auroc(), 0.5);
}

TEST(Metrics, LabelScoresAboveOneHalf) {
  AttackMetrics metrics =
      RankedScores(Doubles{0.5, 0.51}, Doubles{0.5, 0.49}).metrics();
  EXPECT_EQ(metrics[Metric::Recall], 0.5);
  EXPECT_EQ(metrics[Metric::Precision], 1);
  EXPECT_EQ(metrics[Metric::Accuracy], 0.75);
}

TEST(Metrics, FindTheThresholdThatLabelsBest) {
  AttackScores scores{{-1, -2, -5}, {-4, -6, -7}};
  double threshold = scores.ranked().bestThreshold();
  EXPECT_EQ(threshold, -3);
  EXPECT_NEAR(scores.ranked(threshold).metrics()[Metric::Accuracy], 5.0 / 6,
              1e-15);
  EXPECT_EQ(scores.ranked(-5.5).metrics()[Metric::Recall], 1);
  // Scores that are worse than none: nobody is a member.
  AttackScores inverted{{1}, {2}};
  threshold = inverted.ranked().bestThreshold();
  EXPECT_EQ(inverted.ranked(threshold).metrics()[Metric::Accuracy], 0.5);
  EXPECT_EQ(inverted.ranked(threshold).metrics()[Metric::Recall], 0);
}

TEST(Metrics, AreNotGivenForNaN) {
  RankedScores scores(Doubles{NAN, 1}, Doubles{0, 1});
  EXPECT_FALSE(scores.isInformative());
  for (double value : scores.metrics().values)
    EXPECT_TRUE(std::isnan(value));
  RankedScores runs[] = {scores, tied().ranked()};
  EXPECT_TRUE(std::isnan(bootstrap(runs)[Metric::Auroc].low));
}

/// An attack that has collapsed has an AUROC of 0.5 as well.
TEST(Metrics, SayWhetherAnAttackAnswersAtAll) {
  EXPECT_FALSE(RankedScores(Doubles{0.5, 0.5}, Doubles{0.5}).isInformative());
  EXPECT_TRUE(RankedScores(Doubles{0.5, 0.5}, Doubles{0.4}).isInformative());
}

TEST(Metrics, GiveTheRocCurveOfScikitLearn) {
  std::vector<RocPoint> curve = tied().ranked().curve();
  ASSERT_EQ(curve.size(), 102u);
  EXPECT_EQ(curve[0].falsePositiveRate, 0);
  EXPECT_EQ(curve[0].truePositiveRate, 0);
  EXPECT_NEAR(curve[1].falsePositiveRate, 0.01333333, 1e-8);
  EXPECT_NEAR(curve[1].truePositiveRate, 0.16666667, 1e-8);
  EXPECT_EQ(curve[1].threshold, 1);
  EXPECT_NEAR(curve[40].falsePositiveRate, 0.39333333, 1e-8);
  EXPECT_NEAR(curve[40].truePositiveRate, 0.55, 1e-8);
  EXPECT_EQ(curve[40].threshold, 0.61);
  EXPECT_EQ(curve.back().falsePositiveRate, 1);
  EXPECT_EQ(curve.back().truePositiveRate, 1);
}

TEST(Metrics, GiveTheTprWhereEnoughNonMembersAreThere) {
  AttackMetrics metrics = many().ranked().metrics();
  EXPECT_NEAR(metrics[Metric::TprAt1Percent], 0.0135, 1e-14);
  EXPECT_NEAR(metrics[Metric::TprAt01Percent], 0.0115, 1e-14);
  AttackScores scores = many();
  scores.nonMembers.resize(9999);
  metrics = scores.ranked().metrics();
  EXPECT_FALSE(std::isnan(metrics[Metric::TprAt1Percent]));
  EXPECT_TRUE(std::isnan(metrics[Metric::TprAt01Percent]));
  scores.nonMembers.resize(630);
  EXPECT_TRUE(std::isnan(scores.ranked().metrics()[Metric::TprAt1Percent]));
  // Enough in two runs together.
  AttackScores runs[] = {scores, scores};
  EXPECT_FALSE(
      std::isnan(pooled(runs).ranked().metrics()[Metric::TprAt1Percent]));
}

TEST(Metrics, TheTprAllowsNoMoreFalsePositivesThanSaid) {
  AttackScores scores{Doubles(100, 0.9), Doubles(1000, 0.1)};
  // 10 non-members tie with the members, then 11.
  std::fill_n(scores.nonMembers.begin(), 10, 0.9);
  EXPECT_EQ(scores.ranked().truePositiveRateAt(0.01), 1);
  scores.nonMembers[10] = 0.9;
  EXPECT_EQ(scores.ranked().truePositiveRateAt(0.01), 0);
}

TEST(Metrics, WithTimesAreThoseOfScoresRepeated) {
  AttackScores scores = tied(), repeated;
  std::vector<uint8_t> memberTimes, nonMemberTimes;
  for (size_t i = 0; i < scores.members.size(); ++i) {
    memberTimes.push_back(i % 4);
    repeated.members.insert(repeated.members.end(), i % 4, scores.members[i]);
  }
  for (size_t i = 0; i < scores.nonMembers.size(); ++i) {
    nonMemberTimes.push_back(i % 3);
    repeated.nonMembers.insert(repeated.nonMembers.end(), i % 3,
                               scores.nonMembers[i]);
  }
  AttackMetrics actual = scores.ranked().metrics(memberTimes, nonMemberTimes);
  AttackMetrics expected = repeated.ranked().metrics();
  for (size_t i = 0; i + 2 < metricCount; ++i)
    EXPECT_NEAR(actual.values[i], expected.values[i], 1e-14) << i;
}

TEST(Metrics, MeansAndDeviationsAreThoseOfASample) {
  MeanDeviation of = meanDeviation(Doubles{0.1, 0.4, 0.2, 0.9});
  EXPECT_EQ(of.count, 4);
  EXPECT_NEAR(of.mean, 0.4, 1e-15);
  EXPECT_NEAR(of.deviation, 0.3559026084010437, 1e-15);
  EXPECT_TRUE(std::isnan(meanDeviation(Doubles{1}).deviation));
  AttackMetrics runs[2];
  runs[0][Metric::Recall] = 0.25, runs[1][Metric::Recall] = 0.75;
  EXPECT_EQ(meanDeviation(runs)[Metric::Recall].mean, 0.5);
}

TEST(Metrics, QuantilesAreThoseOfNumpy) {
  Doubles sorted = {0.1, 0.2, 0.4, 0.9};
  EXPECT_NEAR(quantile(sorted, 0.025), 0.1075, 1e-15);
  EXPECT_NEAR(quantile(sorted, 0.5), 0.3, 1e-15);
  EXPECT_NEAR(quantile(sorted, 0.975), 0.8625, 1e-15);
  EXPECT_EQ(quantile(sorted, 1), 0.9);
}

/// Normal scores whose distance makes an AUROC of 0.76.
AttackScores normalScores(uint64_t seed, size_t count) {
  AttackScores scores;
  for (size_t i = 0; i < count; ++i) {
    auto block = normalBlock(seed, RandomUse::Audit, 99, i);
    scores.members.push_back(block[0] + 1);
    scores.nonMembers.push_back(block[1]);
  }
  return scores;
}

TEST(Bootstrap, HasTheWidthThatTheoryGives) {
  RankedScores runs[] = {normalScores(1, 600).ranked()};
  double auroc = runs[0].auroc();
  // Hanley and McNeil's variance of an AUROC, 1982.
  double q1 = auroc / (2 - auroc), q2 = 2 * auroc * auroc / (1 + auroc);
  double square = auroc * auroc;
  double deviation =
      std::sqrt((auroc * (1 - auroc) + 599 * (q1 - square + q2 - square)) /
                (600.0 * 600));
  Interval interval = bootstrap(runs)[Metric::Auroc];
  EXPECT_LT(interval.low, auroc);
  EXPECT_GT(interval.high, auroc);
  EXPECT_NEAR(interval.high - interval.low, 2 * 1.96 * deviation,
              0.15 * 2 * 1.96 * deviation);
}

TEST(Bootstrap, CoversTheTruth) {
  // P(N(1, 1) > N(0, 1)).
  double truth = 0.5 * std::erfc(-0.5);
  int covered = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    RankedScores runs[] = {normalScores(seed, 200).ranked()};
    Interval interval =
        bootstrap(runs, {.seed = seed, .draws = 200})[Metric::Auroc];
    covered += interval.low <= truth && truth <= interval.high;
  }
  // 95 % of 200, within 4 deviations.
  EXPECT_GE(covered, 177);
  EXPECT_LT(covered, 200);
}

TEST(Bootstrap, OfSeveralRunsIsOfTheirMean) {
  std::vector<RankedScores> runs;
  for (uint64_t seed = 0; seed < 4; ++seed)
    runs.push_back(normalScores(seed, 300).ranked());
  Interval one = bootstrap(std::span(runs).first(1))[Metric::Auroc];
  Interval four = bootstrap(runs)[Metric::Auroc];
  EXPECT_NEAR((four.high - four.low) / (one.high - one.low), 0.5, 0.1);
}

TEST(Bootstrap, IsTheSameAgain) {
  RankedScores runs[] = {tied().ranked(), normalScores(3, 50).ranked()};
  auto first = bootstrap(runs, {.seed = 4}),
       again = bootstrap(runs, {.seed = 4});
  auto other = bootstrap(runs, {.seed = 5});
  for (size_t i = 0; i + 2 < metricCount; ++i) {
    EXPECT_EQ(first.values[i].low, again.values[i].low);
    EXPECT_EQ(first.values[i].high, again.values[i].high);
  }
  EXPECT_NE(first[Metric::Auroc].low, other[Metric::Auroc].low);
}

TEST(Bootstrap, IsTheSameWhereResamplesAreShared) {
  RankedScores first[] = {normalScores(1, 300).ranked()};
  RankedScores second[] = {normalScores(2, 300).ranked()};
  BootstrapSettings settings{.seed = 3, .draws = 100};
  Interval fresh = bootstrap(second, {.seed = 3, .draws = 100})[Metric::Auroc];
  bootstrap(first, settings);
  Interval shared = bootstrap(second, settings)[Metric::Auroc];
  EXPECT_EQ(fresh.low, shared.low);
  EXPECT_EQ(fresh.high, shared.high);
}

TEST(Bootstrap, IsTheSameWhereResamplesAreTooManyToKeep) {
  Resamples resamples;
  EXPECT_EQ(resamples.find(1, 0, 1000, 1 << 20, 1), nullptr);
  const auto *kept = resamples.find(1, 2, 10, 50, 60);
  ASSERT_TRUE(kept);
  for (uint64_t draw = 0; draw < 10; ++draw) {
    Resamples::Times times = Resamples::draw(1, 2, draw, 50, 60);
    EXPECT_EQ((*kept)[draw].members, times.members);
    EXPECT_EQ((*kept)[draw].nonMembers, times.nonMembers);
    int64_t sum = 0;
    for (uint8_t time : times.nonMembers)
      sum += time;
    EXPECT_EQ(sum, 60);
  }
}

TEST(Metrics, HaveNames) {
  EXPECT_STREQ(metricName(Metric::Auroc), "auroc");
  EXPECT_STREQ(metricName(Metric::TprAt01Percent), "tpr_at_fpr_0.001");
}

} // namespace
