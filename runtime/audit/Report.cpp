//===- Report.cpp - What an audit finds -----------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Report.h"
#include "runtime/files/Sha256.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

namespace tessera::runtime {

static constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Without points that a chart with logarithmic axes would put on the one
/// before; the ends stay.
static std::vector<RocPoint> thinned(const std::vector<RocPoint> &points) {
  static constexpr double least = 0.004; // of a decade
  auto isApart = [](double x, double y) {
    return x > 0 && y > 0 ? std::abs(std::log10(x / y)) >= least : x != y;
  };
  std::vector<RocPoint> kept;
  for (const RocPoint &point : points)
    if (kept.empty() || &point == &points.back() ||
        isApart(point.falsePositiveRate, kept.back().falsePositiveRate) ||
        isApart(point.truePositiveRate, kept.back().truePositiveRate))
      kept.push_back(point);
  return kept;
}

/// Of \p scores from their least to their largest, or from 0 to 1 where they
/// are within.
static Histogram histogramOf(const AttackScores &scores) {
  static constexpr size_t bins = 40;
  Histogram result{0, 1, std::vector<double>(bins), std::vector<double>(bins)};
  for (const std::vector<double> *list : {&scores.members, &scores.nonMembers})
    for (double score : *list)
      if (std::isfinite(score)) {
        result.low = std::min(result.low, score);
        result.high = std::max(result.high, score);
      }
  auto count = [&](const std::vector<double> &list,
                   std::vector<double> &shares) {
    for (double score : list) {
      if (!std::isfinite(score))
        continue;
      double place = (score - result.low) / (result.high - result.low);
      size_t bin = std::min(bins - 1, static_cast<size_t>(place * bins));
      shares[bin] += 1 / double(list.size());
    }
  };
  count(scores.members, result.members);
  count(scores.nonMembers, result.nonMembers);
  return result;
}

AttackResult summarize(std::string name, std::span<const AttackScores> runs,
                       const BootstrapSettings &settings,
                       std::span<const double> labelThresholds) {
  AttackResult result;
  result.name = std::move(name);
  std::vector<RankedScores> ranked;
  for (size_t run = 0; run < runs.size(); ++run) {
    ranked.push_back(labelThresholds.empty()
                         ? runs[run].ranked()
                         : runs[run].ranked(labelThresholds[run]));
    result.runs.push_back(ranked.back().metrics());
    result.isInformative &= ranked.back().isInformative();
  }
  result.summary = meanDeviation(result.runs);
  result.intervals = bootstrap(ranked, settings);
  AttackScores all = pooled(runs);
  RankedScores together[] = {all.ranked()};
  result.curve = thinned(together[0].curve());
  result.histogram = histogramOf(all);
  if (runs.size() == 1)
    return result;
  AttackMetrics metrics = together[0].metrics();
  PerMetric<Interval> intervals;
  for (Metric metric : {Metric::TprAt1Percent, Metric::TprAt01Percent}) {
    if (!std::isnan(result.summary[metric].mean) || std::isnan(metrics[metric]))
      continue;
    if (!result.isPooled[Metric::TprAt1Percent])
      intervals = bootstrap(together, settings);
    result.isPooled[metric] = true;
    result.summary[metric] = {1, metrics[metric], nan};
    result.intervals[metric] = intervals[metric];
  }
  return result;
}

static std::string groupName(GroupBy by, int64_t key) {
  char text[40];
  switch (by) {
  case GroupBy::NodeClass:
    return std::to_string(key);
  case GroupBy::Degree:
    return key <= 2
               ? std::to_string(key)
               : std::to_string(key / 2 + 1) + " to " + std::to_string(key);
  case GroupBy::Homophily:
    if (key == homophilyGroup(nan))
      return "no neighbors";
    snprintf(text, sizeof text, "%.1f to %.1f", double(key) / 5,
             double(key + 1) / 5);
    return text;
  }
  return "";
}

Analysis analyze(GroupBy by, std::span<const AttackScores> runs,
                 std::span<const NodeKeys> keys) {
  struct Sum {
    int64_t members = 0, nonMembers = 0;
    double wins = 0, pairs = 0;
  };
  std::map<int64_t, Sum> sums;
  Sum all;
  for (size_t run = 0; run < runs.size(); ++run)
    for (const WithinKeys::Each &each :
         aurocWithin(runs[run], keys[run].members, keys[run].nonMembers).keys) {
      Sum &sum = sums[each.key];
      sum.members += each.members;
      sum.nonMembers += each.nonMembers;
      double pairs = double(each.members) * double(each.nonMembers);
      for (Sum *total : {&sum, &all}) {
        total->wins += pairs > 0 ? pairs * each.auroc : 0;
        total->pairs += pairs;
      }
    }
  auto auroc = [](const Sum &sum) {
    return sum.pairs > 0 ? sum.wins / sum.pairs : nan;
  };
  static constexpr const char *names[] = {"class", "degree", "homophily"};
  Analysis analysis{names[static_cast<size_t>(by)], auroc(all), {}};
  for (const auto &[key, sum] : sums)
    analysis.groups.push_back(
        {groupName(by, key), sum.members, sum.nonMembers, auroc(sum)});
  return analysis;
}

std::string splitHash(std::span<const AuditSplit> splits) {
  Sha256 hash;
  for (const AuditSplit &split : splits)
    for (const std::vector<int32_t> *list :
         {&split.targetTrain, &split.targetTest, &split.shadowTrain,
          &split.shadowTest}) {
      for (int32_t node : *list)
        hash.add(std::to_string(node) + " ");
      hash.add("\n");
    }
  return hash.finish();
}

std::string describe(const ThreatModel &model) {
  if (model.setting == "DOCUMENTS")
    return "The attacker has documents and sees the probabilities that the "
           "trained model gives their tokens, but no parameters, gradients or "
           "training steps. Members are documents that it was trained on, "
           "non-members others; nothing but the model's probabilities" +
           std::string(model.hasReference
                           ? " and those of a reference model that was trained "
                             "on none of them"
                           : "") +
           " tells them apart, unless the two differ in kind.";
  std::string text = "The attacker asks the trained model for nodes and sees ";
  text += model.input == "label_only" ? "the predicted class"
          : model.input == "top_k"    ? "the largest posteriors, without "
                                        "their classes"
          : model.input == "sorted"   ? "the posteriors, without their classes"
                                      : "the posteriors of all classes";
  text += " of each, but no parameters, gradients or training steps (black "
          "box). ";
  if (model.setting == "TSTS")
    text += "Members are asked for on the subgraph that the model was trained "
            "on, non-members on a subgraph of their own (TSTS). ";
  else if (model.query == "REFERENCE")
    text += "Members are asked for on the subgraph that the model was trained "
            "on, non-members on the whole graph (TSTF, REFERENCE): an attack "
            "may succeed by telling the two graphs. ";
  else
    text += "The model was trained on a subgraph; members and non-members are "
            "both asked for on the whole graph (TSTF, MATCHED). ";
  if (model.shadow.empty())
    text += "The attacker knows the model's architecture and how it was "
            "trained, and has ";
  else
    text += "The attacker takes a " + model.shadow +
            " model of a specification of its own for the target's, and has ";
  text += model.hasShadowGraph
              ? "another graph with labels"
              : "other labelled nodes of the same graph, none of which the "
                "target was trained or tested on";
  text += model.attack == "LIRA"
              ? ", on which shadow models are trained with and without a node."
              : ", on which a shadow model is trained, whose members and "
                "non-members the attack learns from.";
  return text;
}

} // namespace tessera::runtime
