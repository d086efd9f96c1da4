//===- SamplerTest.cpp - Probabilities and draws of tokens ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/Sampler.h"
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

using namespace tessera::runtime;
using Json = nlohmann::json;

namespace {

/// What test/golden/generate_sampling.py has written.
const Json &golden() {
  static const Json golden =
      Json::parse(std::ifstream(GOLDEN_FOLDER "/sampling.json"));
  return golden;
}

std::vector<float> logitsOf(const Json &test) {
  std::vector<float> logits;
  for (const Json &value :
       golden().at("logits").at(test.at("logits").get<std::string>()))
    logits.push_back(value.is_null() ? -INFINITY : value.get<float>());
  return logits;
}

SamplingSettings settingsOf(const Json &test) {
  const Json &given = test.at("settings");
  SamplingSettings settings;
  bool draws = given.value("do_sample", true);
  settings.temperature = draws ? given.value("temperature", 1.0f) : 0;
  settings.topK = given.value("top_k", 0);
  settings.topP = given.value("top_p", 1.0);
  settings.minP = given.value("min_p", 0.0);
  settings.repetitionPenalty = given.value("repetition_penalty", 1.0f);
  settings.seed = 5;
  return settings;
}

std::map<int32_t, double> probabilitiesOf(const Json &test) {
  std::map<int32_t, double> probabilities;
  for (const auto &[token, value] : test.at("probabilities").items())
    probabilities[std::stoi(token)] = value;
  return probabilities;
}

std::string nameOf(const Json &test) {
  return test.at("logits").get<std::string>() + ": " +
         test.at("name").get<std::string>();
}

std::vector<int32_t> text() { return golden().at("text"); }

/// The probability that chi-square with \p freedom degrees is at least
/// \p value, by Wilson and Hilferty's normal approximation.
double tail(double value, double freedom) {
  double cube = std::cbrt(value / freedom), part = 2 / (9 * freedom);
  return 0.5 * std::erfc((cube - (1 - part)) / std::sqrt(2 * part));
}

TEST(Sampler, HasTransformersProbabilities) {
  for (const Json &test : golden().at("cases")) {
    std::vector<float> logits = logitsOf(test);
    Sampler sampler(settingsOf(test), static_cast<int64_t>(logits.size()));
    std::map<int32_t, double> expected = probabilitiesOf(test);
    auto found = sampler.candidates(logits.data(), text());
    EXPECT_EQ(found.size(), expected.size()) << nameOf(test);
    for (const Sampler::Candidate &candidate : found)
      EXPECT_NEAR(candidate.probability, expected[candidate.token], 1e-6)
          << nameOf(test) << ", token " << candidate.token;
  }
}

TEST(Sampler, DrawsByTransformersProbabilities) {
  constexpr int draws = 8000;
  double least = 1;
  for (const Json &test : golden().at("cases")) {
    std::vector<float> logits = logitsOf(test);
    Sampler sampler(settingsOf(test), static_cast<int64_t>(logits.size()));
    std::map<int32_t, double> expected = probabilitiesOf(test);
    std::map<int32_t, int> counts;
    for (uint32_t i = 0; i < draws; ++i)
      ++counts[sampler.choose(logits.data(), text(), {i % 100, i / 100})];
    // Tokens that are rare count as one.
    double statistic = 0, rare = 0, rareCount = 0;
    int classes = 0;
    auto add = [&](double count, double wanted) {
      statistic += (count - wanted) * (count - wanted) / wanted;
      ++classes;
    };
    for (const auto &[token, probability] : expected) {
      if (probability * draws >= 10) {
        add(counts[token], probability * draws);
      } else {
        rare += probability * draws;
        rareCount += counts[token];
      }
      counts.erase(token);
    }
    for (const auto &[token, count] : counts)
      EXPECT_EQ(count, 0) << nameOf(test) << ", token " << token;
    if (rare >= 10)
      add(rareCount, rare);
    if (classes > 1)
      least = std::min(least, tail(statistic, classes - 1));
  }
  // Of some 60 cases.
  EXPECT_GT(least, 1e-4);
}

TEST(Sampler, DrawsBySeedTextAndPlace) {
  std::vector<float> logits(50);
  SamplingSettings settings{.temperature = 1, .seed = 1};
  std::vector<int32_t> before(3);
  auto draw = [&](TextNumber number) {
    // Another sampler, and one that has drawn before.
    Sampler sampler(settings, 50);
    sampler.choose(logits.data(), {}, {7, 7});
    int32_t token = sampler.choose(logits.data(), before, number);
    EXPECT_EQ(Sampler(settings, 50).choose(logits.data(), before, number),
              token);
    return token;
  };
  std::map<int32_t, int> counts;
  for (uint32_t i = 0; i < 100; ++i) {
    ++counts[draw({i, 0})];
    ++counts[draw({0, i + 1})];
    before.resize(3 + i);
    ++counts[draw({0, 0})];
    before.resize(3);
    settings.seed = i + 2;
    ++counts[draw({0, 0})];
    settings.seed = 1;
  }
  for (const auto &[token, count] : counts)
    EXPECT_LT(count, 30) << token;
}

TEST(Sampler, TakesTheFirstOfEqualOnesAtTemperature0) {
  std::vector<float> logits = {1, 3, 2, 3};
  Sampler sampler({.topK = 2, .seed = 9}, 4);
  EXPECT_EQ(sampler.choose(logits.data(), {}, {}), 1);
  // At low temperatures the others have no probability that fp32 can hold.
  logits[3] = 2.9f;
  Sampler cold({.temperature = 1e-4f}, 4);
  EXPECT_EQ(cold.choose(logits.data(), {}, {}), 1);
}

TEST(Sampler, OfEqualTokensLowerIdsGoFirst) {
  std::vector<float> logits(8);
  Sampler sampler({.temperature = 1, .topP = 0.5}, 8);
  auto kept = sampler.candidates(logits.data(), {});
  ASSERT_EQ(kept.size(), 4u);
  EXPECT_EQ(kept.front().token, 4);
  EXPECT_EQ(kept.back().probability, 0.25f);
  // One stays, also where it is as likely as all others.
  for (int64_t count = 1; count < 60; ++count) {
    logits.assign(count, 0);
    Sampler least({.temperature = 1, .topP = 0}, count);
    EXPECT_EQ(least.choose(logits.data(), {}, {}), count - 1);
  }
}

TEST(SamplerDeathTest, RefusesWhatIsNoNumber) {
  std::vector<float> logits = {0, NAN, 1};
  Sampler sampler({}, 3);
  auto fails = [&](const char *message) {
    EXPECT_EXIT(sampler.choose(logits.data(), {}, {}),
                testing::ExitedWithCode(1), message);
  };
  fails("the model's logit of token 1 is nan");
  logits[1] = INFINITY;
  fails("the model's logit of token 1 is inf");
  logits = {-INFINITY, -INFINITY, -INFINITY};
  fails("the model's logits are all -inf");
}

} // namespace
