//===- CommandTableTest.cpp - Manual pages and completions ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands in a table may have letters that troff and shells read otherwise.
// That shells complete by what is written, test/end-to-end/test_describe.py
// says.
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/CommandTable.h"
#include "gtest/gtest.h"

using namespace tessera::runtime;

static CommandTable makeTable() {
  CommandTable table;
  table.name = "small-net";
  table.summary = "train it";
  table.description = "First.\n\n.dot begins this.\n'quote begins this.";
  table.commands = {{"run",
                     "run it",
                     "FILE...",
                     {{"--name", "TEXT", "isn't [short]: a\\b", true},
                      {"--mode", "a|b", "how", false, true, {"a", "b"}},
                      {"--set", "path=value", "a field"}}}};
  table.fields = {{"x.y", {"true", "false"}}, {"x.z", {}}};
  table.environment = {{"HOW=0|1", "how"}};
  return table;
}

static bool has(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

TEST(CommandTable, FormsHaveNames) {
  TableForm form = TableForm::Man;
  EXPECT_TRUE(findTableForm("zsh", form));
  EXPECT_EQ(form, TableForm::Zsh);
  EXPECT_FALSE(findTableForm("fish", form));
  EXPECT_FALSE(findTableForm("", form));
}

TEST(CommandTable, TextsAreNoRequestsOfTroff) {
  std::string page = writeTable(makeTable(), TableForm::Man);
  EXPECT_TRUE(page.starts_with(".TH \"SMALL\\-NET\" 1 ")) << page;
  EXPECT_TRUE(has(page, "First.\n.PP\n\\&.dot begins this.\n\\&'quote"))
      << page;
  EXPECT_TRUE(has(page, "isn't [short]: a\\eb.\n")) << page;
  EXPECT_TRUE(has(page, "\\fBrun\\fR \\fIFILE...\\fR \\fB\\-\\-name\\fR "
                        "\\fITEXT\\fR [\\fIoptions\\fR]\n"))
      << page;
  EXPECT_TRUE(has(page, "how.\nMay be given several times.\n")) << page;
  EXPECT_TRUE(has(page, ".TP\n\\fBx.y\\fR\ntrue, false\n")) << page;
  EXPECT_TRUE(has(page, ".TP\n\\fBHOW=0|1\\fR\nhow.\n")) << page;
}

TEST(CommandTable, FunctionsOfShellsHaveNamesOfLetters) {
  std::string bash = writeTable(makeTable(), TableForm::Bash);
  EXPECT_TRUE(has(bash, "\n_small_net() {\n")) << bash;
  EXPECT_TRUE(has(bash, "-F _small_net 'small-net'\n")) << bash;
  std::string zsh = writeTable(makeTable(), TableForm::Zsh);
  EXPECT_TRUE(zsh.starts_with("#compdef small-net\n")) << zsh;
  EXPECT_TRUE(has(zsh, "\n_small_net() {\n")) << zsh;
}

TEST(CommandTable, TextsStayWordsOfShells) {
  std::string zsh = writeTable(makeTable(), TableForm::Zsh);
  EXPECT_TRUE(has(zsh, "'--name=[isn'\\''t \\[short\\]\\: a\\\\b]:TEXT: '"))
      << zsh;
  EXPECT_TRUE(has(zsh, "'*--mode=[how]:a|b:(a b)'")) << zsh;
  EXPECT_TRUE(has(zsh, "'--set=[a field]:path=value:_small_net_fields'"))
      << zsh;
}
