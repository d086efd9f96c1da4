//===- CommandLine.cpp - Errors of the command line -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/CommandLine.h"
#include "driver/Output.h"
#include "frontends/Fields.h"
#include "runtime/core/SettingNames.h"
#include "runtime/core/Spelling.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"

using namespace llvm;
using namespace tessera;

/// How to set the field that the option \p name, without dashes, is the path of
/// or the last name in one; empty where it is none.
static std::string findField(StringRef name) {
  std::string plain = name.str();
  llvm::replace(plain, '-', '_');
  for (const std::string &path : scalarPaths(spec::Specification::descriptor()))
    if (path == plain || StringRef(path).ends_with("." + plain))
      return "--set " + path + "=VALUE";
  return "";
}

static LogicalResult refuseOption(StringRef argument, StringRef command,
                                  const std::vector<std::string> &known) {
  StringRef given = argument.split('=').first, name = given.ltrim('-');
  std::string setting = runtime::settingFor(name.str());
  if (setting.empty())
    setting = findField(name);
  if (!setting.empty() && is_contained(known, "set"))
    return failCommand("'" + command + "' has no option '" + given +
                       "', since that is a field of the specification: give " +
                       setting);
  std::string near = runtime::nearestName(name, known);
  std::string help = "'tessera " + command.str() + " --help' lists them";
  return failCommand("unknown option '" + given + "' of '" + command + "'" +
                     (near.empty()
                          ? ": " + help
                          : ": did you mean '" +
                                std::string(near.size() > 1 ? "--" : "-") +
                                near + "'?"));
}

LogicalResult tessera::checkCommandLine(ArrayRef<const char *> arguments) {
  if (arguments.empty() || StringRef(arguments.front()).starts_with("-"))
    return success();
  StringRef name = arguments.front();
  cl::SubCommand *command = nullptr;
  std::vector<std::string> names, options;
  for (cl::SubCommand *candidate : cl::getRegisteredSubcommands()) {
    if (candidate->getName().empty())
      continue;
    names.push_back(candidate->getName().str());
    if (candidate->getName() == name)
      command = candidate;
  }
  llvm::sort(names);
  if (!command) {
    std::string near = runtime::nearestName(name, names);
    return failCommand("unknown command '" + name + "': " +
                       (near.empty() ? join(names, ", ") + " are known"
                                     : "did you mean '" + near + "'?"));
  }
  auto &known = cl::getRegisteredOptions(*command);
  for (const auto &option : known)
    if (option.second->getOptionHiddenFlag() == cl::NotHidden)
      options.push_back(option.first.str());
  llvm::sort(options);
  for (size_t i = 1; i < arguments.size(); ++i) {
    StringRef argument = arguments[i];
    if (!argument.starts_with("-") || argument.ltrim('-').empty())
      continue;
    auto option = known.find(argument.ltrim('-').split('=').first);
    if (option == known.end())
      return refuseOption(argument, name, options);
    bool takesNext =
        !argument.contains('=') &&
        option->second->getValueExpectedFlag() == cl::ValueRequired;
    i += takesNext;
  }
  return success();
}
