//===- SplitsTest.cpp - Tests of members and non-members ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Splits.h"
#include "runtime/audit/Draws.h"
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>
#include <unistd.h>

using namespace tessera::runtime;
namespace fs = std::filesystem;

namespace {

using Ints = std::vector<int32_t>;

/// sizes[c] nodes of class c, mixed.
Ints labelsOf(const std::vector<int64_t> &sizes) {
  Ints labels;
  for (size_t c = 0; c < sizes.size(); ++c)
    labels.insert(labels.end(), sizes[c], static_cast<int32_t>(c));
  Draws draws(5, Draw::Splits, 9, 9);
  draws.shuffle(std::span(labels), labels.size());
  return labels;
}

/// Cora's, whose smallest class has 2 x 90.
const std::vector<int64_t> cora = {351, 217, 418, 818, 426, 298, 180};

Ints all(const AuditSplit &split) {
  Ints nodes;
  for (const Ints *list : {&split.targetTrain, &split.targetTest,
                           &split.shadowTrain, &split.shadowTest})
    nodes.insert(nodes.end(), list->begin(), list->end());
  return nodes;
}

std::vector<int64_t> perClass(const Ints &nodes, const Ints &labels,
                              int64_t classes) {
  std::vector<int64_t> counts(classes);
  for (int32_t node : nodes)
    ++counts[labels[node]];
  return counts;
}

TEST(Draws, AreUniformBelowAnySize) {
  Draws draws(1, Draw::Noise, 0, 0);
  std::vector<int64_t> counts(6);
  for (int i = 0; i < 60000; ++i)
    ++counts.at(draws.below(6));
  double statistic = 0;
  for (int64_t count : counts)
    statistic += double(count - 10000) * double(count - 10000) / 10000;
  // The 99.9th percentile of chi-square with 5 degrees of freedom.
  EXPECT_LT(statistic, 20.5);
}

TEST(Draws, DifferByEachArgument) {
  std::set<uint32_t> first;
  for (uint64_t seed : {0, 1})
    for (Draw use : {Draw::Splits, Draw::Noise})
      for (uint64_t query : {0, 1})
        for (uint64_t index : {0, 1})
          first.insert(Draws(seed, use, query, index).bits());
  EXPECT_EQ(first.size(), 16u);
}

TEST(Draws, LaplaceHasItsMoments) {
  Draws draws(3, Draw::Noise, 0, 0);
  double sum = 0, absolute = 0, square = 0;
  int count = 200000;
  for (int i = 0; i < count; ++i) {
    double x = draws.laplace(0.5);
    sum += x, absolute += std::abs(x), square += x * x;
  }
  // Deviations of the means: sqrt(2) b, b and sqrt(20) b^2, over sqrt(count).
  EXPECT_NEAR(sum / count, 0, 0.007);
  EXPECT_NEAR(absolute / count, 0.5, 0.005);
  EXPECT_NEAR(square / count, 2 * 0.25, 0.011);
}

TEST(Splits, DrawBalancedDisjointSets) {
  Ints labels = labelsOf(cora);
  AuditSplit split;
  std::string error;
  SplitRules rules{labels, 7, {.trainPerClass = 90, .test = 630}, {}};
  ASSERT_TRUE(drawSplit(rules, 7, {}, split, error)) << error;
  EXPECT_EQ(split.seed, 7u);
  std::vector<int64_t> balanced(7, 90);
  EXPECT_EQ(perClass(split.targetTrain, labels, 7), balanced);
  EXPECT_EQ(perClass(split.shadowTrain, labels, 7), balanced);
  EXPECT_EQ(split.targetTest.size(), 630u);
  EXPECT_EQ(split.shadowTest.size(), 630u);
  Ints nodes = all(split);
  EXPECT_EQ(std::set<int32_t>(nodes.begin(), nodes.end()).size(), 4 * 630u);
  // Nothing is left of the smallest class, which the class alone gives away.
  EXPECT_EQ(perClass(split.targetTest, labels, 7)[6], 0);
  EXPECT_TRUE(std::is_sorted(split.targetTest.begin(), split.targetTest.end()));
}

TEST(Splits, CanBalanceTests) {
  Ints labels = labelsOf(cora);
  AuditSplit split;
  std::string error;
  SplitRules rules{labels, 7, {.trainPerClass = 45, .testPerClass = 45}, {}};
  ASSERT_TRUE(drawSplit(rules, 1, {}, split, error)) << error;
  for (const Ints *list : {&split.targetTrain, &split.targetTest,
                           &split.shadowTrain, &split.shadowTest})
    EXPECT_EQ(perClass(*list, labels, 7), std::vector<int64_t>(7, 45));
  Ints nodes = all(split);
  EXPECT_EQ(std::set<int32_t>(nodes.begin(), nodes.end()).size(), nodes.size());
}

/// The very nodes, so that every machine draws the same.
TEST(Splits, FollowFromTheSeedAlone) {
  Ints labels = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
  SplitRules rules{labels, 2, {.trainPerClass = 1, .test = 2}, {}};
  AuditSplit split, again, other;
  std::string error;
  ASSERT_TRUE(drawSplit(rules, 3, {}, split, error)) << error;
  ASSERT_TRUE(drawSplit(rules, 3, {}, again, error)) << error;
  ASSERT_TRUE(drawSplit(rules, 4, {}, other, error)) << error;
  EXPECT_EQ(split, again);
  EXPECT_NE(all(split), all(other));
  EXPECT_EQ(split.targetTrain, (Ints{8, 9}));
  EXPECT_EQ(split.targetTest, (Ints{0, 10}));
  EXPECT_EQ(split.shadowTrain, (Ints{6, 11}));
  EXPECT_EQ(split.shadowTest, (Ints{2, 5}));
}

TEST(Splits, DrawEachNodeAsOftenAsOthers) {
  Ints labels(10, 0);
  SplitRules rules{labels, 1, {.trainPerClass = 2, .test = 3}, {}};
  std::vector<int64_t> trained(10), tested(10);
  std::string error;
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    AuditSplit split;
    ASSERT_TRUE(drawSplit(rules, seed, {}, split, error));
    for (int32_t node : split.targetTrain)
      ++trained[node];
    for (int32_t node : split.shadowTest)
      ++tested[node];
  }
  // Binomial: 5 deviations.
  for (int64_t count : trained)
    EXPECT_NEAR(double(count), 1000, 142);
  for (int64_t count : tested)
    EXPECT_NEAR(double(count), 1500, 163);
}

TEST(Splits, LeaveOutNodesWithoutAClass) {
  Ints labels = {0, -1, 0, -1, 0, -1, 0};
  SplitRules rules{labels, 1, {.trainPerClass = 1, .test = 1}, {}};
  AuditSplit split;
  std::string error;
  ASSERT_TRUE(drawSplit(rules, 1, {}, split, error)) << error;
  for (int32_t node : all(split))
    EXPECT_EQ(labels[node], 0);
}

TEST(Splits, KeepTheMembersOfATargetThatIsTrained) {
  Ints labels = labelsOf(cora), members = {5, 3, 2000, 17};
  SplitRules rules{labels, 7, {.trainPerClass = 80, .test = 500}, {}};
  AuditSplit split;
  std::string error;
  ASSERT_TRUE(drawSplit(rules, 1, members, split, error)) << error;
  EXPECT_EQ(split.targetTrain, members);
  EXPECT_EQ(split.shadowTrain.size(), 560u);
  Ints nodes = all(split);
  EXPECT_EQ(std::set<int32_t>(nodes.begin(), nodes.end()).size(),
            4u + 500 + 560 + 500);
}

TEST(Splits, DrawTheShadowFromAGraphOfItsOwn) {
  Ints labels = labelsOf({8, 8}), others = labelsOf({9, 9, 7});
  SplitRules rules{labels, 2, {.trainPerClass = 5, .test = 6},
                   others, 3, {.trainPerClass = 4, .testPerClass = 2}};
  AuditSplit split;
  std::string error;
  ASSERT_TRUE(drawSplit(rules, 1, {}, split, error)) << error;
  EXPECT_EQ(perClass(split.targetTrain, labels, 2),
            (std::vector<int64_t>{5, 5}));
  EXPECT_EQ(split.targetTest.size(), 6u);
  EXPECT_EQ(perClass(split.shadowTrain, others, 3),
            (std::vector<int64_t>{4, 4, 4}));
  EXPECT_EQ(perClass(split.shadowTest, others, 3),
            (std::vector<int64_t>{2, 2, 2}));
}

TEST(Splits, NameTheClassThatIsTooSmall) {
  Ints labels = labelsOf(cora);
  auto errorOf = [&](SplitSizes sizes, const Ints &members = {}) {
    AuditSplit split;
    std::string error;
    EXPECT_FALSE(drawSplit({labels, 7, sizes, {}}, 1, members, split, error));
    return error;
  };
  EXPECT_EQ(errorOf({.trainPerClass = 91, .test = 10}),
            "no split can be drawn: class 6 has 180 nodes, 2 x 91 for training "
            "are 182: lower train_nodes_per_class");
  EXPECT_EQ(errorOf({.trainPerClass = 90, .testPerClass = 5}),
            "no split can be drawn: class 6 has 180 nodes, 2 x 90 for training "
            "and 2 x 5 for tests are 190: lower train_nodes_per_class or "
            "test_nodes_per_class");
  EXPECT_EQ(errorOf({.trainPerClass = 90, .test = 1000}),
            "no split can be drawn: 1448 nodes with a class are left for "
            "tests, 2 x 1000 are 2000: lower test_nodes or "
            "train_nodes_per_class");
  Ints members;
  for (int32_t node = 0; node < 2708; ++node)
    if (labels[node] == 6)
      members.push_back(node);
  members.resize(100);
  EXPECT_EQ(errorOf({.trainPerClass = 90, .test = 100}, members),
            "no split can be drawn: class 6 has 80 nodes beside the target's "
            "members, 1 x 90 for training are 90: lower "
            "train_nodes_per_class");
}

class SplitsFileTest : public testing::Test {
protected:
  void SetUp() override {
    path = testing::TempDir() + "splits." + std::to_string(getpid()) + ".json";
  }
  void TearDown() override { fs::remove(path); }

  std::string errorOf(const std::string &text) {
    std::ofstream(path) << text;
    SplitsFile file;
    std::string error;
    EXPECT_FALSE(readSplits(path, rules, file, error));
    std::string start = "the splits '" + path + "' cannot be used: ";
    EXPECT_EQ(error.substr(0, start.size()), start);
    return error.substr(std::min(start.size(), error.size()));
  }
  /// A sound file with one of its lists replaced.
  std::string with(const std::string &name, const std::string &list) {
    std::string text = "{\"splits\": [{\"seed\": 1";
    for (auto [key, nodes] :
         std::initializer_list<std::pair<const char *, const char *>>{
             {"target_train", "[0, 1]"},
             {"target_test", "[2, 3, 4]"},
             {"shadow_train", "[5, 6]"},
             {"shadow_test", "[7, 8, 9]"}})
      text += std::string(", \"") + key +
              "\": " + (key == name ? list : std::string(nodes));
    return text + "}]}";
  }

  Ints labels = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, -1};
  SplitRules rules{labels, 2, {.trainPerClass = 1, .test = 3}, {}};
  std::string path;
};

TEST_F(SplitsFileTest, ComesBackAsItWasWritten) {
  SplitsFile file{"a \"graph\"", {}}, back;
  std::string error;
  for (uint64_t seed : {uint64_t(4), ~uint64_t(0)})
    ASSERT_TRUE(drawSplit(rules, seed, {}, file.splits.emplace_back(), error));
  ASSERT_TRUE(writeSplits(path, file, error)) << error;
  ASSERT_TRUE(readSplits(path, rules, back, error)) << error;
  EXPECT_EQ(back.graph, file.graph);
  EXPECT_EQ(back.splits, file.splits);
}

TEST_F(SplitsFileTest, SaysWhyItCannotBeWritten) {
  std::string error;
  EXPECT_FALSE(writeSplits(path + "/no/such", {}, error));
  EXPECT_NE(error.find("there is no folder"), std::string::npos) << error;
}

TEST_F(SplitsFileTest, KeepsTheOrderOfAList) {
  std::ofstream(path) << with("target_test", "[4, 2, 3]");
  SplitsFile file;
  std::string error;
  ASSERT_TRUE(readSplits(path, rules, file, error)) << error;
  EXPECT_EQ(file.splits[0].targetTest, (Ints{4, 2, 3}));
}

TEST_F(SplitsFileTest, MustHoldSoundSplits) {
  EXPECT_EQ(errorOf("["), "it is not JSON");
  EXPECT_EQ(errorOf("{}"), "splits is missing");
  EXPECT_EQ(errorOf("{\"splits\": []}"),
            "splits is an array: an array of 1 to 100000 elements is wanted");
  EXPECT_EQ(errorOf("{\"splits\": [{\"seed\": -1}]}"),
            "splits[0].seed is -1: an integer of 0 to 2^64 - 1 is wanted");
  EXPECT_EQ(errorOf("{\"splits\": [{\"seed\": 1}]}"),
            "splits[0].target_train is missing");
  EXPECT_EQ(errorOf(with("target_train", "[0, 1, 10]")),
            "splits[0].target_train is an array: an array of 2 nodes "
            "(train_nodes_per_class for each class), not of 3, is wanted");
  EXPECT_EQ(errorOf(with("shadow_test", "[7, 8]")),
            "splits[0].shadow_test is an array: an array of 3 nodes "
            "(test_nodes), not of 2, is wanted");
  EXPECT_EQ(errorOf(with("target_test", "[2, 3, 11]")),
            "splits[0].target_test[2] is 11: an integer of 0 to 10 is wanted");
  EXPECT_EQ(errorOf(with("target_test", "[2, 3, 1.5]")),
            "splits[0].target_test[2] is 1.5: an integer of 0 to 10 is wanted");
  EXPECT_EQ(errorOf(with("target_test", "[2, 3, 10]")),
            "splits[0].target_test[2] is 10: a node with a class is wanted");
  EXPECT_EQ(errorOf(with("target_test", "[2, 3, 2]")),
            "splits[0].target_test[2] is 2: a node that this split has not "
            "named before is wanted");
  // Members of both models.
  EXPECT_EQ(errorOf(with("shadow_train", "[5, 0]")),
            "splits[0].shadow_train[1] is 0: a node that this split has not "
            "named before is wanted");
  std::string twice = with("", "");
  twice.insert(twice.size() - 2, "," + twice.substr(12, twice.size() - 14));
  EXPECT_EQ(errorOf(twice),
            "splits[1].seed is 1: one that no split before has is wanted");
}

TEST_F(SplitsFileTest, MayNameANodeOfEachOfTwoGraphs) {
  Ints others = {0, 1, 0, 1, 0};
  rules.shadowLabels = others;
  rules.shadowClasses = rules.classes;
  rules.shadowSizes = rules.sizes;
  std::string text = with("shadow_train", "[0, 1]");
  EXPECT_EQ(errorOf(text), "splits[0].shadow_test[0] is 7: an integer of 0 to "
                           "4 is wanted");
  size_t at = text.find("[7, 8, 9]");
  std::ofstream(path) << text.replace(at, 9, "[2, 3, 4]");
  SplitsFile file;
  std::string error;
  EXPECT_TRUE(readSplits(path, rules, file, error)) << error;
}

TEST_F(SplitsFileTest, MustBeThere) {
  SplitsFile file;
  std::string error;
  EXPECT_FALSE(readSplits(path, rules, file, error));
  EXPECT_NE(error.find("splits." + std::to_string(getpid())),
            std::string::npos);
}

} // namespace
