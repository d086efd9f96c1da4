//===- AuditSummary.cpp - What an audit's trials say ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AuditSummary.h"
#include "runtime/audit/Attacks.h"

namespace tessera::runtime {

QueryResult summarizeQuery(const std::vector<Trial> &trials, size_t query,
                           AuditQuery kind,
                           const std::vector<Defense> &defenses,
                           bool onOneGraph,
                           const BootstrapSettings &bootstrap) {
  auto collect = [&](auto get) {
    std::vector<AttackScores> scores;
    for (const Trial &trial : trials)
      scores.push_back(get(trial.queries[query]));
    return scores;
  };
  QueryResult result;
  result.name = queryName(kind);
  std::vector<AttackScores> attack =
      collect([](const QueryTrial &trial) { return trial.attack; });
  result.attack = summarize("SHADOW_MLP", attack, bootstrap);
  bool isLira = trials.front().queries[query].lira.has_value();
  std::vector<RunAnswers> answers;
  for (const Trial &trial : trials)
    answers.push_back(trial.queries[query].answers);
  result.untrained = untrainedAttacks(answers, bootstrap);
  if (isLira) {
    // Its scores are logarithms of ratios, a member's above 0.
    std::vector<double> thresholds(trials.size(), 0);
    std::swap(result.attack, result.untrained.emplace_back(summarize(
                                 "LIRA", collect([](const QueryTrial &trial) {
                                   return *trial.lira;
                                 }),
                                 bootstrap, thresholds)));
  }
  result.baselines = baselines(answers, bootstrap);
  if (!onOneGraph)
    std::erase_if(result.baselines, [](const AttackResult &baseline) {
      return baseline.name == "class";
    });
  for (size_t i = 0; i < defenses.size(); ++i) {
    DefenseResult &defense = result.defenses.emplace_back();
    defense.defense = defenses[i];
    defense.adaptive =
        summarize("SHADOW_MLP", collect([&](const QueryTrial &trial) {
                    return trial.defenses[i].adaptive;
                  }),
                  bootstrap);
    defense.fixed =
        summarize("SHADOW_MLP", collect([&](const QueryTrial &trial) {
                    return trial.defenses[i].fixed;
                  }),
                  bootstrap);
    for (const Trial &trial : trials) {
      defense.labelLoss.push_back(trial.queries[query].defenses[i].labelLoss);
      defense.distortion.push_back(trial.queries[query].defenses[i].distortion);
    }
  }
  result.analyses = analyses(answers, attack);
  return result;
}

} // namespace tessera::runtime
