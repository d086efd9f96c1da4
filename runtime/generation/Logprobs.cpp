//===- Logprobs.cpp - How likely tokens were ------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/Logprobs.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace tessera::runtime {

TokenLogprobs logprobsOf(std::span<const float> logits, int32_t chosen,
                         int64_t count) {
  double best = *std::max_element(logits.begin(), logits.end()), sum = 0;
  for (float logit : logits)
    sum += std::exp(logit - best);
  double logSum = best + std::log(sum);
  auto of = [&](int32_t token) {
    return Logprob{token, static_cast<float>(logits[token] - logSum)};
  };
  TokenLogprobs result{of(chosen), {}};
  std::vector<int32_t> tokens(logits.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  auto end =
      tokens.begin() + std::min(count, static_cast<int64_t>(tokens.size()));
  std::partial_sort(
      tokens.begin(), end, tokens.end(), [&](int32_t a, int32_t b) {
        return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
      });
  std::transform(tokens.begin(), end, std::back_inserter(result.likeliest), of);
  return result;
}

} // namespace tessera::runtime
