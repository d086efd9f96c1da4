//===- Metrics.cpp - How well an attack tells members ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Metrics.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace tessera::runtime {

static constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// Of non-members: fewer make no rate.
static constexpr double leastFalsePositives = 10;

const char *metricName(Metric metric) {
  static constexpr const char *names[metricCount] = {
      "auroc",    "auroc_hard",      "precision",
      "recall",   "macro_precision", "macro_recall",
      "accuracy", "tpr_at_fpr_0.01", "tpr_at_fpr_0.001"};
  return names[static_cast<size_t>(metric)];
}

const char *metricTitle(Metric metric) {
  static constexpr const char *titles[metricCount] = {
      "AUROC",    "AUROC of labels", "precision",
      "recall",   "macro precision", "macro recall",
      "accuracy", "TPR at 1 % FPR",  "TPR at 0.1 % FPR"};
  return titles[static_cast<size_t>(metric)];
}

RankedScores::RankedScores(std::span<const double> members,
                           std::span<const double> nonMembers,
                           double labelThreshold) {
  thresholds.assign(members.begin(), members.end());
  thresholds.insert(thresholds.end(), nonMembers.begin(), nonMembers.end());
  hasNaN = std::any_of(thresholds.begin(), thresholds.end(),
                       [](double score) { return std::isnan(score); });
  if (hasNaN)
    thresholds.assign(1, nan);
  std::sort(thresholds.begin(), thresholds.end(), std::greater<>());
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()),
                   thresholds.end());
  labelled = std::lower_bound(thresholds.begin(), thresholds.end(),
                              labelThreshold, std::greater<>()) -
             thresholds.begin();
  auto groupsOf = [&](std::span<const double> scores) {
    std::vector<uint32_t> groups(scores.size());
    for (size_t i = 0; !hasNaN && i < scores.size(); ++i)
      groups[i] = static_cast<uint32_t>(
          std::lower_bound(thresholds.begin(), thresholds.end(), scores[i],
                           std::greater<>()) -
          thresholds.begin());
    return groups;
  };
  memberGroups = groupsOf(members);
  nonMemberGroups = groupsOf(nonMembers);
}

RankedScores::Counts
RankedScores::countsOf(std::span<const uint8_t> memberTimes,
                       std::span<const uint8_t> nonMemberTimes) const {
  Counts counts;
  auto count = [&](const std::vector<uint32_t> &groups,
                   std::span<const uint8_t> times,
                   std::vector<uint32_t> &sizes) {
    sizes.resize(thresholds.size());
    for (size_t i = 0; i < groups.size(); ++i)
      sizes[groups[i]] += times.empty() ? 1 : times[i];
    return double(std::accumulate(sizes.begin(), sizes.end(), uint64_t(0)));
  };
  counts.allMembers = count(memberGroups, memberTimes, counts.members);
  counts.allNonMembers =
      count(nonMemberGroups, nonMemberTimes, counts.nonMembers);
  return counts;
}

double RankedScores::truePositiveRateAt(double rate,
                                        const Counts &counts) const {
  // Such a product as 0.001 x 10000 may be rounded to just below.
  double most = rate * counts.allNonMembers * (1 + 1e-12);
  if (hasNaN || !(most >= leastFalsePositives))
    return nan;
  double truePositives = 0, falsePositives = 0;
  for (size_t i = 0; i < thresholds.size(); ++i) {
    falsePositives += counts.nonMembers[i];
    if (falsePositives > most)
      break;
    truePositives += counts.members[i];
  }
  return truePositives / counts.allMembers;
}

double RankedScores::truePositiveRateAt(double falsePositiveRate) const {
  return truePositiveRateAt(falsePositiveRate, countsOf({}, {}));
}

AttackMetrics RankedScores::metricsOf(const Counts &counts) const {
  AttackMetrics result;
  if (hasNaN) {
    result.values.fill(nan);
    return result;
  }
  // Twice the pairs in which the member is above, so that a tie is one.
  uint64_t wins = 0, members = 0;
  for (size_t i = 0; i < thresholds.size(); ++i) {
    wins += counts.nonMembers[i] * (2 * members + counts.members[i]);
    members += counts.members[i];
  }
  auto firstOf = [&](const std::vector<uint32_t> &sizes) {
    return double(
        std::accumulate(sizes.begin(), sizes.begin() + labelled, uint64_t(0)));
  };
  double truePositives = firstOf(counts.members);
  double trueNegatives = counts.allNonMembers - firstOf(counts.nonMembers);
  double falsePositives = counts.allNonMembers - trueNegatives;
  double falseNegatives = counts.allMembers - truePositives;
  auto share = [](double part, double rest) {
    return part > 0 ? part / (part + rest) : 0;
  };
  double precision = share(truePositives, falsePositives);
  double recall = share(truePositives, falseNegatives);
  double otherPrecision = share(trueNegatives, falseNegatives);
  double otherRecall = share(trueNegatives, falsePositives);
  result[Metric::Auroc] =
      double(wins) / (2 * counts.allMembers * counts.allNonMembers);
  // A curve with one corner, (1 - otherRecall, recall).
  result[Metric::AurocHard] = (recall + otherRecall) / 2;
  result[Metric::Precision] = precision;
  result[Metric::Recall] = recall;
  result[Metric::MacroPrecision] = (precision + otherPrecision) / 2;
  result[Metric::MacroRecall] = (recall + otherRecall) / 2;
  result[Metric::Accuracy] = (truePositives + trueNegatives) /
                             (counts.allMembers + counts.allNonMembers);
  result[Metric::TprAt1Percent] = truePositiveRateAt(0.01, counts);
  result[Metric::TprAt01Percent] = truePositiveRateAt(0.001, counts);
  return result;
}

double RankedScores::bestThreshold() const {
  Counts counts = countsOf({}, {});
  double truePositives = 0, falsePositives = 0, most = 0;
  double best = thresholds.front();
  // Labelling all "member" is as bad as none.
  for (size_t i = 0; i + 1 < thresholds.size(); ++i) {
    truePositives += counts.members[i];
    falsePositives += counts.nonMembers[i];
    // In whole numbers, so that what is equal is.
    double index = truePositives * counts.allNonMembers -
                   falsePositives * counts.allMembers;
    if (index > most) {
      most = index;
      best = thresholds[i] / 2 + thresholds[i + 1] / 2;
    }
  }
  return best;
}

std::vector<RocPoint> RankedScores::curve() const {
  Counts counts = countsOf({}, {});
  double truePositives = 0, falsePositives = 0;
  std::vector<RocPoint> points = {
      {0, 0, std::numeric_limits<double>::infinity()}};
  for (size_t i = 0; i < thresholds.size(); ++i) {
    falsePositives += counts.nonMembers[i];
    truePositives += counts.members[i];
    points.push_back({falsePositives / counts.allNonMembers,
                      truePositives / counts.allMembers, thresholds[i]});
  }
  return points;
}

AttackScores pooled(std::span<const AttackScores> runs) {
  AttackScores all;
  for (const AttackScores &run : runs) {
    all.members.insert(all.members.end(), run.members.begin(),
                       run.members.end());
    all.nonMembers.insert(all.nonMembers.end(), run.nonMembers.begin(),
                          run.nonMembers.end());
  }
  return all;
}

MeanDeviation meanDeviation(std::span<const double> values) {
  auto count = static_cast<double>(values.size());
  double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (double value : values)
    squares += (value - mean) * (value - mean);
  return {std::ssize(values), mean,
          values.size() < 2 ? nan : std::sqrt(squares / (count - 1))};
}

PerMetric<MeanDeviation> meanDeviation(std::span<const AttackMetrics> runs) {
  PerMetric<MeanDeviation> result;
  std::vector<double> values(runs.size());
  for (size_t metric = 0; metric < metricCount; ++metric) {
    for (size_t run = 0; run < runs.size(); ++run)
      values[run] = runs[run].values[metric];
    result.values[metric] = meanDeviation(values);
  }
  return result;
}

double quantile(std::span<const double> sorted, double rank) {
  double place = rank * double(sorted.size() - 1);
  auto below = static_cast<size_t>(place);
  size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] +
         (place - double(below)) * (sorted[above] - sorted[below]);
}

} // namespace tessera::runtime
