//===- CommandLine.h - The command line of the executable -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_COMMANDLINE_H
#define TESSERA_RUNTIME_COMMANDS_COMMANDLINE_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tessera::runtime {

enum class Command { train, eval, grads, generate, exportWeights, info };

struct Options {
  Command command = Command::info;
  std::string data, init, save, checkpointDir, offloadDir, log, out, prompt;
  std::string dataType; ///< "u8", "u16", "i32" or empty
  std::string order;    ///< "sequential", "shuffled" or empty
  /// Settings, or "data", that may differ from a checkpoint's.
  std::vector<std::string> allow;
  std::optional<int64_t> steps;
  std::optional<uint64_t> seed;
  int64_t checkpointEvery = 100, maxTokens = 0;
  double temperature = 0;
  bool resume = false, json = false, checkpointAsync = false;
  bool trustData = false;
  bool allowUnlaunched = false;
};

/// Reads the command line. Prints help and ends the process where it asks for
/// help; ends it with an error and the remedy where it is wrong. Of several
/// ranks, rank 0 prints.
Options parseCommandLine(int argc, char **argv);

/// As it is written on the command line.
const char *commandName(Command command);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_COMMANDLINE_H
