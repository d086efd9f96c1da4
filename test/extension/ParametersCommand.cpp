//===- ParametersCommand.cpp - A command that is added from outside -------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A command that lies outside the runtime's folders: it lists the model's
// parameters. An executable has it where this file is linked with it.
//
// In the tree it would be a file in runtime/commands, and two lines: its name
// in runtime/commands/AllCommands.h in place of the registration below, and the
// file in runtime/CMakeLists.txt.
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/Command.h"
#include <cinttypes>
#include <cstdio>

namespace tessera::runtime {
namespace {

int64_t smallest = 0;

int runParameters(const Manifest &manifest, const Options &) {
  for (const Parameter &parameter : manifest.parameters)
    if (parameter.elements() >= smallest)
      printf("%s %" PRId64 "\n", parameter.name.c_str(), parameter.elements());
  return 0;
}

void storeSmallest(Options &, const std::string &text) {
  smallest = readInteger("--at-least", text, 1);
}

constexpr Option options[] = {
    {"--at-least", "N", "only those with N elements or more", storeSmallest}};

const Command parametersCommand = {.name = "parameters",
                                   .summary = "list the model's parameters",
                                   .options = options,
                                   .run = runParameters};

[[maybe_unused]] const bool isRegistered =
    (registerCommand(parametersCommand), true);

} // namespace
} // namespace tessera::runtime
