//===- Logprobs.h - How likely tokens were ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_GENERATION_LOGPROBS_H
#define TESSERA_RUNTIME_GENERATION_LOGPROBS_H

#include <cstdint>
#include <span>
#include <vector>

namespace tessera::runtime {

/// A token and the natural logarithm of its probability.
struct Logprob {
  int32_t token;
  float value;
};

/// A token of a text, and those that were likeliest at its place.
struct TokenLogprobs {
  Logprob chosen;
  std::vector<Logprob> likeliest; ///< lower ids first among equals
};

/// By the softmax of \p logits in fp64, the model's own: no filter counts. The
/// \p count likeliest, at most as many as there are.
TokenLogprobs logprobsOf(std::span<const float> logits, int32_t chosen,
                         int64_t count);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_GENERATION_LOGPROBS_H
