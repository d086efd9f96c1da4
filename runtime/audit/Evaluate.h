//===- Evaluate.h - What follows from a query's answers ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_EVALUATE_H
#define TESSERA_RUNTIME_AUDIT_EVALUATE_H

#include "runtime/audit/Posteriors.h"
#include "runtime/audit/Report.h"
#include <cstdint>
#include <span>
#include <vector>

namespace tessera::runtime {

/// What a model answered for some nodes, one row each, and what is known of
/// them.
struct Answers {
  Posteriors posteriors;
  std::vector<int32_t> labels;
  /// In the graph that was asked on: inDegrees(), nodeHomophily(). Empty where
  /// baselines and analyses go without.
  std::vector<int64_t> degrees;
  std::vector<double> homophily;
};

/// Those of one run.
struct RunAnswers {
  Answers targetMembers, targetNonMembers, shadowMembers, shadowNonMembers;
};

/// Each of scoreAttacks in all runs. Labels are those that the threshold gives
/// which is best on the shadow's answers; where there are none, on scores above
/// the median of the target's.
std::vector<AttackResult>
untrainedAttacks(std::span<const RunAnswers> runs,
                 const BootstrapSettings &settings = {});

/// "class" and, where degrees are given, "degree": classScores() and
/// degreeScores() of the target's nodes from the shadow's.
std::vector<AttackResult> baselines(std::span<const RunAnswers> runs,
                                    const BootstrapSettings &settings = {});

/// By class, and by degree and homophily where those are given, of an attack
/// with \p scores of each run.
std::vector<Analysis> analyses(std::span<const RunAnswers> runs,
                               std::span<const AttackScores> scores);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_EVALUATE_H
