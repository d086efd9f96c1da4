//===- AuditAnswers.h - What a trial's models answer ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_AUDITANSWERS_H
#define TESSERA_RUNTIME_COMMANDS_AUDITANSWERS_H

#include "runtime/audit/Evaluate.h"
#include "runtime/audit/Report.h"
#include "runtime/commands/AuditAttack.h"
#include "runtime/commands/AuditGraph.h"
#include <functional>
#include <optional>

namespace tessera::runtime {

/// Where members and non-members are asked.
enum class AuditQuery {
  Matched,   ///< all on the whole graph
  Reference, ///< members on their subgraph, non-members on the whole graph
  Subgraphs, ///< each on their own subgraph
};

/// "MATCHED"; "SUBGRAPHS" for the one that the setting TSTS has.
const char *queryName(AuditQuery query);

/// The queries of \p settings, the one that leads first.
std::vector<AuditQuery> queriesOf(const AuditSettings &settings);
/// Its defenses.
std::vector<Defense> defensesOf(const AuditSettings &settings);

/// A target that was trained elsewhere, whose members are the nodes of the
/// graph's train_mask: a file of weights, or what it answers for all nodes.
struct ExistingTarget {
  std::string weights;
  std::optional<Posteriors> posteriors;

  bool isThere() const { return !weights.empty() || posteriors; }
};

/// A model and the graph that it learns from.
struct AuditSide {
  AuditModel &model;
  const AuditGraph &graph;
};

/// What trials need.
struct AuditSetup {
  /// One model may be both.
  AuditSide target, shadow;
  const AuditSettings &settings;
  std::vector<AuditQuery> queries; ///< the first leads
  std::vector<Defense> defenses;
  const ExistingTarget &existing;
  ShadowAttack &attack;
  /// Called with what is done next.
  std::function<void(const std::string &)> onStage;
};

/// What a trial draws with: models and noise have seeds of their own.
enum class Purpose : uint64_t {
  Target,
  Shadow,
  Attack,
  TargetNoise,
  ShadowNoise,
  Shadows
};

/// Of the trial with \p seed.
uint64_t seedFor(uint64_t seed, Purpose purpose);

/// One of a trial's two models, with the nodes of its sets.
struct Subject {
  std::string name;
  AuditSide side;
  std::span<const int32_t> train, test;
  Purpose seed, noise;

  const GraphFile &whole() const { return side.graph.file(); }
};

Subject targetOf(const AuditSetup &setup, const AuditSplit &split);
Subject shadowOf(const AuditSetup &setup, const AuditSplit &split);

/// What a model answers: by query and, for each, undefended and then by those
/// of the defenses that change the graph.
struct ModelAnswers {
  struct OfQuery {
    MemberAnswers plain;
    std::vector<MemberAnswers> sampled; ///< by defense; empty for others
  };
  std::vector<OfQuery> queries;
  ModelAccuracy accuracy;
};

/// Trains and asks the model of \p subject in the trial with \p seed.
ModelAnswers trainAndAsk(const AuditSetup &setup, const Subject &subject,
                         uint64_t seed, bool withEdges);

/// What the target answers, where it is trained already or after it is.
ModelAnswers askTarget(const AuditSetup &setup, const AuditSplit &split);

/// What \p answers of \p subject were about in \p query: members, then others.
std::pair<Answers, Answers> described(AuditQuery query,
                                      const MemberAnswers &answers,
                                      const Subject &subject);

/// What LiRA's shadow number \p number makes of target and non-members.
struct LiraAnswers {
  std::vector<double> confidence; ///< logit, of each node that is audited
  std::vector<uint8_t> isMember;  ///< whether the shadow was trained on it
};
LiraAnswers trainLiraShadow(const AuditSetup &setup, const AuditSplit &split,
                            int64_t number);

/// LiRA's scores of what the target has answered, by all of its shadows.
AttackScores attackByLikelihood(const AuditSetup &setup,
                                const AuditSplit &split,
                                std::span<const LiraAnswers> shadows,
                                const MemberAnswers &asked);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_AUDITANSWERS_H
