//===- AuditAttack.h - The model that tells members apart -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_AUDITATTACK_H
#define TESSERA_RUNTIME_COMMANDS_AUDITATTACK_H

#include "runtime/audit/Attacks.h"
#include "runtime/audit/Metrics.h"
#include "runtime/audit/Posteriors.h"
#include "runtime/commands/AuditModel.h"

namespace tessera::runtime {

/// What a model answers about nodes that it learnt from and others.
struct MemberAnswers {
  Posteriors members, nonMembers;
};

/// The attack of shadow models (Shokri et al., "Membership inference attacks
/// against machine learning models", S&P 2017): a model learns from the
/// shadow's answers which are about members, and is held against the target's.
class ShadowAttack {
public:
  ShadowAttack(AuditModel &model, const AuditSettings &settings);

  /// Trains it on \p shadow by \p seed, whatever it was before.
  void train(const MemberAnswers &shadow, uint64_t seed);

  /// memberScores() of the nodes of \p target.
  AttackScores score(const MemberAnswers &target);

private:
  /// What the model reads of \p answers, members first.
  std::vector<float> inputsOf(const MemberAnswers &answers) const;

  AuditModel &model;
  const AuditSettings &settings;
  AttackInput input;
  Standardization standardization;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_AUDITATTACK_H
