//===- SpellingTest.cpp - Tests of names that are nearly right ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Spelling.h"
#include "runtime/core/SettingNames.h"
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

TEST(Spelling, FindsTheNearestOfTwoLettersAtMost) {
  std::vector<std::string> names = {"world", "words", "parallel.zero_stage"};
  EXPECT_EQ(nearestName("wrld", names), "world");
  EXPECT_EQ(nearestName("worlds", names), "world");
  EXPECT_EQ(nearestName("wordss", names), "words");
  EXPECT_EQ(nearestName("paralel.zero_stagee", names), "parallel.zero_stage");
  EXPECT_EQ(nearestName("paralel.zer_stagee", names), "");
  EXPECT_EQ(nearestName("", names), "");
}

TEST(Spelling, GuessesAtNoMoreThanAThird) {
  EXPECT_EQ(nearestName("lr", {"log"}), "");
  EXPECT_EQ(nearestName("--lr", {"--log", "--or"}), "--or");
  EXPECT_EQ(nearestName("wrd", {"world"}), "");
  EXPECT_EQ(nearestName("wrlds", {"world"}), "world");
}

TEST(SettingNames, AnswerInWhicheverFormTheyAreGiven) {
  for (const char *name : {"lr", "-lr", "--lr=3", "--learning_rate", "--LR"})
    EXPECT_EQ(settingFor(name), "--set training.optimizer.lr=3e-4") << name;
  EXPECT_EQ(settingFor("--layers"),
            "--set transformer.layers=12 or --set gnn.layers=2");
  EXPECT_EQ(settingFor("--"), "");
  EXPECT_EQ(settingFor("--colour"), "");
  EXPECT_EQ(optionFor("--max_new_tokens"), "--max-tokens");
  EXPECT_EQ(optionFor("--steps"), "");
}

} // namespace
