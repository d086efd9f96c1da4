//===- DocumentsTest.cpp - Tests of attacks on models of text -------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Documents.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

DocumentLikelihood sampleDocument() {
  return {{-1, -4, -0.5f, -2, -0.5f, -1, -3, -1, -1, -2},
          {-2, -2, -1, -1, -1, -2, -2, -2, -2, -2},
          {1, 2, 1, 0.5f, 1, 1, 0.5f, 1, 1, 0}};
}

TEST(Documents, ScoreAsTheirFormulasSay) {
  DocumentLikelihood document = sampleDocument();
  EXPECT_NEAR(lossScore(document), -1.6, 1e-12);
  EXPECT_NEAR(compressionScore(document, 80), -0.02, 1e-12);
  // The lowest 2 of 10, and 3.
  EXPECT_NEAR(minKScore(document, 0.2), -3.5, 1e-12);
  EXPECT_NEAR(minKScore(document, 0.39), -3, 1e-12);
  EXPECT_NEAR(minKScore(document, 0.01), -4, 1e-12);
  EXPECT_NEAR(minKScore(document, 1), -1.6, 1e-12);
  // (value - mean) / deviation: 1, -1, 0.5, -2, 0.5, 1, -2, 1, 1, 0.
  EXPECT_NEAR(minKPlusPlusScore(document, 0.2), -2, 1e-12);
  EXPECT_NEAR(minKPlusPlusScore(document, 0.3), -5.0 / 3, 1e-12);
  EXPECT_NEAR(minKPlusPlusScore(document, 1), 0, 1e-12);
  DocumentLikelihood reference{
      {-2, -2, -2, -2, -2, -2, -2, -2, -2, -2}, {}, {}};
  EXPECT_NEAR(referenceScore(document, reference), 0.4, 1e-12);
}

TEST(Documents, OneTokenIsEnough) {
  DocumentLikelihood document{{-3}, {-1}, {2}};
  EXPECT_EQ(lossScore(document), -3);
  EXPECT_EQ(minKScore(document), -3);
  EXPECT_EQ(minKPlusPlusScore(document), -1);
}

TEST(Documents, MomentsAreOfTheModelsOwnDistribution) {
  // Probabilities 1/2, 1/4, 1/4: the negated mean is the entropy.
  float half = std::log(2.0f);
  TokenMoments moments = tokenMoments(std::vector<float>{100 + half, 100, 100});
  EXPECT_NEAR(moments.mean, -1.5 * std::log(2), 1e-5);
  EXPECT_NEAR(moments.deviation, 0.5 * std::log(2), 1e-5);
  // A masked token has no part.
  moments = tokenMoments(std::vector<float>{0, 0, -INFINITY});
  EXPECT_NEAR(moments.mean, -std::log(2), 1e-12);
  EXPECT_EQ(moments.deviation, 0);
}

} // namespace
