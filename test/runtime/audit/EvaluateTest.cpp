//===- EvaluateTest.cpp - Tests of what follows from answers --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Evaluate.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

/// Nodes of two classes whose true class has the posteriors \p sure.
Answers answersOf(const std::vector<float> &sure) {
  Answers answers;
  answers.posteriors = {std::ssize(sure), 2, {}};
  for (size_t i = 0; i < sure.size(); ++i) {
    auto label = static_cast<int32_t>(i % 2);
    answers.labels.push_back(label);
    for (int32_t c = 0; c < 2; ++c)
      answers.posteriors.values.push_back(c == label ? sure[i] : 1 - sure[i]);
    answers.degrees.push_back(int64_t(i));
    answers.homophily.push_back(i == 0 ? NAN : 0.5);
  }
  return answers;
}

RunAnswers sampleRun() {
  return {answersOf({0.9f, 0.95f, 0.8f}), answersOf({0.6f, 0.7f, 0.85f}),
          answersOf({0.9f, 0.9f}), answersOf({0.7f, 0.6f, 0.65f})};
}

TEST(Evaluate, LabelsByTheShadowsThreshold) {
  std::vector<RunAnswers> runs = {sampleRun()};
  std::vector<AttackResult> attacks = untrainedAttacks(runs);
  ASSERT_EQ(attacks.size(), 4u);
  EXPECT_EQ(attacks[0].name, "confidence");
  EXPECT_EQ(attacks[3].name, "modified_entropy");
  // Halfway between the shadow's 0.9 and 0.7: 0.8. The target's members have
  // 0.9, 0.95, and 0.8 as a float.
  EXPECT_NEAR(attacks[0].auroc(), 8.0 / 9, 1e-12);
  EXPECT_EQ(attacks[0].summary[Metric::Recall].mean, 1);
  EXPECT_NEAR(attacks[0].summary[Metric::Precision].mean, 0.75, 1e-12);
  for (const AttackResult &attack : attacks)
    EXPECT_NEAR(attack.auroc(), 8.0 / 9, 1e-12) << attack.name;
}

TEST(Evaluate, LabelsByTheMedianWithoutAShadow) {
  std::vector<RunAnswers> runs = {sampleRun()};
  runs[0].shadowMembers = runs[0].shadowNonMembers = {};
  AttackResult attack = untrainedAttacks(runs)[0];
  // Above the median of 0.825: 0.9, 0.95 and 0.85.
  EXPECT_NEAR(attack.summary[Metric::Recall].mean, 2.0 / 3, 1e-12);
  EXPECT_NEAR(attack.summary[Metric::Precision].mean, 2.0 / 3, 1e-12);
}

TEST(Evaluate, HasBaselinesOfWhatIsKnown) {
  std::vector<RunAnswers> runs = {sampleRun(), sampleRun()};
  std::vector<AttackResult> results = baselines(runs);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].name, "class");
  EXPECT_EQ(results[1].name, "degree");
  EXPECT_EQ(results[0].runs.size(), 2u);
  // The shadow's members are of classes 0, 1, its non-members of 0, 1, 0; so
  // class 1 is likelier a member, of which members and non-members have one.
  EXPECT_EQ(results[0].auroc(), 0.5);
  for (RunAnswers &run : runs)
    run.targetMembers.degrees.clear();
  EXPECT_EQ(baselines(runs).size(), 1u);
  EXPECT_EQ(analyses(runs, std::vector<AttackScores>{{{1, 2, 3}, {1, 2, 3}},
                                                     {{1, 2, 3}, {1, 2, 3}}})
                .size(),
            1u);
}

TEST(Evaluate, AnalyzesByClassDegreeAndHomophily) {
  std::vector<RunAnswers> runs = {sampleRun()};
  std::vector<Analysis> results =
      analyses(runs, std::vector<AttackScores>{{{3, 3, 3}, {1, 3, 4}}});
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].by, "class");
  EXPECT_EQ(results[0].groups[0].members, 2);
  EXPECT_EQ(results[0].groups[0].auroc, 0.5);
  EXPECT_EQ(results[1].by, "degree");
  EXPECT_EQ(results[1].groups.size(), 3u);
  EXPECT_EQ(results[1].groups[0].auroc, 1);
  EXPECT_EQ(results[1].auroc, 0.5);
  EXPECT_EQ(results[2].groups[1].name, "no neighbors");
  EXPECT_EQ(results[2].groups[1].auroc, 1);
}

} // namespace
