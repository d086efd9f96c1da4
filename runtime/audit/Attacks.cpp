//===- Attacks.cpp - Attacks and baselines without training ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Attacks.h"
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

namespace tessera::runtime {

const char *attackName(ScoreAttack attack) {
  switch (attack) {
  case ScoreAttack::Confidence:
    return "confidence";
  case ScoreAttack::Entropy:
    return "entropy";
  case ScoreAttack::Loss:
    return "loss";
  case ScoreAttack::ModifiedEntropy:
    return "modified_entropy";
  }
  return "";
}

static double logarithm(double probability) {
  static constexpr double least = 1e-30;
  return std::log(std::max(probability, least));
}

static double scoreOf(ScoreAttack attack, const std::vector<double> &row,
                      int32_t label) {
  double score = 0;
  switch (attack) {
  case ScoreAttack::Confidence:
    return *std::max_element(row.begin(), row.end());
  case ScoreAttack::Entropy:
    for (double p : row)
      score += p * logarithm(p);
    return score;
  case ScoreAttack::Loss:
    return logarithm(row[label]);
  case ScoreAttack::ModifiedEntropy:
    for (double p : row)
      score += p * logarithm(1 - p);
    score -= row[label] * logarithm(1 - row[label]);
    return score + (1 - row[label]) * logarithm(row[label]);
  }
  return score;
}

std::vector<double> attackScores(ScoreAttack attack,
                                 const Posteriors &posteriors,
                                 std::span<const int32_t> labels) {
  std::vector<double> scores(posteriors.rows);
  for (int64_t i = 0; i < posteriors.rows; ++i)
    scores[i] = scoreOf(attack, distribution(posteriors.row(i)), labels[i]);
  return scores;
}

/// The smoothed share of members at each of \p keys, where \p weight(key,
/// other) says how much the shadow's nodes with the key other count.
template <typename Weight>
static std::vector<double> memberShares(Keys shadowMembers,
                                        Keys shadowNonMembers, Keys keys,
                                        Weight weight) {
  std::map<int64_t, std::pair<double, double>> counts;
  for (int64_t key : shadowMembers)
    ++counts[key].first;
  for (int64_t key : shadowNonMembers)
    ++counts[key].second;
  std::map<int64_t, double> shares;
  std::vector<double> result;
  result.reserve(keys.size());
  for (int64_t key : keys) {
    auto [share, isNew] = shares.try_emplace(key);
    if (isNew) {
      double members = 1, all = 2;
      for (const auto &[other, count] : counts) {
        double times = weight(key, other);
        members += times * count.first;
        all += times * (count.first + count.second);
      }
      share->second = members / all;
    }
    result.push_back(share->second);
  }
  return result;
}

std::vector<double> classScores(Keys shadowMembers, Keys shadowNonMembers,
                                Keys keys) {
  return memberShares(
      shadowMembers, shadowNonMembers, keys,
      [](int64_t key, int64_t other) { return key == other ? 1.0 : 0.0; });
}

std::vector<double> degreeScores(Keys shadowMembers, Keys shadowNonMembers,
                                 Keys keys) {
  static constexpr double width = 0.1;
  return memberShares(shadowMembers, shadowNonMembers, keys,
                      [](int64_t key, int64_t other) {
                        double ratio = double(1 + key) / double(1 + other);
                        return std::exp(-std::abs(std::log(ratio)) / width);
                      });
}

WithinKeys aurocWithin(const AttackScores &scores, Keys memberKeys,
                       Keys nonMemberKeys) {
  static constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  std::map<int64_t, AttackScores> groups;
  for (size_t i = 0; i < memberKeys.size(); ++i)
    groups[memberKeys[i]].members.push_back(scores.members[i]);
  for (size_t i = 0; i < nonMemberKeys.size(); ++i)
    groups[nonMemberKeys[i]].nonMembers.push_back(scores.nonMembers[i]);
  WithinKeys result;
  double wins = 0, pairs = 0;
  for (const auto &[key, group] : groups) {
    auto count = double(group.members.size()) * double(group.nonMembers.size());
    double auroc = count > 0 ? group.ranked().auroc() : nan;
    result.keys.push_back(
        {key, std::ssize(group.members), std::ssize(group.nonMembers), auroc});
    if (count > 0)
      wins += count * auroc;
    pairs += count;
  }
  result.auroc = pairs > 0 ? wins / pairs : nan;
  return result;
}

int64_t degreeGroup(int64_t degree) {
  int64_t most = degree > 0;
  while (most < degree)
    most *= 2;
  return most;
}

int64_t homophilyGroup(double share) {
  static constexpr int64_t groups = 5;
  if (std::isnan(share))
    return groups;
  return std::min(groups - 1, static_cast<int64_t>(share * groups));
}

int64_t attackWidth(AttackInput input, int64_t classes, int64_t top) {
  return input == AttackInput::TopK ? std::min(top, classes) : classes;
}

std::vector<float> attackFeatures(AttackInput input,
                                  const Posteriors &posteriors, int64_t top,
                                  int64_t columns) {
  int64_t width = attackWidth(input, posteriors.classes, top);
  std::vector<float> features;
  int64_t zeros = std::max(columns - width, int64_t(0));
  features.reserve(posteriors.rows * (width + zeros));
  for (int64_t i = 0; i < posteriors.rows; ++i) {
    std::span<const float> row = posteriors.row(i);
    std::vector<float> entries(row.begin(), row.end());
    if (input == AttackInput::LabelOnly) {
      std::fill(entries.begin(), entries.end(), 0.0f);
      entries[predictedClass(row)] = 1;
    } else if (input != AttackInput::Posteriors) {
      std::sort(entries.begin(), entries.end(), std::greater<>());
    }
    features.insert(features.end(), entries.begin(), entries.begin() + width);
    features.insert(features.end(), zeros, 0.0f);
  }
  return features;
}

std::vector<double> memberScores(std::span<const float> logits) {
  std::vector<double> scores;
  scores.reserve(logits.size() / 2);
  for (size_t i = 0; i + 1 < logits.size(); i += 2) {
    double odds = double(logits[i + 1]) - logits[i];
    scores.push_back(0.5 + odds / (2 + 2 * std::abs(odds)));
  }
  return scores;
}

Standardization Standardization::of(std::span<const float> features,
                                    int64_t columns) {
  Standardization result{std::vector<double>(columns),
                         std::vector<double>(columns)};
  double rows = double(features.size()) / double(columns);
  for (size_t i = 0; i < features.size(); ++i)
    result.mean[i % columns] += features[i] / rows;
  for (size_t i = 0; i < features.size(); ++i) {
    double distance = features[i] - result.mean[i % columns];
    result.deviation[i % columns] += distance * distance / rows;
  }
  for (int64_t j = 0; j < columns; ++j) {
    // A mean is rounded: the deviation of a constant column need not be 0.
    double noise = 1e-12 * std::abs(result.mean[j]);
    double deviation = std::sqrt(result.deviation[j]);
    result.deviation[j] = deviation > noise ? deviation : 0;
  }
  return result;
}

void Standardization::apply(std::span<float> features) const {
  size_t columns = mean.size();
  for (size_t i = 0; i < features.size(); ++i) {
    double spread = deviation[i % columns];
    features[i] =
        spread > 0
            ? static_cast<float>((features[i] - mean[i % columns]) / spread)
            : 0.0f;
  }
}

} // namespace tessera::runtime
