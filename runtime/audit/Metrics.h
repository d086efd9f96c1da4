//===- Metrics.h - How well an attack tells members -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_METRICS_H
#define TESSERA_RUNTIME_AUDIT_METRICS_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tessera::runtime {

/// What is reported of an attack; all lie in [0, 1]. Labels are those that
/// scores above a threshold give.
enum class Metric : uint32_t {
  Auroc,          ///< of the score
  AurocHard,      ///< of the labels, as reference code of papers has it
  Precision,      ///< of those labelled "member" the share that are; 0 for none
  Recall,         ///< of members the share so labelled
  MacroPrecision, ///< the means over "member" and "non-member", which
  MacroRecall,    ///< scikit-learn calls "macro"
  Accuracy,
  TprAt1Percent,  ///< RankedScores::truePositiveRateAt(0.01)
  TprAt01Percent, ///< and (0.001)
};
inline constexpr size_t metricCount = 9;

/// The field of a metric in reports: "auroc_hard".
const char *metricName(Metric metric);
/// For people: "AUROC of labels".
const char *metricTitle(Metric metric);

/// One value for each metric.
template <typename Value> struct PerMetric {
  std::array<Value, metricCount> values{};

  Value &operator[](Metric metric) {
    return values[static_cast<size_t>(metric)];
  }
  const Value &operator[](Metric metric) const {
    return values[static_cast<size_t>(metric)];
  }
};

/// NaN where one cannot be given.
using AttackMetrics = PerMetric<double>;

/// A point of the ROC curve: the shares of non-members and of members whose
/// score is at least the threshold.
struct RocPoint {
  double falsePositiveRate = 0, truePositiveRate = 0, threshold = 0;
};

/// The scores that an attack gives members and non-members, a higher one for
/// who is more likely a member, ranked once.
class RankedScores {
public:
  /// At least one member and one non-member. Scores above \p labelThreshold
  /// are labelled "member". A score that is NaN makes all metrics NaN.
  RankedScores(std::span<const double> members,
               std::span<const double> nonMembers, double labelThreshold = 0.5);

  int64_t members() const { return std::ssize(memberGroups); }
  int64_t nonMembers() const { return std::ssize(nonMemberGroups); }

  /// Not NaN, and not the same for all: an attack that answers alike for
  /// everyone has an AUROC of 0.5 and says nothing of leakage.
  bool isInformative() const { return !hasNaN && thresholds.size() > 1; }

  AttackMetrics metrics() const { return metricsOf(countsOf({}, {})); }

  /// The probability that a member's score is above a non-member's, ties
  /// counting half: the area under the ROC curve, which is Mann and Whitney's U
  /// by midranks over the number of pairs.
  double auroc() const { return metrics()[Metric::Auroc]; }

  /// The largest share of members above a threshold that at most the share
  /// \p falsePositiveRate of non-members reach, without interpolation
  /// (Carlini et al., "Membership inference attacks from first principles",
  /// 2022). NaN where falsePositiveRate x non-members is below 10, as it would
  /// hang on a few of them.
  double truePositiveRateAt(double falsePositiveRate) const;

  /// The threshold of labels that makes their recall of members and of
  /// non-members largest together (Youden's index), the highest of several:
  /// what an attacker takes from the shadow model's scores where they are no
  /// probabilities. Halfway between two scores.
  double bestThreshold() const;

  /// From (0, 0) to (1, 1), a point for each score that is there, the highest
  /// first.
  std::vector<RocPoint> curve() const;

  /// The metrics with member number i there memberTimes[i] times, and
  /// non-member number i nonMemberTimes[i] times; of each at least one.
  AttackMetrics metrics(std::span<const uint8_t> memberTimes,
                        std::span<const uint8_t> nonMemberTimes) const {
    return metricsOf(countsOf(memberTimes, nonMemberTimes));
  }

private:
  /// By group, and of all.
  struct Counts {
    std::vector<uint32_t> members, nonMembers;
    double allMembers = 0, allNonMembers = 0;
  };
  /// Each once where there are no times.
  Counts countsOf(std::span<const uint8_t> memberTimes,
                  std::span<const uint8_t> nonMemberTimes) const;
  AttackMetrics metricsOf(const Counts &counts) const;
  double truePositiveRateAt(double rate, const Counts &counts) const;

  std::vector<double> thresholds; ///< the scores that are there, descending
  size_t labelled = 0;            ///< of those, above the threshold of labels
  /// The group, a place in thresholds, of each member and non-member.
  std::vector<uint32_t> memberGroups, nonMemberGroups;
  bool hasNaN = false;
};

/// What an attack says of the members and non-members of one run.
struct AttackScores {
  std::vector<double> members, nonMembers;

  RankedScores ranked(double labelThreshold = 0.5) const {
    return {members, nonMembers, labelThreshold};
  }
};

/// The scores of several runs together, whose TPR at a low FPR can be given
/// where one run has too few non-members. A score must mean the same in each.
AttackScores pooled(std::span<const AttackScores> runs);

/// Over several runs.
struct MeanDeviation {
  int64_t count = 0;
  double mean = 0;
  /// Of the sample, so over count - 1; NaN for less than two runs.
  double deviation = 0;
};

MeanDeviation meanDeviation(std::span<const double> values);
/// The same of each metric.
PerMetric<MeanDeviation> meanDeviation(std::span<const AttackMetrics> runs);

/// The quantile \p rank, in [0, 1], of \p sorted, with linear interpolation
/// between neighbours, as numpy's.
double quantile(std::span<const double> sorted, double rank);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_METRICS_H
