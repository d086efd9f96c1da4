//===- CommandTable.h - A command line as a table ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a program's command line has, apart from how it is parsed: the compiler
// makes such a table of LLVM's options, an executable of its commands. Manual
// pages and completions are written from it, so that they never lag behind.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_COMMANDTABLE_H
#define TESSERA_RUNTIME_COMMANDS_COMMANDTABLE_H

#include <string>
#include <utility>
#include <vector>

namespace tessera::runtime {

struct OptionRow {
  std::string name;  ///< "--data", "-o"
  std::string value; ///< as help calls it; empty for a flag
  std::string help;
  bool required = false;
  bool repeats = false;
  /// The values there are; empty where they are of another kind.
  std::vector<std::string> choices = {};
};

struct CommandRow {
  std::string name, summary;
  std::string operands; ///< "SPEC", "FILE..."; empty where there are none
  std::vector<OptionRow> options;
};

/// Options under a heading, of a program without commands.
struct OptionSection {
  std::string title; ///< "OPTIONS"
  std::vector<OptionRow> options;
};

/// A field that `path=value` sets, and the values of one that has a few.
struct FieldRow {
  std::string path;
  std::vector<std::string> values;
};

struct CommandTable {
  std::string name;        ///< of the program, as it is called
  std::string summary;     ///< without a full stop
  std::string description; ///< paragraphs, with an empty line between them
  std::vector<CommandRow> commands;
  std::string operands;                ///< without commands, as those of one
  std::vector<OptionSection> sections; ///< instead of commands
  std::vector<FieldRow> fields; ///< of options whose value is "path=value"
  /// Variables, "NAME=VALUE", and what they say.
  std::vector<std::pair<std::string, std::string>> environment;
  std::string seeAlso; ///< "tessera(1)"
};

/// The forms that a table is written in.
enum class TableForm { Man, Bash, Zsh };

/// The form that \p name ("man", "bash" or "zsh") stands for, in \p form.
bool findTableForm(const std::string &name, TableForm &form);

/// A manual page of section 1 in the macros of man(7); of a program with
/// commands, what completes words in bash or in zsh, to be sourced or
/// installed.
std::string writeTable(const CommandTable &table, TableForm form);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_COMMANDTABLE_H
