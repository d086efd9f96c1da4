//===- Attacks.h - Attacks and baselines without training -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_ATTACKS_H
#define TESSERA_RUNTIME_AUDIT_ATTACKS_H

#include "runtime/audit/Metrics.h"
#include "runtime/audit/Posteriors.h"
#include <cstdint>
#include <span>
#include <vector>

namespace tessera::runtime {

/// Attacks that need no model of the attacker's. A higher score is likelier a
/// member's. They read what distribution() makes of a row, so that they take
/// defended answers, too.
enum class ScoreAttack {
  /// The largest posterior, whatever the class (Salem et al., "ML-Leaks", NDSS
  /// 2019, adversary 3).
  Confidence,
  /// The negated entropy of the posteriors (same source).
  Entropy,
  /// The logarithm of the posterior of the true class, so the negated loss
  /// (Yeom et al., "Privacy risk in machine learning", CSF 2018).
  Loss,
  /// The negated modified entropy, -(1 - p_y) log p_y - sum over other classes
  /// of p_i log(1 - p_i) (Song and Mittal, "Systematic evaluation of privacy
  /// risks of machine learning models", USENIX Security 2021, section 3), with
  /// one threshold for all classes.
  ModifiedEntropy,
};
inline constexpr ScoreAttack scoreAttacks[] = {
    ScoreAttack::Confidence, ScoreAttack::Entropy, ScoreAttack::Loss,
    ScoreAttack::ModifiedEntropy};

/// "modified_entropy".
const char *attackName(ScoreAttack attack);

/// The score of each row of \p posteriors, whose true classes are \p labels.
/// Probabilities below 1e-30 count as 1e-30 in logarithms.
std::vector<double> attackScores(ScoreAttack attack,
                                 const Posteriors &posteriors,
                                 std::span<const int32_t> labels);

/// Of a node a number that needs no model: its class, its degree.
using Keys = std::span<const int64_t>;

/// Baseline by class alone: for each of \p keys, a class, the share of members
/// among the shadow's nodes of this class, (m + 1) / (m + n + 2) for m members
/// and n non-members. What an attack reaches beyond it is not owed to how the
/// splits were drawn.
std::vector<double> classScores(Keys shadowMembers, Keys shadowNonMembers,
                                Keys keys);

/// Baseline by degree alone: the same share at a degree d, with the shadow's
/// nodes of other degrees e counting exp(-|log((1 + d) / (1 + e))| / 0.1), so
/// that low degrees stand for themselves and high ones, of which there are few
/// nodes, for their like; plus 1 member and 1 non-member. Degrees are those in
/// the graph that answers the query.
std::vector<double> degreeScores(Keys shadowMembers, Keys shadowNonMembers,
                                 Keys keys);

/// AUROC where members are only compared with non-members of the same key.
struct WithinKeys {
  /// The mean of the keys' AUROCs, weighted by the pairs of members and
  /// non-members that they have; NaN where no key has both.
  double auroc = 0;
  struct Each {
    int64_t key = 0, members = 0, nonMembers = 0;
    double auroc = 0; ///< NaN where one of both is missing
  };
  std::vector<Each> keys; ///< all that are there, ascending
};

/// \p memberKeys and \p nonMemberKeys are those of the nodes of \p scores.
WithinKeys aurocWithin(const AttackScores &scores, Keys memberKeys,
                       Keys nonMemberKeys);

/// Groups of degrees for an analysis: 0, 1, 2, 3 to 4, 5 to 8, ..., by the
/// largest of each.
int64_t degreeGroup(int64_t degree);
/// Groups of homophily, a share: five of equal width by their number, 0 to 4; 5
/// for NaN, nodes without neighbours.
int64_t homophilyGroup(double share);

/// What the attack's model reads of a row.
enum class AttackInput {
  Posteriors, ///< in the order of classes
  Sorted,     ///< descending
  TopK,       ///< the k largest, descending
  LabelOnly,  ///< 1 for the predicted class, else 0
};

/// The columns of that.
int64_t attackWidth(AttackInput input, int64_t classes, int64_t top);

/// [rows, attackWidth]: what the attack's model reads. \p top is k. With more
/// \p columns there are zeros behind, as of classes that are never answered.
std::vector<float> attackFeatures(AttackInput input,
                                  const Posteriors &posteriors, int64_t top,
                                  int64_t columns = 0);

/// The score of each row of \p logits, [rows, 2], of "non-member" and "member":
/// 1/2 + d / (2 + 2 |d|) of the log-odds d, their difference. It is in the
/// order of the probability of "member" and above 0.5 where that is, from 0 to
/// 1, but does not round to 1 where the attack is sure: log-odds above 100 are
/// common under defenses, and at few false positives their order is all there
/// is.
std::vector<double> memberScores(std::span<const float> logits);

/// Means and deviations of columns.
struct Standardization {
  std::vector<double> mean, deviation;

  /// Of the \p features, [rows, columns], that the attack is trained on. The
  /// deviation is that of the population (as scikit-learn's StandardScaler).
  static Standardization of(std::span<const float> features, int64_t columns);

  /// Takes the mean from each column of \p features and divides it by its
  /// deviation. A column that is constant where the attack is trained becomes
  /// 0: it tells nothing, and what it is elsewhere is another scale.
  void apply(std::span<float> features) const;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_ATTACKS_H
