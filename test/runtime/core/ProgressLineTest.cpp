//===- ProgressLineTest.cpp - Tests of what long work says ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/ProgressLine.h"
#include <gtest/gtest.h>
#include <unistd.h>

using namespace tessera::runtime;

namespace {

class ProgressLineTest : public testing::Test {
protected:
  void SetUp() override { ASSERT_EQ(pipe(ends), 0); }
  void TearDown() override { close(ends[0]); }

  /// What is written until here.
  std::string text() {
    close(ends[1]);
    char text[256];
    ssize_t length = ::read(ends[0], text, sizeof text);
    return {text, static_cast<size_t>(length < 0 ? 0 : length)};
  }

  int ends[2];
};

std::string longText(double) { return "12 of 100"; }
std::string shortText(double) { return "9 left"; }

TEST_F(ProgressLineTest, WritesOverALineOfATerminal) {
  {
    ProgressLine line(ends[1], /*isTerminal=*/true, /*seconds=*/0);
    line.show(longText);
    line.show(shortText);
  }
  EXPECT_EQ(text(), "\r12 of 100\r9 left   \n");
}

TEST_F(ProgressLineTest, WritesLinesElsewhere) {
  {
    ProgressLine line(ends[1], /*isTerminal=*/false, /*seconds=*/0);
    line.show(longText);
    line.show(shortText);
  }
  EXPECT_EQ(text(), "12 of 100\n9 left\n");
}

TEST_F(ProgressLineTest, SaysNothingOfShortWork) {
  {
    ProgressLine line(ends[1], /*isTerminal=*/true, /*seconds=*/1e6);
    line.show(longText);
  }
  EXPECT_EQ(text(), "");
}

} // namespace
