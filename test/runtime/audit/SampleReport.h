//===- SampleReport.h - A report of invented scores -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_RUNTIME_AUDIT_SAMPLEREPORT_H
#define TESSERA_TEST_RUNTIME_AUDIT_SAMPLEREPORT_H

#include "runtime/audit/Report.h"
#include "runtime/core/Random.h"
#include <cmath>

/// Scores of \p count members and non-members that are logistic of normal ones,
/// \p distance apart.
inline tessera::runtime::AttackScores sampleScores(uint64_t seed, int64_t count,
                                                   double distance) {
  using namespace tessera::runtime;
  AttackScores scores;
  for (int64_t i = 0; i < count; ++i) {
    auto normal = normalBlock(seed, RandomUse::Audit, 77, i);
    auto logistic = [](double x) { return 1 / (1 + std::exp(-x)); };
    scores.members.push_back(logistic(normal[0] + distance / 2));
    scores.nonMembers.push_back(logistic(normal[1] - distance / 2));
  }
  return scores;
}

/// Two runs of \p count members and non-members, two queries, five defenses.
inline tessera::runtime::AuditReport sampleReport(int64_t count = 600) {
  using namespace tessera::runtime;
  AuditReport report;
  report.model = "gcn <\"cora\" & more>";
  report.setting = "TSTF";
  report.data = "graphs/cora.safetensors";
  report.threatModel = describe(ThreatModel{.setting = "TSTF",
                                            .query = "MATCHED",
                                            .attack = "SHADOW_MLP",
                                            .input = "posteriors"});
  report.graphHash = std::string(64, 'a');
  report.specificationHash = std::string(64, 'b');
  report.members = report.nonMembers = count;
  report.bootstrap.draws = 200;
  report.runs = {{1, "c1", {0.95, 0.8}, {0.96, 0.81}},
                 {2, "c2", {0.97, 0.84}, {0.94, 0.79}}};
  for (double strength : {0.8, 1.7}) {
    QueryResult query;
    query.name = strength < 1 ? "MATCHED" : "REFERENCE";
    auto runs = [&](double share) {
      return std::vector<AttackScores>{
          sampleScores(1, count, strength * share),
          sampleScores(2, count, strength * share)};
    };
    auto make = [&](const char *name, double share) {
      return summarize(name, runs(share), report.bootstrap);
    };
    query.attack = make("SHADOW_MLP", 1);
    query.untrained = {make("confidence", 0.7), make("loss", 0.8)};
    query.baselines = {make("class", 0.3), make("degree", 0.1)};
    auto defend = [&](Defense defense, double fixed, double adaptive,
                      double loss) {
      query.defenses.push_back({defense,
                                make("adaptive", adaptive),
                                make("static", fixed),
                                {loss, loss + 0.4},
                                {0.1, 0.2}});
    };
    defend({.kind = DefenseKind::Nsd, .neighbors = 1}, 0.9, 0.9, 7);
    defend({.kind = DefenseKind::Nsd, .neighbors = 2}, 0.95, 0.96, 2);
    defend({.kind = DefenseKind::Lbp, .bins = 2, .beta = 0.05}, 0.7, 0.9, 1.5);
    defend({.kind = DefenseKind::Lbp, .bins = 2, .beta = 0.1}, 0.5, 0.8, 5);
    defend({.kind = DefenseKind::LabelOnly}, 0.1, 0.5, 0);
    std::vector<NodeKeys> keys(2);
    for (int64_t i = 0; i < count; ++i)
      for (NodeKeys &each : keys) {
        each.members.push_back(i % 3);
        each.nonMembers.push_back(i % 2);
      }
    query.analyses = {analyze(GroupBy::NodeClass, runs(1), keys),
                      analyze(GroupBy::Homophily, runs(1), keys)};
    report.queries.push_back(std::move(query));
  }
  report.ablations = {
      {"NO_EDGES",
       {{0.98, 0.67}, {0.99, 0.68}},
       summarize("SHADOW_MLP",
                 std::vector<AttackScores>{sampleScores(3, count, 1.6),
                                           sampleScores(4, count, 1.6)},
                 report.bootstrap)}};
  return report;
}

#endif // TESSERA_TEST_RUNTIME_AUDIT_SAMPLEREPORT_H
