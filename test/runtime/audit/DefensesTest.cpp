//===- DefensesTest.cpp - Tests of defenses -------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Defenses.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <set>

using namespace tessera::runtime;

namespace {

using Floats = std::vector<float>;

/// \p rows alike.
Posteriors repeated(int64_t rows, const Floats &row) {
  Posteriors posteriors{rows, std::ssize(row), {}};
  for (int64_t i = 0; i < rows; ++i)
    posteriors.values.insert(posteriors.values.end(), row.begin(), row.end());
  return posteriors;
}

TEST(Posteriors, AreTheSoftmaxOfLogits) {
  Posteriors posteriors = softmax(Floats{0, std::log(3.0f), 1000, 0}, 2, 2);
  EXPECT_FLOAT_EQ(posteriors.values[0], 0.25f);
  EXPECT_FLOAT_EQ(posteriors.values[1], 0.75f);
  EXPECT_EQ(posteriors.values[2], 1);
  EXPECT_EQ(posteriors.values[3], 0);
  EXPECT_FLOAT_EQ(softmax(Floats{0, 2 * std::log(3.0f)}, 1, 2, 2).values[1],
                  0.75f);
  EXPECT_TRUE(std::isnan(softmax(Floats{NAN, 0}, 1, 2).values[1]));
}

TEST(Posteriors, PredictTheFirstOfTheLargest) {
  EXPECT_EQ(predictedClass(Floats{0.2f, 0.4f, 0.4f}), 1);
  Posteriors posteriors{2, 2, {0.9f, 0.1f, 0.4f, 0.6f}};
  EXPECT_EQ(accuracy(posteriors, std::vector<int32_t>{0, 0}), 0.5);
  EXPECT_EQ(selectRows(posteriors, std::vector<int32_t>{1, 1, 0}).values,
            (Floats{0.4f, 0.6f, 0.4f, 0.6f, 0.9f, 0.1f}));
}

TEST(Defenses, LbpAddsOneDrawToEachBin) {
  Floats row = {0.4f, 0.3f, 0.15f, 0.1f, 0.05f, 0, 0};
  Posteriors before = repeated(500, row);
  Defense lbp{.kind = DefenseKind::Lbp, .bins = 2, .beta = 0.1};
  Posteriors after = defend(lbp, before, 1, 0);
  std::set<std::vector<size_t>> groups;
  for (int64_t i = 0; i < after.rows; ++i) {
    // Classes by what was added to them.
    std::map<int64_t, std::vector<size_t>> bins;
    for (size_t j = 0; j < row.size(); ++j)
      bins[std::llround((after.row(i)[j] - row[j]) * 1e5)].push_back(j);
    // Rounding of floats may tear a bin apart, never join two.
    std::vector<std::vector<size_t>> joined;
    int64_t last = INT64_MIN;
    for (auto &[shift, classes] : bins) {
      if (last != INT64_MIN && shift - last <= 1)
        joined.back().insert(joined.back().end(), classes.begin(),
                             classes.end());
      else
        joined.push_back(classes);
      last = shift;
    }
    ASSERT_LE(joined.size(), 2u);
    if (joined.size() < 2)
      continue; // two draws that are nearly the same
    std::vector<size_t> sizes = {joined[0].size(), joined[1].size()};
    std::sort(sizes.begin(), sizes.end());
    EXPECT_EQ(sizes, (std::vector<size_t>{3, 4}));
    for (auto &bin : joined)
      std::sort(bin.begin(), bin.end());
    groups.insert(joined[0].size() == 3 ? joined[0] : joined[1]);
  }
  // All 35 ways to choose three of seven classes, at random.
  EXPECT_EQ(groups.size(), 35u);
}

/// Noise of the scale that is asked for, on posteriors: entries may leave
/// [0, 1]. Noise on logarithms, or a scale that is inverted along the way,
/// would show in the moments or in the signs.
TEST(Defenses, NoiseIsLaplaceOfScaleBetaOnPosteriors) {
  Floats row = {0.97f, 0.01f, 0.01f, 0.01f};
  for (DefenseKind kind : {DefenseKind::Lbp, DefenseKind::Vanpd})
    for (double beta : {0.05, 0.2}) {
      Posteriors before = repeated(20000, row);
      Defense defense{.kind = kind, .bins = 4, .beta = beta};
      Posteriors after = defend(defense, before, 3, 0);
      double sum = 0, absolute = 0;
      int64_t below = 0;
      for (size_t i = 0; i < after.values.size(); ++i) {
        double noise = double(after.values[i]) - before.values[i];
        sum += noise, absolute += std::abs(noise);
        below += after.values[i] < 0;
      }
      auto count = double(after.values.size());
      // 5 deviations of each mean.
      EXPECT_NEAR(sum / count, 0, 5 * std::sqrt(2 / count) * beta);
      EXPECT_NEAR(absolute / count, beta, 5 * std::sqrt(1 / count) * beta);
      // Three of four entries at 0.01 fall below 0 this often.
      double expected = 0.75 * 0.5 * std::exp(-0.01 / beta);
      EXPECT_NEAR(double(below) / count, expected, 0.012);
    }
}

TEST(Defenses, VanpdDrawsForEachClass) {
  Posteriors before = repeated(1, {0.25f, 0.25f, 0.25f, 0.25f});
  Defense vanpd{.kind = DefenseKind::Vanpd, .beta = 0.1};
  Floats values = defend(vanpd, before, 1, 0).values;
  EXPECT_EQ(std::set<float>(values.begin(), values.end()).size(), 4u);
}

TEST(Defenses, DrawBySeedQueryAndRow) {
  Posteriors before = repeated(3, {0.5f, 0.3f, 0.2f});
  Defense lbp{.kind = DefenseKind::Lbp, .bins = 2, .beta = 0.1};
  Posteriors after = defend(lbp, before, 1, 2);
  EXPECT_EQ(defend(lbp, before, 1, 2).values, after.values);
  EXPECT_NE(defend(lbp, before, 1, 3).values, after.values);
  EXPECT_NE(defend(lbp, before, 2, 2).values, after.values);
  EXPECT_FALSE(std::ranges::equal(after.row(0), after.row(1)));
  // A row's noise does not depend on how many others there are.
  Posteriors one = repeated(1, {0.5f, 0.3f, 0.2f});
  EXPECT_TRUE(std::ranges::equal(defend(lbp, one, 1, 2).row(0), after.row(0)));
}

TEST(Defenses, RoundToDigits) {
  Posteriors before{1, 3, {0.456f, 0.444f, 0.1f}};
  Defense rounding{.kind = DefenseKind::Rounding, .digits = 1};
  EXPECT_EQ(defend(rounding, before, 1, 0).values, (Floats{0.5f, 0.4f, 0.1f}));
  rounding.digits = 2;
  EXPECT_EQ(defend(rounding, before, 1, 0).values,
            (Floats{0.46f, 0.44f, 0.1f}));
}

TEST(Defenses, SoftenByATemperature) {
  Floats logits = {3, -1, 0.5f, 90};
  Posteriors before = softmax(logits, 2, 2);
  Defense temperature{.kind = DefenseKind::Temperature, .temperature = 4};
  Posteriors after = defend(temperature, before, 1, 0);
  Posteriors expected = softmax(logits, 2, 2, 4);
  for (size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(after.values[i], expected.values[i], 1e-6 * expected.values[i]);
  EXPECT_LT(after.values[0], before.values[0]);
}

TEST(Defenses, LabelsOnlyAreOneHot) {
  Posteriors before{2, 3, {0.2f, 0.5f, 0.3f, 0.4f, 0.3f, 0.3f}};
  Defense labels{.kind = DefenseKind::LabelOnly};
  EXPECT_EQ(defend(labels, before, 1, 0).values, (Floats{0, 1, 0, 1, 0, 0}));
}

TEST(Defenses, LeaveAnswersThatTheyDoNotChange) {
  Posteriors before{1, 2, {0.2f, 0.8f}};
  for (DefenseKind kind : {DefenseKind::None, DefenseKind::Nsd})
    EXPECT_EQ(defend({.kind = kind}, before, 1, 0).values, before.values);
}

TEST(Defenses, DistortionIsTheJensenShannonDistance) {
  // scipy 1.17.1's jensenshannon(p, q, base=2).
  Posteriors p{1, 4, {0.7f, 0.2f, 0.1f, 0}};
  Posteriors q{1, 4, {0.1f, 0.1f, 0.2f, 0.6f}};
  EXPECT_NEAR(confidenceDistortion(p, q), 0.7120993417380854, 1e-7);
  Posteriors one{1, 2, {1, 0}}, other{1, 2, {0, 1}};
  EXPECT_EQ(confidenceDistortion(one, other), 1);
  EXPECT_EQ(confidenceDistortion(one, one), 0);
  // Clipped and divided: (0.8, 0.4, -0.3) is (2/3, 1/3, 0).
  Posteriors noisy{1, 3, {0.8f, 0.4f, -0.3f}};
  Posteriors clipped{1, 3, {2 / 3.0f, 1 / 3.0f, 0}};
  EXPECT_NEAR(confidenceDistortion(noisy, clipped), 0, 1e-4);
  // Nothing is left: uniform.
  EXPECT_EQ(distribution(Floats{-1, -2}), (std::vector<double>{0.5, 0.5}));
}

TEST(Defenses, LabelLossIsInPoints) {
  Posteriors before{4, 2, {1, 0, 1, 0, 0, 1, 0, 1}};
  Posteriors after{4, 2, {1, 0, 0, 1, 0, 1, 0, 1}};
  std::vector<int32_t> labels = {0, 0, 1, 0};
  EXPECT_EQ(labelLoss(before, after, labels), 25);
  EXPECT_EQ(labelLoss(after, before, labels), -25);
}

TEST(Defenses, AreDescribedWithTheirStrength) {
  EXPECT_EQ(describe({.kind = DefenseKind::Lbp, .bins = 2, .beta = 0.05}),
            "LBP, 2 bins, beta 0.05");
  EXPECT_EQ(describe({.kind = DefenseKind::Nsd, .neighbors = 1}),
            "NSD, 1 neighbor");
  EXPECT_EQ(describe({.kind = DefenseKind::Vanpd, .beta = 0.1}),
            "VANPD, beta 0.1");
  EXPECT_EQ(describe({.kind = DefenseKind::Rounding, .digits = 3}),
            "ROUNDING, 3 digits");
  EXPECT_EQ(describe({.kind = DefenseKind::Temperature, .temperature = 4}),
            "TEMPERATURE 4");
  EXPECT_EQ(describe({.kind = DefenseKind::LabelOnly}), "LABEL_ONLY");
}

} // namespace
