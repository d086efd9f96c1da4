//===- CommandTest.cpp - An executable with a command from outside --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Process.h"
#include <gtest/gtest.h>

namespace {

Result runProgram(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), FAKE_WITH_COMMAND);
  return run(arguments);
}

bool has(const Result &result, const std::string &part) {
  return result.text.find(part) != std::string::npos;
}

TEST(CommandFromOutside, RunsWithItsOptions) {
  Result all = runProgram({"parameters"});
  EXPECT_EQ(all.code, 0) << all.text;
  EXPECT_EQ(all.text, "table.weight 2048\noutput.weight 2048\n"
                      "output.bias 256\noutput.correction 5\n");
  Result large = runProgram({"parameters", "--at-least", "2048"});
  EXPECT_EQ(large.code, 0) << large.text;
  EXPECT_EQ(large.text, "table.weight 2048\noutput.weight 2048\n");
}

TEST(CommandFromOutside, IsInTheHelp) {
  Result general = runProgram({"--help"});
  EXPECT_EQ(general.code, 0);
  EXPECT_TRUE(has(general, "  info      print the plan")) << general.text;
  EXPECT_TRUE(has(general, "  parameters list the model's")) << general.text;
  Result own = runProgram({"parameters", "--help"});
  EXPECT_EQ(own.code, 0);
  EXPECT_TRUE(has(own, "--at-least N")) << own.text;
  EXPECT_TRUE(has(own, "--allow-unlaunched")) << own.text;
  EXPECT_FALSE(has(own, "--json"));
}

TEST(CommandFromOutside, IsInErrors) {
  Result unknown = runProgram({"parametres"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_TRUE(has(unknown, "info, describe and parameters are known"))
      << unknown.text;
  Result option = runProgram({"parameters", "--at-last", "3"});
  EXPECT_EQ(option.code, 1);
  EXPECT_TRUE(has(option, "did you mean '--at-least'?")) << option.text;
  Result value = runProgram({"parameters", "--at-least", "0"});
  EXPECT_EQ(value.code, 1);
  EXPECT_TRUE(has(value, "an integer of at least 1, not '0'")) << value.text;
}

} // namespace
