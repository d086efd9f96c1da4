//===- TextScorerTest.cpp - Windows of long texts -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/TextScorer.h"
#include <array>
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

TEST(TextWindows, EachTokenIsScoredOnceWithAsMuchBeforeItAsFits) {
  for (size_t context : {1, 2, 7, 40})
    for (size_t tokens = 2; tokens < 100; ++tokens)
      for (size_t scored = 1; scored < tokens; ++scored) {
        size_t next = tokens - scored;
        for (const TextWindow &window : textWindows(tokens, scored, context)) {
          EXPECT_EQ(window.end - window.scored, next);
          EXPECT_LT(window.begin, next);
          EXPECT_LE(window.end - window.begin, context + 1);
          EXPECT_TRUE(window.begin == 0 ||
                      window.end - window.begin == context + 1);
          next = window.end;
        }
        EXPECT_EQ(next, tokens);
      }
}

// lm-evaluation-harness 0.4.13, get_rolling_token_windows(range(1, 11), 0, 4,
// 1): ([0..3], [1..4]), ([4..7], [5..8]), ([6..9], [9, 10]).
TEST(TextWindows, AreThoseOfTheHarness) {
  std::vector<TextWindow> windows = textWindows(11, 10, 4);
  ASSERT_EQ(windows.size(), 3u);
  for (auto [i, begin, end, scored] :
       {std::array<size_t, 4>{0, 0, 5, 4}, {1, 4, 9, 4}, {2, 6, 11, 2}}) {
    EXPECT_EQ(windows[i].begin, begin);
    EXPECT_EQ(windows[i].end, end);
    EXPECT_EQ(windows[i].scored, scored);
  }
}

} // namespace
