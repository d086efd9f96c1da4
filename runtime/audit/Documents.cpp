//===- Documents.cpp - Attacks on models of text --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Documents.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace tessera::runtime {

double lossScore(const DocumentLikelihood &document) {
  const std::vector<float> &tokens = document.logProbability;
  return std::accumulate(tokens.begin(), tokens.end(), 0.0) /
         double(tokens.size());
}

double compressionScore(const DocumentLikelihood &document,
                        int64_t compressedBytes) {
  return lossScore(document) / double(compressedBytes);
}

/// The mean of the \p share of \p values that are lowest.
static double lowestMean(std::vector<double> values, double share) {
  auto count =
      std::clamp<int64_t>(static_cast<int64_t>(share * double(values.size())),
                          1, std::ssize(values));
  std::nth_element(values.begin(), values.begin() + count - 1, values.end());
  // In one order, whatever nth_element leaves.
  std::sort(values.begin(), values.begin() + count);
  return std::accumulate(values.begin(), values.begin() + count, 0.0) /
         double(count);
}

double minKScore(const DocumentLikelihood &document, double share) {
  return lowestMean(
      {document.logProbability.begin(), document.logProbability.end()}, share);
}

double minKPlusPlusScore(const DocumentLikelihood &document, double share) {
  std::vector<double> values(document.logProbability.size());
  for (size_t i = 0; i < values.size(); ++i) {
    double distance = double(document.logProbability[i]) - document.mean[i];
    values[i] =
        document.deviation[i] > 0 ? distance / document.deviation[i] : 0;
  }
  return lowestMean(std::move(values), share);
}

double referenceScore(const DocumentLikelihood &document,
                      const DocumentLikelihood &reference) {
  return lossScore(document) - lossScore(reference);
}

TokenMoments tokenMoments(std::span<const float> logits) {
  double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0, first = 0, second = 0;
  for (float logit : logits) {
    double distance = logit - largest, power = std::exp(distance);
    sum += power;
    // What has no probability has no part, whatever its logarithm.
    if (power > 0) {
      first += power * distance;
      second += power * distance * distance;
    }
  }
  first /= sum;
  double variance = second / sum - first * first;
  return {first - std::log(sum), std::sqrt(std::max(0.0, variance))};
}

} // namespace tessera::runtime
