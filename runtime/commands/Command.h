//===- Command.h - A command of the executable ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A command is a file that says its name, summary, options and function. Help,
// errors and dispatch work from that. In the tree it is named in AllCommands.h
// and CMakeLists.txt; from outside it calls registerCommand.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_COMMAND_H
#define TESSERA_RUNTIME_COMMANDS_COMMAND_H

#include "runtime/commands/Options.h"
#include "runtime/core/Error.h"
#include "runtime/program/Manifest.h"
#include <span>

namespace tessera::runtime {

/// An option of a command.
struct Option {
  const char *name;  ///< "--data"
  const char *value; ///< as help calls it; null for a flag
  const char *help;
  /// Keeps \p text, empty for a flag, in \p options or where the command wants
  /// it. Calls refuseCommandLine where it means nothing.
  void (*store)(Options &options, const std::string &text);
  bool required = false;
  /// Why it is of no use, as the end of a sentence, for this executable; null
  /// where it is of use, as all options are without it.
  const char *(*useless)(const Manifest &manifest) = nullptr;
};

/// \p option, of texts alone, for whose models of graphs \p why has the words.
template <const char *why> constexpr Option ofTexts(Option option) {
  option.useless = [](const Manifest &manifest) {
    return manifest.model.isGraph() ? why : nullptr;
  };
  return option;
}

struct Command {
  const char *name, *summary;
  std::span<const Option> options; ///< in the order of the help
  /// Runs to the end and returns the exit code; errors exit the process.
  int (*run)(const Manifest &manifest, const Options &options);
  /// Refuses options that do not go together; null where all do.
  void (*check)(const Options &options) = nullptr;
  /// All ranks of the executable take part; else it is the work of rank 0.
  bool isOfAllRanks = false;
  /// Whether any number of ranks share the work, each by programs of one rank;
  /// null where they never do.
  bool (*isShared)(const Manifest &manifest) = nullptr;
  /// Runs the code that was compiled, so the CPU must have its features.
  bool runsPrograms = false;
  bool usesThreads = false;
  /// What it prints is for people beside its work, so that a reader of it may
  /// leave.
  bool readerMayLeave = false;
};

/// Makes \p command, which lives until the process exits, one of this
/// executable's. Called before main, by an object that is linked with it.
void registerCommand(const Command &command);

/// Those of AllCommands.h, then those that were registered.
std::span<const Command *const> commands();

/// Refuses what \p options give that is of no use for \p manifest, rather than
/// overlook it.
void requireUsable(const Manifest &manifest, const Options &options);

/// Exits the process, of several ranks once, with an error of the command line.
template <typename... Arguments>
[[noreturn]] void refuseCommandLine(const char *format,
                                    Arguments... arguments) {
  leaveErrorToRoot();
  fatal(format, arguments...);
}

/// \p text as the value of \p option, a whole number of at least \p least;
/// refuses any other.
int64_t readInteger(const char *option, const std::string &text, int64_t least);

// What an option's store can be.

template <std::string Options::*member>
void keepText(Options &options, const std::string &text) {
  options.*member = text;
}

template <bool Options::*member>
void keepFlag(Options &options, const std::string &) {
  options.*member = true;
}

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_COMMAND_H
