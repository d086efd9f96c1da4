//===- Describe.cpp - The command describe --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AllCommands.h"
#include "runtime/commands/CommandLine.h"
#include "runtime/commands/CommandTable.h"
#include <cstdio>

namespace tessera::runtime {

static TableForm form = TableForm::Man;

static void storeForm(Options &, const std::string &text) {
  if (!findTableForm(text, form))
    refuseCommandLine("--as takes 'man', 'bash' or 'zsh', not '%s'",
                      text.c_str());
}

static int runDescribe(const Manifest &, const Options &) {
  std::string text = writeTable(commandTable(), form);
  fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

static constexpr Option options[] = {
    {"--as", "man|bash|zsh",
     "a page for man, or what completes words in a shell (default: man)",
     storeForm}};

const Command describeCommand = {
    .name = "describe",
    .summary = "print these commands as a manual page, or for a shell",
    .options = options,
    .run = runDescribe};

} // namespace tessera::runtime
