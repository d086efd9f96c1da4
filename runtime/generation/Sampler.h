//===- Sampler.h - Which token follows --------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Logits become probabilities in the order and by the rules of the logits
// processors of transformers 5 (generation/logits_process.py), in fp32:
// repetition penalty, temperature, top-k, top-p, min-p, softmax.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_GENERATION_SAMPLER_H
#define TESSERA_RUNTIME_GENERATION_SAMPLER_H

#include <cstdint>
#include <span>
#include <vector>

namespace tessera::runtime {

struct SamplingSettings {
  /// What logits are divided by; 0: the likeliest token is taken, the first of
  /// equal ones, and the filters below change nothing.
  float temperature = 0;
  /// Tokens below the k-th likeliest go, its equals stay; 0: none goes.
  int64_t topK = 0;
  /// The unlikeliest tokens go while their sum is at most 1 - topP, so the one
  /// that crosses topP stays; of equal tokens lower ids go first. In [0, 1].
  double topP = 1;
  /// Tokens less likely than this share of the likeliest go. In [0, 1].
  double minP = 0;
  /// Logits of tokens that the text has are divided by it where they are
  /// positive, else multiplied, once each. Above 0.
  float repetitionPenalty = 1;
  uint64_t seed = 0;
};

/// Which text a token is drawn for.
struct TextNumber {
  uint32_t prompt = 0, sample = 0;
};

class Sampler {
public:
  /// A token that may follow, and its probability.
  struct Candidate {
    int32_t token;
    float score;       ///< its logit behind penalty and temperature
    float probability; ///< those of all candidates sum to 1
  };

  Sampler(const SamplingSettings &settings, int64_t vocabulary);

  /// The token after the tokens \p text, whose logits are \p logits. What is
  /// drawn depends on these, the settings, \p number and the length of the text
  /// alone. Exits the process where a logit is NaN or positive infinity.
  int32_t choose(const float *logits, std::span<const int32_t> text,
                 TextNumber number);

  /// The tokens that may follow, by their ids; valid until the next call.
  std::span<const Candidate> candidates(const float *logits,
                                        std::span<const int32_t> text);

private:
  const float *penalize(const float *logits, std::span<const int32_t> text);
  void keepMostLikely(const float *scores, float best);
  void keepTopP();
  void keepMinP();
  void normalize();

  SamplingSettings settings;
  int64_t vocabulary;
  std::vector<Candidate> kept, order;
  std::vector<float> scores, largest;
  std::vector<bool> isSeen;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_GENERATION_SAMPLER_H
