//===- AuditRanksTest.cpp - Tests of trials that ranks share --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AuditRanks.h"
#include <bit>
#include <gtest/gtest.h>
#include <limits>

using namespace tessera::runtime;

namespace {

Trial sampleTrial() {
  Trial trial;
  trial.run = {.seed = 7,
               .split = "digits",
               .target = {0.1 + 0.2, std::numeric_limits<double>::quiet_NaN()},
               .shadow = {-0.0, 1}};
  QueryTrial &query = trial.queries.emplace_back();
  query.attack = {{0.25, 1e-300}, {}};
  query.lira = AttackScores{{-3}, {2, 1}};
  query.answers.targetMembers = {{1, 2, {0.25f, 0.75f}}, {1}, {3}, {0.5}};
  query.answers.shadowNonMembers = {{0, 2, {}}, {}, {}, {}};
  query.defenses.push_back({{{1}, {2}}, {{3}, {4}}, 5, 6});
  trial.queries.emplace_back();
  trial.withoutEdges = {{0.5, 0.25}, {{1, 2}, {3}}};
  trial.seconds = 1.5;
  return trial;
}

TEST(AuditRanks, ATrialIsTheSameToTheBit) {
  Trial trial = sampleTrial();
  std::string bytes = packTrial(trial);
  Trial other = unpackTrial(bytes);
  EXPECT_EQ(packTrial(other), bytes);
  EXPECT_EQ(other.run.seed, 7u);
  EXPECT_EQ(other.run.split, "digits");
  EXPECT_EQ(other.run.target.train, 0.1 + 0.2);
  EXPECT_EQ(std::bit_cast<uint64_t>(other.run.target.test),
            std::bit_cast<uint64_t>(trial.run.target.test));
  ASSERT_EQ(other.queries.size(), 2u);
  const QueryTrial &query = other.queries[0];
  EXPECT_EQ(query.attack.members, trial.queries[0].attack.members);
  ASSERT_TRUE(query.lira);
  EXPECT_EQ(query.lira->nonMembers, trial.queries[0].lira->nonMembers);
  EXPECT_FALSE(other.queries[1].lira);
  const Answers &answers = query.answers.targetMembers;
  EXPECT_EQ(answers.posteriors.classes, 2);
  EXPECT_EQ(answers.posteriors.values, (std::vector<float>{0.25f, 0.75f}));
  EXPECT_EQ(answers.labels, std::vector<int32_t>{1});
  EXPECT_EQ(answers.degrees, std::vector<int64_t>{3});
  EXPECT_EQ(answers.homophily, std::vector<double>{0.5});
  ASSERT_EQ(query.defenses.size(), 1u);
  EXPECT_EQ(query.defenses[0].fixed.nonMembers, std::vector<double>{4});
  EXPECT_EQ(query.defenses[0].labelLoss, 5);
  EXPECT_EQ(query.defenses[0].distortion, 6);
  ASSERT_TRUE(other.withoutEdges);
  EXPECT_EQ(other.withoutEdges->target.test, 0.25);
  EXPECT_EQ(other.withoutEdges->attack.nonMembers, std::vector<double>{3});
  EXPECT_EQ(other.seconds, 1.5);
}

TEST(AuditRanksDeathTest, OtherBytesAreRefused) {
  std::string bytes = packTrial(sampleTrial());
  EXPECT_EXIT(unpackTrial(bytes + "x"), testing::ExitedWithCode(1),
              "another kind of trial");
  for (size_t length : {size_t(0), size_t(9), bytes.size() - 1})
    EXPECT_EXIT(unpackTrial(bytes.substr(0, length)),
                testing::ExitedWithCode(1), "another kind of trial");
  // A count beyond what is there.
  std::string huge = bytes;
  huge.replace(8, 8, 8, '\xff');
  EXPECT_EXIT(unpackTrial(huge), testing::ExitedWithCode(1),
              "another kind of trial");
}

} // namespace
