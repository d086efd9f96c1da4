//===- Evaluate.cpp - What follows from a query's answers -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Evaluate.h"
#include "runtime/audit/Attacks.h"
#include <algorithm>

namespace tessera::runtime {

static AttackScores scoresOf(ScoreAttack attack, const Answers &members,
                             const Answers &nonMembers) {
  return {attackScores(attack, members.posteriors, members.labels),
          attackScores(attack, nonMembers.posteriors, nonMembers.labels)};
}

static double medianOf(const AttackScores &scores) {
  AttackScores both[] = {scores};
  std::vector<double> all = pooled(both).members;
  all.insert(all.end(), scores.nonMembers.begin(), scores.nonMembers.end());
  std::sort(all.begin(), all.end());
  return quantile(all, 0.5);
}

std::vector<AttackResult> untrainedAttacks(std::span<const RunAnswers> runs,
                                           const BootstrapSettings &settings) {
  std::vector<AttackResult> results;
  for (ScoreAttack attack : scoreAttacks) {
    std::vector<AttackScores> scores;
    std::vector<double> thresholds;
    for (const RunAnswers &run : runs) {
      scores.push_back(
          scoresOf(attack, run.targetMembers, run.targetNonMembers));
      bool hasShadow = !run.shadowMembers.labels.empty() &&
                       !run.shadowNonMembers.labels.empty();
      thresholds.push_back(
          hasShadow ? scoresOf(attack, run.shadowMembers, run.shadowNonMembers)
                          .ranked()
                          .bestThreshold()
                    : medianOf(scores.back()));
    }
    results.push_back(
        summarize(attackName(attack), scores, settings, thresholds));
  }
  return results;
}

static std::vector<int64_t> classesOf(const Answers &answers) {
  return {answers.labels.begin(), answers.labels.end()};
}

static std::vector<int64_t> degreesOf(const Answers &answers) {
  return answers.degrees;
}

static bool haveDegrees(std::span<const RunAnswers> runs) {
  return std::all_of(runs.begin(), runs.end(), [](const RunAnswers &run) {
    return !run.targetMembers.degrees.empty();
  });
}

std::vector<AttackResult> baselines(std::span<const RunAnswers> runs,
                                    const BootstrapSettings &settings) {
  std::vector<AttackResult> results;
  auto add = [&](const char *name, auto score,
                 std::vector<int64_t> (*keysOf)(const Answers &)) {
    std::vector<AttackScores> scores;
    for (const RunAnswers &run : runs) {
      std::vector<int64_t> members = keysOf(run.shadowMembers);
      std::vector<int64_t> nonMembers = keysOf(run.shadowNonMembers);
      scores.push_back(
          {score(members, nonMembers, keysOf(run.targetMembers)),
           score(members, nonMembers, keysOf(run.targetNonMembers))});
    }
    results.push_back(summarize(name, scores, settings));
  };
  add("class", classScores, classesOf);
  if (haveDegrees(runs))
    add("degree", degreeScores, degreesOf);
  return results;
}

static std::vector<int64_t> degreeGroupsOf(const Answers &answers) {
  std::vector<int64_t> keys;
  for (int64_t degree : answers.degrees)
    keys.push_back(degreeGroup(degree));
  return keys;
}

static std::vector<int64_t> homophilyGroupsOf(const Answers &answers) {
  std::vector<int64_t> keys;
  for (double share : answers.homophily)
    keys.push_back(homophilyGroup(share));
  return keys;
}

std::vector<Analysis> analyses(std::span<const RunAnswers> runs,
                               std::span<const AttackScores> scores) {
  std::vector<Analysis> results;
  auto add = [&](GroupBy by, std::vector<int64_t> (*keysOf)(const Answers &)) {
    std::vector<NodeKeys> keys;
    for (const RunAnswers &run : runs)
      keys.push_back({keysOf(run.targetMembers), keysOf(run.targetNonMembers)});
    results.push_back(analyze(by, scores, keys));
  };
  add(GroupBy::NodeClass, classesOf);
  if (haveDegrees(runs)) {
    add(GroupBy::Degree, degreeGroupsOf);
    add(GroupBy::Homophily, homophilyGroupsOf);
  }
  return results;
}

} // namespace tessera::runtime
