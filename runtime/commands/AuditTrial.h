//===- AuditTrial.h - One target, its shadow and its attacks ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_AUDITTRIAL_H
#define TESSERA_RUNTIME_COMMANDS_AUDITTRIAL_H

#include "runtime/audit/Evaluate.h"
#include "runtime/audit/Report.h"
#include "runtime/commands/AuditAttack.h"
#include "runtime/commands/AuditGraph.h"
#include <functional>
#include <optional>

namespace tessera::runtime {

/// Where members and non-members are asked.
enum class AuditQuery {
  matched,   ///< all on the whole graph
  reference, ///< members on their subgraph, non-members on the whole graph
  subgraphs, ///< each on their own subgraph
};

/// "MATCHED"; "SUBGRAPHS" for the one that the setting TSTS has.
const char *queryName(AuditQuery query);

/// The queries of \p settings, the one that leads first.
std::vector<AuditQuery> queriesOf(const AuditSettings &settings);
/// Its defenses.
std::vector<Defense> defensesOf(const AuditSettings &settings);

/// What one trial finds in one query.
struct QueryTrial {
  AttackScores attack;
  std::optional<AttackScores> lira;
  RunAnswers answers; ///< undefended
  struct Defended {
    AttackScores adaptive, fixed;
    double labelLoss = 0, distortion = 0;
  };
  std::vector<Defended> defenses; ///< by the settings'
};

/// What one trial finds.
struct Trial {
  AuditRun run;
  std::vector<QueryTrial> queries; ///< by queriesOf
  struct WithoutEdges {
    ModelAccuracy target;
    AttackScores attack;
  };
  std::optional<WithoutEdges> withoutEdges;
  double seconds = 0; ///< that it took
};

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

/// Trains and attacks by \p split; a function of it and its seed alone.
Trial runTrial(const AuditSetup &setup, const AuditSplit &split);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_AUDITTRIAL_H
