//===- Options.h - What the command line says -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_OPTIONS_H
#define TESSERA_RUNTIME_COMMANDS_OPTIONS_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tessera::runtime {

struct Command;
struct Option;

/// The values of the options that commands here take. A command may keep what
/// options of its own say where it likes (Command.h).
struct Options {
  const Command *command = nullptr;
  std::vector<const Option *> given;
  std::string data, init, save, checkpointDir, offloadDir, log, out;
  std::string dataType; ///< "u8", "u16", "i32" or empty
  std::string order;    ///< "sequential", "shuffled" or empty
  /// Settings, or "data", that may differ from a checkpoint's.
  std::vector<std::string> allow;
  std::optional<int64_t> steps;
  std::optional<uint64_t> seed;
  int64_t samples = 0; ///< at most; 0: all
  int64_t checkpointEvery = 100, logEvery = 1;
  bool resume = false, json = false, checkpointAsync = false;
  bool trustData = false;
  bool allowUnlaunched = false;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_OPTIONS_H
