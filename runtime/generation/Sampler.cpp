//===- Sampler.cpp - Which token follows ----------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/Sampler.h"
#include "runtime/core/Error.h"
#include "runtime/core/Random.h"
#include <algorithm>
#include <cmath>
#include <functional>

namespace tessera::runtime {

Sampler::Sampler(const SamplingSettings &settings, int64_t vocabulary)
    : settings(settings), vocabulary(vocabulary),
      isSeen(static_cast<size_t>(vocabulary)) {}

/// The logits, where tokens of \p text are less likely.
const float *Sampler::penalize(const float *logits,
                               std::span<const int32_t> text) {
  float penalty = settings.repetitionPenalty;
  if (penalty == 1)
    return logits;
  scores.assign(logits, logits + vocabulary);
  for (int32_t token : text) {
    float &score = scores[token];
    if (!isSeen[token])
      score = score < 0 ? score * penalty : score / penalty;
    isSeen[token] = true;
  }
  for (int32_t token : text)
    isSeen[token] = false;
  return scores.data();
}

/// The candidates, those of top-k, with their scores.
void Sampler::keepMostLikely(const float *scores, float best) {
  float least = -INFINITY, temperature = settings.temperature;
  if (settings.topK > 0 && settings.topK < vocabulary) {
    largest.resize(static_cast<size_t>(settings.topK));
    std::partial_sort_copy(scores, scores + vocabulary, largest.begin(),
                           largest.end(), std::greater<float>());
    // Division keeps the order, though it may make equals.
    least = largest.back() / temperature;
  }
  kept.clear();
  for (int32_t token = 0; token < vocabulary; ++token)
    if (float score = scores[token] / temperature;
        score >= least && score > -INFINITY)
      kept.push_back({token, score, std::exp(score - best)});
  normalize();
}

/// Makes the sum of all probabilities 1. They may be any multiple of theirs.
void Sampler::normalize() {
  double sum = 0;
  for (const Candidate &candidate : kept)
    sum += candidate.probability;
  for (Candidate &candidate : kept)
    candidate.probability = static_cast<float>(candidate.probability / sum);
}

void Sampler::keepTopP() {
  if (settings.topP >= 1)
    return;
  auto isBelow = [](const Candidate &a, const Candidate &b) {
    return a.score != b.score ? a.score < b.score : a.token < b.token;
  };
  // Those below half a mean share of what goes go all together: most of a large
  // vocabulary, without a look at their order.
  double share = (1 - settings.topP) / double(2 * kept.size()), below = 0;
  order.clear();
  for (const Candidate &candidate : kept) {
    if (candidate.probability < share)
      below += candidate.probability;
    else
      order.push_back(candidate);
  }
  // Those before begin go, too, whose probabilities are in below; those from
  // end on stay. In between the half decides that has the unlikelier ones.
  auto begin = order.begin(), end = order.end() - 1;
  auto most = static_cast<float>(1 - settings.topP);
  while (begin < end) {
    auto middle = begin + (end - begin) / 2;
    std::nth_element(begin, middle, end + 1, isBelow);
    double sum = below;
    for (auto candidate = begin; candidate <= middle; ++candidate)
      sum += candidate->probability;
    if (static_cast<float>(sum) <= most) {
      below = sum;
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  std::erase_if(kept, [&](const Candidate &candidate) {
    return isBelow(candidate, *begin);
  });
  normalize();
}

void Sampler::keepMinP() {
  if (settings.minP <= 0)
    return;
  float most = 0;
  for (const Candidate &candidate : kept)
    most = std::max(most, candidate.probability);
  float least = static_cast<float>(settings.minP) * most;
  std::erase_if(kept, [&](const Candidate &candidate) {
    return candidate.probability < least;
  });
  normalize();
}

/// The largest of \p scores; positive infinity where one of them is no number
/// below it. Vectors of a CPU take several side by side.
static float largestOf(std::span<const float> scores) {
  constexpr size_t width = 16;
  float largest[width];
  std::fill_n(largest, width, -INFINITY);
  size_t whole = scores.size() / width * width;
  auto take = [&](size_t lane, float score) {
    float number = score < INFINITY ? score : INFINITY;
    largest[lane] = number > largest[lane] ? number : largest[lane];
  };
  for (size_t first = 0; first < whole; first += width)
    for (size_t lane = 0; lane < width; ++lane)
      take(lane, scores[first + lane]);
  for (size_t i = whole; i < scores.size(); ++i)
    take(0, scores[i]);
  return *std::max_element(largest, largest + width);
}

std::span<const Sampler::Candidate>
Sampler::candidates(const float *logits, std::span<const int32_t> text) {
  const float *scores = penalize(logits, text);
  float best = largestOf({scores, static_cast<size_t>(vocabulary)});
  if (!(best < INFINITY)) {
    const float *wrong =
        std::find_if_not(scores, scores + vocabulary,
                         [](float score) { return score < INFINITY; });
    fatal("the model's logit of token %d is %g: its weights have numbers "
          "that are no use, or too large ones for the model's type",
          static_cast<int>(wrong - scores), double(*wrong));
  }
  auto likeliest = static_cast<int32_t>(
      std::find(scores, scores + vocabulary, best) - scores);
  if (best == -INFINITY)
    fatal("the model's logits are all -inf: its weights have numbers that are "
          "no use");
  if (settings.temperature == 0) {
    kept = {{likeliest, best, 1}};
    return kept;
  }
  keepMostLikely(scores, best / settings.temperature);
  keepTopP();
  keepMinP();
  return kept;
}

int32_t Sampler::choose(const float *logits, std::span<const int32_t> text,
                        TextNumber number) {
  std::span<const Candidate> from = candidates(logits, text);
  if (from.size() == 1)
    return from.front().token;
  uint64_t place = uint64_t(number.prompt) << 32 | uint32_t(text.size());
  double total = 0;
  for (const Candidate &candidate : from)
    total += candidate.probability;
  double left = total * uniformBlock(settings.seed, RandomUse::Sampling,
                                     number.sample, place)[0];
  for (const Candidate &candidate : from) {
    left -= candidate.probability;
    if (left < 0)
      return candidate.token;
  }
  return from.back().token;
}

} // namespace tessera::runtime
