//===- CommandLine.h - The command line of the executable -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_COMMANDLINE_H
#define TESSERA_RUNTIME_COMMANDS_COMMANDLINE_H

#include "runtime/commands/Command.h"

namespace tessera::runtime {

/// Reads the command line. Prints help and exits the process where it asks for
/// help; exits it with an error and the remedy where it is wrong. Of several
/// ranks, rank 0 prints.
Options parseCommandLine(int argc, char **argv);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_COMMANDLINE_H
