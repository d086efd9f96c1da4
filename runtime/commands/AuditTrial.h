//===- AuditTrial.h - One target, its shadow and its attacks ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_AUDITTRIAL_H
#define TESSERA_RUNTIME_COMMANDS_AUDITTRIAL_H

#include "runtime/commands/AuditAnswers.h"
#include <optional>

namespace tessera::runtime {

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

/// What one of a trial's models gives: what it answers, or of a shadow of
/// LiRA's, what that is for.
struct TrialModel {
  ModelAnswers answers;
  LiraAnswers lira;
  double seconds = 0; ///< that it took
};

/// What one of a trial's attackers says of the answers that he has learned to
/// tell apart, and one who knows of no defense of all that are defended.
struct TrialAttack {
  AttackScores scores;
  std::vector<AttackScores> fixed; ///< by defense
  double seconds = 0;              ///< that it took
};

/// A trial in parts, each a function of the split and its seed alone: models
/// that are trained and asked, then attackers that learn from the answers of
/// all models. So ranks can share a trial.
class TrialParts {
public:
  TrialParts(const AuditSetup &setup, const AuditSplit &split);

  /// Target and shadow, the same without edges where that is asked for, and
  /// LiRA's shadows.
  int64_t modelCount() const;
  TrialModel runModel(int64_t number) const;

  /// For each query one who knows of no defense and one of each defense, then
  /// one without edges.
  int64_t attackCount() const;
  TrialAttack runAttack(int64_t number,
                        std::span<const TrialModel> models) const;

  /// The trial that all parts, in their order, make.
  Trial finish(std::span<const TrialModel> models,
               std::span<TrialAttack> attacks) const;

private:
  int64_t attacksOfQuery() const { return 1 + std::ssize(setup.defenses); }
  bool isWithoutEdges() const;
  QueryTrial finishQuery(size_t query, std::span<const TrialModel> models,
                         std::span<TrialAttack> attacks) const;
  AttackScores trainAndScore(const MemberAnswers &learnt,
                             const MemberAnswers &asked) const;

  const AuditSetup &setup;
  const AuditSplit &split;
};

/// All parts of the trial of \p split.
Trial runTrial(const AuditSetup &setup, const AuditSplit &split);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_AUDITTRIAL_H
