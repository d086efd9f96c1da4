//===- StopFilterTest.cpp - Text up to a stop string ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/StopFilter.h"
#include <gtest/gtest.h>
#include <vector>

using namespace tessera::runtime;

namespace {

/// What comes out with each piece, then at the end; "!" marks a stop.
std::string pass(const std::vector<std::string> &stops,
                 const std::vector<std::string> &pieces) {
  StopFilter filter(stops);
  std::string said;
  for (const std::string &piece : pieces) {
    bool stopped = filter.push(piece, said);
    said += stopped ? "!" : "|";
    if (stopped)
      return said;
  }
  filter.finish(said);
  return said;
}

TEST(StopFilter, PassesOnAllButAStop) {
  EXPECT_EQ(pass({}, {"ab", "c"}), "ab|c|");
  EXPECT_EQ(pass({"xyz"}, {"ab", "c"}), "ab|c|");
  EXPECT_EQ(pass({"bc"}, {"abcd"}), "a!");
  EXPECT_EQ(pass({"a"}, {"abcd"}), "!");
}

TEST(StopFilter, HoldsBackWhatMayBeginOne) {
  EXPECT_EQ(pass({"bcd"}, {"ab", "c", "dx"}), "a||!");
  EXPECT_EQ(pass({"bcd"}, {"ab", "c", "x"}), "a||bcx|");
  EXPECT_EQ(pass({"bcd"}, {"abc"}), "a|bc");
  // The start of one within the start of another.
  EXPECT_EQ(pass({"aab"}, {"a", "a", "a", "b"}), "||a|!");
  EXPECT_EQ(pass({"aab", "b"}, {"aa", "cb"}), "|aac!");
}

TEST(StopFilter, EndsBeforeTheFirstOfSeveral) {
  EXPECT_EQ(pass({"d", "bc"}, {"abcd"}), "a!");
  EXPECT_EQ(pass({"bcd", "c"}, {"ab", "cd"}), "a|!");
  EXPECT_EQ(pass({"abcd", "c"}, {"ab", "cx"}), "|ab!");
}

} // namespace
