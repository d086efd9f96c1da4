//===- Rotary.cpp - Frequencies of rotary positions -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/Rotary.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <algorithm>
#include <cmath>
#include <numbers>

using namespace tessera;

/// theta^(-2i/dim) of each pair i.
static std::vector<float> getPlain(double theta, int64_t dim) {
  std::vector<float> frequencies;
  for (int64_t i = 0; i < dim; i += 2) {
    float exponent = static_cast<float>(i) / static_cast<float>(dim);
    frequencies.push_back(1.0F / std::pow(static_cast<float>(theta), exponent));
  }
  return frequencies;
}

/// Bloc97's rule for \p length tokens of a model made for \p capacity.
static double getDynamicTheta(const spec::Rotary &rotary, double length,
                              double capacity, double dim) {
  double longer = std::max(length, capacity) / capacity;
  double factor = rotary.factor();
  return rotary.theta() *
         std::pow(factor * longer - (factor - 1), dim / (dim - 2));
}

/// What turns seldom within the original length is slowed down, by \p rotary's
/// ramp between.
static void scaleLlama3(const spec::Rotary &rotary,
                        std::vector<float> &frequencies) {
  auto old = static_cast<float>(rotary.original_length());
  auto low = static_cast<float>(rotary.low_turns()),
       high = static_cast<float>(rotary.high_turns()),
       factor = static_cast<float>(rotary.factor());
  for (float &frequency : frequencies) {
    float wave = 2 * std::numbers::pi_v<float> / frequency;
    if (wave > old / low)
      frequency /= factor;
    else if (wave >= old / high) {
      float share = (old / wave - low) / (high - low);
      frequency = (1 - share) * frequency / factor + share * frequency;
    }
  }
}

/// Peng et al., arXiv 2309.00071, section 3.2.
static void scaleYarn(const spec::Rotary &rotary, int64_t dim,
                      std::vector<float> &frequencies) {
  auto pairWith = [&](double turns) {
    return static_cast<double>(dim) *
           std::log(static_cast<double>(rotary.original_length()) /
                    (turns * 2 * std::numbers::pi)) /
           (2 * std::log(rotary.theta()));
  };
  double low = pairWith(rotary.beta_fast()),
         high = pairWith(rotary.beta_slow());
  if (rotary.truncate()) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(dim - 1));
  if (low == high)
    high += 0.001;
  for (auto [i, frequency] : llvm::enumerate(frequencies)) {
    auto ramp = static_cast<float>(
        std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0));
    float slow = frequency / static_cast<float>(rotary.factor());
    frequency = slow * ramp + frequency * (1 - ramp);
  }
}

static double getYarnFactor(const spec::Rotary &rotary) {
  if (rotary.has_attention_factor())
    return rotary.attention_factor();
  auto scaled = [&](double scale) {
    return rotary.factor() <= 1 ? 1
                                : 0.1 * scale * std::log(rotary.factor()) + 1;
  };
  if (rotary.mscale() != 0 && rotary.mscale_all_dim() != 0)
    return scaled(rotary.mscale()) / scaled(rotary.mscale_all_dim());
  return scaled(1);
}

RotaryFrequencies
tessera::getRotaryFrequencies(const spec::Transformer &model) {
  const spec::Rotary &rotary = model.rotary();
  int64_t dim = model.head_dim();
  std::vector<float> frequencies = getPlain(rotary.theta(), dim);
  RotaryFrequencies result;
  switch (rotary.scaling()) {
  case spec::Rotary::NONE:
    break;
  case spec::Rotary::LINEAR:
    for (float &frequency : frequencies)
      frequency /= static_cast<float>(rotary.factor());
    break;
  case spec::Rotary::DYNAMIC:
    frequencies = getPlain(
        getDynamicTheta(rotary, static_cast<double>(model.sequence_length()),
                        static_cast<double>(model.position_capacity()),
                        static_cast<double>(dim)),
        dim);
    break;
  case spec::Rotary::LLAMA3:
    scaleLlama3(rotary, frequencies);
    break;
  case spec::Rotary::YARN:
    scaleYarn(rotary, dim, frequencies);
    result.factor = getYarnFactor(rotary);
    break;
  }
  result.frequencies.assign(frequencies.begin(), frequencies.end());
  return result;
}

bool tessera::readsRotary(const spec::Rotary &rotary, llvm::StringRef path) {
  bool isLlama3 = rotary.scaling() == spec::Rotary::LLAMA3,
       isYarn = rotary.scaling() == spec::Rotary::YARN;
  return llvm::StringSwitch<bool>(path)
      .Cases({"rotary", "rotary.theta", "rotary.scaling"}, true)
      .Case("rotary.factor", rotary.scaling() != spec::Rotary::NONE)
      .Case("rotary.original_length", isLlama3 || isYarn)
      .Cases({"rotary.low_turns", "rotary.high_turns"}, isLlama3)
      .Default(isYarn);
}
