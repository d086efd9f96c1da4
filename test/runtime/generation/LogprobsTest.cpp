//===- LogprobsTest.cpp - How likely tokens were --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/Logprobs.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace tessera::runtime;

TEST(Logprobs, AreThoseOfTheSoftmax) {
  std::vector<float> logits = {1000, 999, 1000, 990};
  TokenLogprobs found = logprobsOf(logits, 1, 3);
  double sum = 2 + std::exp(-1.0) + std::exp(-10.0);
  EXPECT_EQ(found.chosen.token, 1);
  EXPECT_NEAR(found.chosen.value, -1 - std::log(sum), 1e-6);
  ASSERT_EQ(found.likeliest.size(), 3u);
  EXPECT_EQ(found.likeliest[0].token, 0);
  EXPECT_EQ(found.likeliest[1].token, 2);
  EXPECT_EQ(found.likeliest[2].token, 1);
  EXPECT_NEAR(found.likeliest[0].value, -std::log(sum), 1e-6);
  EXPECT_TRUE(logprobsOf(logits, 0, 0).likeliest.empty());
  EXPECT_EQ(logprobsOf(logits, 0, 9).likeliest.size(), 4u);
}
