//===- CommandLine.h - The command line of the executable -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_COMMANDLINE_H
#define TESSERA_RUNTIME_COMMANDS_COMMANDLINE_H

#include "runtime/commands/Command.h"
#include "runtime/commands/CommandTable.h"

namespace tessera::runtime {

/// Reads the command line. Prints help or the version and exits the process
/// where it asks for them; exits it with an error and the remedy where it is
/// wrong. Of several ranks, rank 0 prints.
Options parseCommandLine(int argc, char **argv);

/// All commands of this executable, with what its help says of them.
CommandTable commandTable();

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_COMMANDLINE_H
