//===- RandomTest.cpp - Tests of the random numbers -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Random.h"
#include <cmath>
#include <gtest/gtest.h>
#include <set>
#include <vector>

using namespace tessera::runtime;

// Known answers of the reference implementation (Random123's kat_vectors).
TEST(Philox, GivesTheKnownAnswers) {
  using Words = std::array<uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                   {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                   {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(FillRandom, ShardsAreAlikeWhereverTheyAreCut) {
  std::vector<float> whole(1000), part(1000);
  fillRandom(whole.data(), 0, 1000, 42, 3, true, 0.5);
  for (int64_t cut : {1, 4, 250, 333, 997}) {
    fillRandom(part.data(), 0, cut, 42, 3, true, 0.5);
    fillRandom(part.data() + cut, cut, 1000, 42, 3, true, 0.5);
    EXPECT_EQ(part, whole) << cut;
  }
}

TEST(FillRandom, NormalHasItsMoments) {
  constexpr int64_t n = 1 << 20;
  std::vector<float> values(n);
  fillRandom(values.data(), 0, n, 1, 0, true, 2.0);
  double mean = 0, square = 0, fourth = 0;
  for (float value : values) {
    mean += value / double(n);
    square += value * double(value) / n;
    fourth += std::pow(double(value), 4) / n;
  }
  EXPECT_NEAR(mean, 0, 5 * 2.0 / 1024);
  EXPECT_NEAR(square, 4, 5 * 4 * std::sqrt(2.0) / 1024);
  EXPECT_NEAR(fourth / (square * square), 3, 0.05);
}

TEST(FillRandom, UniformStaysWithinItsBound) {
  constexpr int64_t n = 1 << 18;
  std::vector<float> values(n);
  fillRandom(values.data(), 0, n, 1, 0, false, 0.25);
  double square = 0;
  for (float value : values) {
    ASSERT_LE(std::fabs(value), 0.25f);
    square += value * double(value) / n;
  }
  EXPECT_NEAR(square, 0.0625 / 3, 1e-4);
}

TEST(FillRandom, DependsOnSeedAndParameter) {
  float a[4], b[4], c[4];
  fillRandom(a, 0, 4, 1, 0, true, 1);
  fillRandom(b, 0, 4, 2, 0, true, 1);
  fillRandom(c, 0, 4, 1, 1, true, 1);
  EXPECT_NE(a[0], b[0]);
  EXPECT_NE(a[0], c[0]);
}

TEST(DropoutWord, MeetsNoOtherUse) {
  for (uint32_t draw : {0u, 1u, 4095u}) {
    EXPECT_EQ(dropoutWord(draw) % 16, 3u);
    EXPECT_EQ(dropoutWord(draw) / 16, draw);
    EXPECT_LT(dropoutWord(draw), 1u << 16);
  }
  for (RandomUse use : {RandomUse::Initialization, RandomUse::Order,
                        RandomUse::Sampling, RandomUse::Audit})
    EXPECT_NE(uint32_t(use) % 16, 3u);
}

TEST(Permute, IsABijectionForEachEpoch) {
  for (uint64_t size : {1, 2, 3, 7, 16, 17, 1000, 4097}) {
    std::set<uint64_t> seen;
    for (uint64_t i = 0; i < size; ++i) {
      uint64_t image = permute(i, size, 9, 2);
      EXPECT_LT(image, size);
      seen.insert(image);
    }
    EXPECT_EQ(seen.size(), size);
  }
}

TEST(Permute, OfAllIndicesAtOnce) {
  for (uint64_t size : {1, 2, 17, 1260, 4097}) {
    std::vector<uint64_t> order = permutation(size, 5, 3);
    ASSERT_EQ(order.size(), size);
    for (uint64_t i = 0; i < size; ++i)
      EXPECT_EQ(order[i], permute(i, size, 5, 3));
  }
}

TEST(Permute, MixesAndChangesWithEpochAndSeed) {
  int fixed = 0, sameEpoch = 0, sameSeed = 0;
  for (uint64_t i = 0; i < 1000; ++i) {
    fixed += permute(i, 1000, 1, 0) == i;
    sameEpoch += permute(i, 1000, 1, 0) == permute(i, 1000, 1, 1);
    sameSeed += permute(i, 1000, 1, 0) == permute(i, 1000, 2, 0);
  }
  EXPECT_LT(fixed, 10);
  EXPECT_LT(sameEpoch, 10);
  EXPECT_LT(sameSeed, 10);
}
