//===- CommandLine.cpp - The command line of the executable ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/CommandLine.h"
#include "runtime/commands/AllCommands.h"
#include "runtime/core/Environment.h"
#include "runtime/core/SettingNames.h"
#include "runtime/core/Spelling.h"
#include "runtime/core/Version.h"
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>
#include <vector>

namespace tessera::runtime {

/// Made by the first call, which may come before main.
static std::vector<const Command *> &registeredCommands() {
  static std::vector<const Command *> all(std::begin(allCommands),
                                          std::end(allCommands));
  return all;
}

void registerCommand(const Command &command) {
  registeredCommands().push_back(&command);
}

std::span<const Command *const> commands() { return registeredCommands(); }

int64_t readInteger(const char *option, const std::string &text,
                    int64_t least) {
  char *end = nullptr;
  errno = 0;
  long long value = strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end || errno || value < least)
    refuseCommandLine("%s takes an integer of at least %lld, not '%s'", option,
                      static_cast<long long>(least), text.c_str());
  return value;
}

namespace {

/// What every command takes.
constexpr Option commonOption = {
    "--allow-unlaunched", nullptr,
    "run alone in each process that a launcher has started, each with files "
    "of its own",
    keepFlag<&Options::allowUnlaunched>};

std::vector<const Option *> optionsOf(const Command &command) {
  std::vector<const Option *> all;
  for (const Option &option : command.options)
    all.push_back(&option);
  all.push_back(&commonOption);
  return all;
}

void printGeneralHelp(FILE *stream) {
  fprintf(stream, "USAGE: %s COMMAND [options]\n\nCOMMANDS:\n",
          executableName());
  for (const Command *command : commands())
    fprintf(stream, "  %-9s %s\n", command->name, command->summary);
  fprintf(stream, "\nENVIRONMENT:\n");
  for (const EnvironmentVariable &variable : environmentVariables()) {
    std::string left = std::string(variable.name) + "=" + variable.value;
    fprintf(stream, "  %-30s %s\n", left.c_str(), variable.help);
  }
  fprintf(stream, "\nEXIT CODES:\n"
                  "  0 done, 1 an error, 128 + N ended by signal N with its "
                  "work cut short\n");
  fprintf(
      stream,
      "\n'%s COMMAND --help' lists a command's options, '%s --version' says "
      "what compiled it.\n",
      executableName(), executableName());
}

void printCommandHelp(const Command &command) {
  printf("%s: %s\n\nUSAGE: %s %s", executableName(), command.summary,
         executableName(), command.name);
  for (const Option &option : command.options)
    if (option.required)
      printf(" %s %s", option.name, option.value);
  printf(" [options]\n\nOPTIONS:\n");
  for (const Option *option : optionsOf(command)) {
    std::string left = option->name;
    if (option->value)
      left += std::string(" ") + option->value;
    printf("  %-30s %s\n", left.c_str(), option->help);
  }
  printf("  %-30s %s\n", "--help", "print this and exit");
}

[[noreturn]] void endHelp() {
  requirePrinted(/*readerMayLeave=*/false);
  exit(0);
}

/// The commands' names: "a, b and c".
std::string commandNames() {
  std::string names;
  for (size_t i = 0; i < commands().size(); ++i) {
    bool last = i + 1 == commands().size();
    names += i == 0 ? "" : last ? " and " : ", ";
    names += commands()[i]->name;
  }
  return names;
}

const Command &findCommand(const std::string &name) {
  for (const Command *command : commands())
    if (name == command->name)
      return *command;
  refuseCommandLine("unknown command '%s': %s are known", name.c_str(),
                    commandNames().c_str());
}

const Option &findOption(const std::string &name, const Command &command) {
  std::vector<std::string> names;
  for (const Option *option : optionsOf(command)) {
    if (name == option->name)
      return *option;
    names.push_back(option->name);
  }
  std::string meant = optionFor(name), setting = settingFor(name);
  if (std::find(names.begin(), names.end(), meant) == names.end())
    meant = setting.empty() ? nearestName(name, names) : "";
  if (!meant.empty())
    refuseCommandLine("unknown option '%s' of '%s': did you mean '%s'?",
                      name.c_str(), command.name, meant.c_str());
  if (!setting.empty())
    refuseCommandLine("'%s' has no option '%s', since that is compiled in: "
                      "compile with %s",
                      command.name, name.c_str(), setting.c_str());
  refuseCommandLine("unknown option '%s' of '%s': '%s %s --help' lists them",
                    name.c_str(), command.name, executableName(), command.name);
}

OptionRow describeOption(const Option &option) {
  OptionRow row = {option.name, option.value ? option.value : "", option.help,
                   option.required};
  if (row.value.find('|') == std::string::npos)
    return row;
  std::string choice;
  for (char letter : row.value + "|") {
    if (letter == '|')
      row.choices.push_back(std::exchange(choice, ""));
    else
      choice += letter;
  }
  return row;
}

} // namespace

CommandTable commandTable() {
  CommandTable table;
  table.name = executableName();
  table.summary = "train, evaluate and ask the model that is compiled in";
  table.description =
      "An executable that Tessera has compiled from the specification of a "
      "model. It takes as much memory as its plan says, which info prints. Its "
      "ranks are started by mpirun, srun or torchrun; one rank needs none of "
      "them.";
  for (const Command *command : commands()) {
    CommandRow row = {command->name, command->summary, "", {}};
    for (const Option *option : optionsOf(*command))
      row.options.push_back(describeOption(*option));
    table.commands.push_back(std::move(row));
  }
  for (const EnvironmentVariable &variable : environmentVariables())
    table.environment.emplace_back(
        std::string(variable.name) + "=" + variable.value, variable.help);
  table.seeAlso = "tessera(1)";
  return table;
}

Options parseCommandLine(int argc, char **argv) {
  if (argc < 2) {
    if (speaks())
      printGeneralHelp(stderr);
    refuseCommandLine("%s", "a command is missing");
  }
  std::string first = argv[1];
  if (first == "--help" || first == "-h" || first == "help") {
    if (speaks())
      printGeneralHelp(stdout);
    endHelp();
  }
  if (first == "--version") {
    if (speaks())
      printf("%s, compiled by Tessera %s", executableName(),
             versionText().c_str());
    endHelp();
  }
  const Command &command = findCommand(first);
  Options options;
  options.command = &command;
  std::vector<const Option *> &given = options.given;
  for (int i = 2; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      if (speaks())
        printCommandHelp(command);
      endHelp();
    }
    size_t equals = argument.find('=');
    bool joined = argument.starts_with("--") && equals != std::string::npos;
    const Option &option =
        findOption(joined ? argument.substr(0, equals) : argument, command);
    std::string value;
    if (!option.value && joined)
      refuseCommandLine("%s takes no value", option.name);
    if (joined)
      value = argument.substr(equals + 1);
    else if (option.value) {
      if (i + 1 == argc)
        refuseCommandLine("%s lacks its value: %s %s", option.name, option.name,
                          option.value);
      value = argv[++i];
    }
    option.store(options, value);
    given.push_back(&option);
  }
  for (const Option &option : command.options)
    if (option.required &&
        std::find(given.begin(), given.end(), &option) == given.end())
      refuseCommandLine("'%s' needs %s %s (%s)", command.name, option.name,
                        option.value, option.help);
  if (command.check)
    command.check(options);
  return options;
}

void requireUsable(const Manifest &manifest, const Options &options) {
  for (const Option *option : options.given)
    if (const char *why = option->useless ? option->useless(manifest) : nullptr)
      refuseCommandLine("%s is of no use: %s; leave it out", option->name, why);
}

} // namespace tessera::runtime
