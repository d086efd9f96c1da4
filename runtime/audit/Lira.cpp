//===- Lira.cpp - The likelihood-ratio attack -----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Lira.h"
#include <algorithm>
#include <cmath>
#include <numbers>

namespace tessera::runtime {

std::vector<double> logitConfidences(const Posteriors &posteriors,
                                     std::span<const int32_t> labels) {
  static constexpr double least = 1e-30;
  std::vector<double> result(posteriors.rows);
  for (int64_t i = 0; i < posteriors.rows; ++i) {
    std::vector<double> row = distribution(posteriors.row(i));
    double own = row[labels[i]], others = 0;
    row[labels[i]] = 0;
    for (double entry : row)
      others += entry;
    result[i] =
        std::log(std::max(own, least)) - std::log(std::max(others, least));
  }
  return result;
}

namespace {

/// Normal distributions of all nodes, of shadows with or without them.
struct Normals {
  std::vector<double> mean, variance;
};

} // namespace

/// Of the shadows for which isMember is \p wanted.
static Normals fit(const LiraShadows &shadows, bool wanted,
                   bool sharesVariance) {
  // Where all say the same, a density must still be finite.
  static constexpr double leastVariance = 1e-12;
  int64_t nodes = shadows.nodes;
  std::vector<double> count(nodes), sum(nodes), squares(nodes);
  auto visit = [&](auto body) {
    for (int64_t i = 0; i < shadows.shadows * nodes; ++i)
      if ((shadows.isMember[i] != 0) == wanted)
        body(i % nodes, shadows.confidence[i]);
  };
  double all = 0, total = 0, distances = 0, freedom = 0;
  visit([&](int64_t node, double x) {
    count[node] += 1, sum[node] += x;
    all += 1, total += x;
  });
  Normals normals{std::vector<double>(nodes), std::vector<double>(nodes)};
  for (int64_t node = 0; node < nodes; ++node)
    normals.mean[node] = count[node] > 0 ? sum[node] / count[node]
                         : all > 0       ? total / all
                                         : 0;
  visit([&](int64_t node, double x) {
    double distance = x - normals.mean[node];
    squares[node] += distance * distance;
  });
  for (int64_t node = 0; node < nodes; ++node) {
    distances += squares[node];
    freedom += std::max(count[node] - 1, 0.0);
  }
  double shared = freedom > 0 ? distances / freedom : 1;
  for (int64_t node = 0; node < nodes; ++node) {
    bool isOwn = !sharesVariance && count[node] > 1;
    double variance = isOwn ? squares[node] / (count[node] - 1) : shared;
    normals.variance[node] = std::max(variance, leastVariance);
  }
  return normals;
}

static double logDensity(const Normals &normals, int64_t node, double x) {
  double distance = x - normals.mean[node], variance = normals.variance[node];
  return -(distance * distance / variance +
           std::log(2 * std::numbers::pi * variance)) /
         2;
}

/// log P(Z < z) of the standard normal distribution.
static double logNormalBelow(double z) {
  if (z > -30)
    return std::log(std::erfc(-z / std::numbers::sqrt2) / 2);
  // The first terms of the asymptotic series, where erfc is too small.
  return -z * z / 2 - std::log(-z * std::sqrt(2 * std::numbers::pi)) +
         std::log1p(-1 / (z * z));
}

std::vector<double> liraScores(const LiraShadows &shadows,
                               std::span<const double> observed,
                               LiraSettings settings) {
  Normals out = fit(shadows, false, settings.sharesVariance);
  std::vector<double> scores(shadows.nodes);
  if (settings.form == LiraForm::Offline) {
    for (int64_t node = 0; node < shadows.nodes; ++node)
      scores[node] = logNormalBelow((observed[node] - out.mean[node]) /
                                    std::sqrt(out.variance[node]));
    return scores;
  }
  Normals in = fit(shadows, true, settings.sharesVariance);
  for (int64_t node = 0; node < shadows.nodes; ++node)
    scores[node] = logDensity(in, node, observed[node]) -
                   logDensity(out, node, observed[node]);
  return scores;
}

} // namespace tessera::runtime
