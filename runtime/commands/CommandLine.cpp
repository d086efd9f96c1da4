//===- CommandLine.cpp - The command line of the executable ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/CommandLine.h"
#include "runtime/core/Error.h"
#include "runtime/core/Spelling.h"
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>
#include <vector>

namespace tessera::runtime {
namespace {

struct CommandInfo {
  Command command;
  const char *name, *summary;
};

const CommandInfo commandTable[] = {
    {Command::train, "train", "train the model"},
    {Command::eval, "eval", "loss and accuracy on data"},
    {Command::grads, "grads", "loss and gradients of the first batch"},
    {Command::generate, "generate", "continue a text"},
    {Command::exportWeights, "export", "a checkpoint's weights as one file"},
    {Command::info, "info", "print the plan that is compiled in"},
};

constexpr unsigned bit(Command command) {
  return 1u << static_cast<unsigned>(command);
}
constexpr unsigned train = bit(Command::train), eval = bit(Command::eval),
                   grads = bit(Command::grads),
                   generate = bit(Command::generate),
                   exportWeights = bit(Command::exportWeights),
                   info = bit(Command::info), anyCommand = ~0u;

struct OptionInfo {
  const char *name;
  const char *value; ///< null for a flag
  unsigned commands, required;
  const char *help;
};

const OptionInfo optionTable[] = {
    {"--data", "PATH", train | eval | grads, train | eval | grads,
     "text (bytes as tokens), an MMIDIDX pair's prefix, a .bin of llm.c, or a "
     "graph (safetensors)"},
    {"--data-type", "u8|u16|i32", train | eval | grads, 0,
     "what a token is in a file that does not say it (default: u8 where the "
     "vocabulary is 256)"},
    {"--trust-data", nullptr, train, 0,
     "do not look through the data for tokens outside the vocabulary at the "
     "start"},
    {"--steps", "N", train, 0,
     "train until step N (default: the specification's)"},
    {"--init", "PATH", train | eval | grads | generate, grads | generate,
     "begin with the weights of a safetensors file or a checkpoint's folder "
     "(default: random)"},
    {"--save", "FILE", train, 0, "write the weights at the end (safetensors)"},
    {"--checkpoint-dir", "DIR", train | exportWeights, exportWeights,
     "where checkpoints are; the last two are kept"},
    {"--checkpoint-every", "K", train, 0,
     "a checkpoint every K steps (default 100; one at the end in any case)"},
    {"--checkpoint-async", nullptr, train, 0,
     "write checkpoints while steps go on, from a copy in memory"},
    {"--resume", nullptr, train, 0,
     "go on from the newest checkpoint in --checkpoint-dir"},
    {"--allow", "NAME", train | eval | grads | generate | exportWeights, 0,
     "let a setting, or 'data', differ from the checkpoint's; may be given "
     "several times"},
    {"--offload-dir", "DIR", train | grads, 0,
     "where the file of offloaded states lies (default: TMPDIR, or /tmp)"},
    {"--seed", "S", train | eval | generate, 0,
     "seed of random weights, order and sampling"},
    {"--log", "FILE", train, 0,
     "write a line of JSON each step to FILE (--resume appends)"},
    {"--order", "sequential|shuffled", train | grads, 0,
     "order of the samples (default: shuffled for train, sequential for "
     "grads)"},
    {"--out", "FILE", grads | exportWeights, grads | exportWeights,
     "the safetensors file to write"},
    {"--prompt", "TEXT", generate, generate, "the text to continue"},
    {"--max-tokens", "N", generate, generate, "how many tokens to add"},
    {"--temperature", "T", generate, 0,
     "0: the likeliest token (default); higher: more random"},
    {"--json", nullptr, info, 0, "print the manifest as JSON"},
    {"--allow-unlaunched", nullptr, anyCommand, 0,
     "run alone in each process that a launcher has started, each with files "
     "of its own"},
};

template <typename... Arguments>
[[noreturn]] void refuse(const char *format, Arguments... arguments) {
  leaveErrorToRoot();
  fatal(format, arguments...);
}

void printGeneralHelp(FILE *stream) {
  fprintf(stream, "USAGE: %s COMMAND [options]\n\nCOMMANDS:\n",
          executableName());
  for (const CommandInfo &command : commandTable)
    fprintf(stream, "  %-10s%s\n", command.name, command.summary);
  fprintf(stream, "\n'%s COMMAND --help' lists a command's options.\n",
          executableName());
}

void printCommandHelp(const CommandInfo &command) {
  printf("%s: %s\n\nUSAGE: %s %s", executableName(), command.summary,
         executableName(), command.name);
  for (const OptionInfo &option : optionTable)
    if (option.required & bit(command.command))
      printf(" %s %s", option.name, option.value);
  printf(" [options]\n\nOPTIONS:\n");
  for (const OptionInfo &option : optionTable) {
    if (!(option.commands & bit(command.command)))
      continue;
    std::string left = option.name;
    if (option.value)
      left += std::string(" ") + option.value;
    printf("  %-30s %s\n", left.c_str(), option.help);
  }
  printf("  %-30s %s\n", "--help", "print this and end");
}

[[noreturn]] void endHelp() {
  requirePrinted(/*readerMayLeave=*/false);
  exit(0);
}

const CommandInfo *findCommand(const std::string &name) {
  for (const CommandInfo &command : commandTable)
    if (name == command.name)
      return &command;
  return nullptr;
}

const OptionInfo &findOption(const std::string &name,
                             const CommandInfo &command) {
  const OptionInfo *nearest = nullptr;
  for (const OptionInfo &option : optionTable) {
    if (!(option.commands & bit(command.command)))
      continue;
    if (name == option.name)
      return option;
    if (!nearest ||
        editDistance(name, option.name) < editDistance(name, nearest->name))
      nearest = &option;
  }
  if (nearest && editDistance(name, nearest->name) <= 3)
    refuse("unknown option '%s' of '%s': did you mean '%s'?", name.c_str(),
           command.name, nearest->name);
  refuse("unknown option '%s' of '%s': '%s %s --help' lists them", name.c_str(),
         command.name, executableName(), command.name);
}

int64_t integer(const char *option, const std::string &text, int64_t least) {
  char *end = nullptr;
  errno = 0;
  long long value = strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end || errno || value < least)
    refuse("%s takes an integer of at least %lld, not '%s'", option,
           static_cast<long long>(least), text.c_str());
  return value;
}

void store(Options &options, const OptionInfo &option,
           const std::string &value) {
  std::string name = option.name;
  if (name == "--data")
    options.data = value;
  else if (name == "--init")
    options.init = value;
  else if (name == "--save")
    options.save = value;
  else if (name == "--checkpoint-dir")
    options.checkpointDir = value;
  else if (name == "--allow")
    options.allow.push_back(value);
  else if (name == "--offload-dir")
    options.offloadDir = value;
  else if (name == "--log")
    options.log = value;
  else if (name == "--out")
    options.out = value;
  else if (name == "--prompt")
    options.prompt = value;
  else if (name == "--checkpoint-async")
    options.checkpointAsync = true;
  else if (name == "--resume")
    options.resume = true;
  else if (name == "--trust-data")
    options.trustData = true;
  else if (name == "--json")
    options.json = true;
  else if (name == "--allow-unlaunched")
    options.allowUnlaunched = true;
  else if (name == "--steps")
    options.steps = integer(option.name, value, 0);
  else if (name == "--checkpoint-every")
    options.checkpointEvery = integer(option.name, value, 1);
  else if (name == "--seed")
    options.seed = integer(option.name, value, 0);
  else if (name == "--max-tokens")
    options.maxTokens = integer(option.name, value, 0);
  else if (name == "--data-type") {
    if (value != "u8" && value != "u16" && value != "i32")
      refuse("--data-type takes 'u8', 'u16' or 'i32', not '%s'", value.c_str());
    options.dataType = value;
  } else if (name == "--order") {
    if (value != "sequential" && value != "shuffled")
      refuse("--order takes 'sequential' or 'shuffled', not '%s'",
             value.c_str());
    options.order = value;
  } else if (name == "--temperature") {
    char *end = nullptr;
    options.temperature = strtod(value.c_str(), &end);
    if (value.empty() || *end || !(options.temperature >= 0) ||
        !std::isfinite(options.temperature))
      refuse("--temperature takes a number of at least 0, not '%s'",
             value.c_str());
  }
}

} // namespace

const char *commandName(Command command) {
  for (const CommandInfo &info : commandTable)
    if (info.command == command)
      return info.name;
  return "";
}

Options parseCommandLine(int argc, char **argv) {
  if (argc < 2) {
    if (speaks())
      printGeneralHelp(stderr);
    refuse("%s", "a command is missing");
  }
  std::string first = argv[1];
  if (first == "--help" || first == "-h" || first == "help") {
    if (speaks())
      printGeneralHelp(stdout);
    endHelp();
  }
  const CommandInfo *command = findCommand(first);
  if (!command)
    refuse(
        "unknown command '%s': train, eval, grads, generate, export and info "
        "are known",
        first.c_str());
  Options options;
  options.command = command->command;
  std::vector<const OptionInfo *> given;
  for (int i = 2; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      if (speaks())
        printCommandHelp(*command);
      endHelp();
    }
    size_t equals = argument.find('=');
    bool joined = argument.starts_with("--") && equals != std::string::npos;
    const OptionInfo &option =
        findOption(joined ? argument.substr(0, equals) : argument, *command);
    std::string value;
    if (!option.value && joined)
      refuse("%s takes no value", option.name);
    if (joined)
      value = argument.substr(equals + 1);
    else if (option.value) {
      if (i + 1 == argc)
        refuse("%s lacks its value: %s %s", option.name, option.name,
               option.value);
      value = argv[++i];
    }
    store(options, option, value);
    given.push_back(&option);
  }
  for (const OptionInfo &option : optionTable)
    if ((option.required & bit(options.command)) &&
        std::find(given.begin(), given.end(), &option) == given.end())
      refuse("'%s' needs %s %s (%s)", command->name, option.name, option.value,
             option.help);
  if (options.resume && options.checkpointDir.empty())
    refuse("%s", "--resume needs --checkpoint-dir DIR, where the checkpoints "
                 "are");
  if (options.checkpointAsync && options.checkpointDir.empty())
    refuse("%s", "--checkpoint-async needs --checkpoint-dir DIR, where the "
                 "checkpoints go");
  return options;
}

} // namespace tessera::runtime
