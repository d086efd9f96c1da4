//===- Describe.cpp - The command describe ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Describe.h"
#include "driver/Output.h"
#include "driver/Phases.h"
#include "frontends/Fields.h"
#include "runtime/commands/CommandTable.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"

using namespace llvm;
using namespace tessera;
using runtime::CommandRow;
using runtime::FieldRow;
using runtime::OptionRow;

static bool repeats(const cl::Option &option) {
  return option.getNumOccurrencesFlag() == cl::ZeroOrMore ||
         option.getNumOccurrencesFlag() == cl::OneOrMore;
}

static OptionRow describeOption(const cl::Option &option) {
  OptionRow row;
  row.name = (option.ArgStr.size() > 1 ? "--" : "-") + option.ArgStr.str();
  row.value = option.ValueStr.str();
  row.help = option.HelpStr.str();
  row.required = option.getNumOccurrencesFlag() == cl::Required;
  row.repeats = repeats(option);
  SmallVector<StringRef> choices;
  option.ValueStr.split(choices, '|');
  bool isChoice = choices.size() > 1;
  for (StringRef choice : choices)
    if (choice == "PHASE")
      llvm::append_range(row.choices, getPhaseNames());
    else if (isChoice)
      row.choices.push_back(choice.str());
  return row;
}

static CommandRow describeCommand(cl::SubCommand &command) {
  CommandRow row;
  row.name = command.getName().str();
  row.summary = command.getDescription().str();
  for (const cl::Option *operand : command.PositionalOpts) {
    row.operands += (row.operands.empty() ? "" : " ") +
                    operand->ValueStr.str() + (repeats(*operand) ? "..." : "");
  }
  for (const auto &[name, option] : cl::getRegisteredOptions(command))
    if (option->getOptionHiddenFlag() == cl::NotHidden &&
        !StringRef(name).starts_with("help") && name != "version")
      row.options.push_back(describeOption(*option));
  llvm::sort(row.options, [](const OptionRow &a, const OptionRow &b) {
    return a.name < b.name;
  });
  return row;
}

static FieldRow describeField(const std::string &path) {
  const google::protobuf::FieldDescriptor *field =
      fieldAt(spec::Specification::default_instance(), path).field;
  FieldRow row = {path, {}};
  if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_BOOL)
    row.values = {"true", "false"};
  if (const google::protobuf::EnumDescriptor *values = field->enum_type())
    for (int i = 0; i < values->value_count(); ++i)
      row.values.push_back(values->value(i)->name());
  return row;
}

static runtime::CommandTable describe() {
  runtime::CommandTable table;
  table.name = "tessera";
  table.summary = "compile the specification of a model into one training "
                  "executable";
  table.description =
      "Tessera reads the specification of a model and its training, or a "
      "module of MLIR, and writes one native executable, for CPUs or NVIDIA "
      "GPUs, whose steps are partitioned by ZeRO over ranks and planned to "
      "the byte.\n\n"
      "A specification is a message of Protobuf's text format; examples lie "
      "in share/tessera/examples beside the folder of the program. What its "
      "fields mean says share/doc/tessera/docs/specification.md.";
  for (cl::SubCommand *command : cl::getRegisteredSubcommands())
    if (!command->getName().empty())
      table.commands.push_back(describeCommand(*command));
  llvm::sort(table.commands, [](const CommandRow &a, const CommandRow &b) {
    return a.name < b.name;
  });
  for (const std::string &path : scalarPaths(spec::Specification::descriptor()))
    table.fields.push_back(describeField(path));
  table.environment = {{"CUDA_PATH, CUDA_HOME",
                        "where a CUDA toolkit lies, whose ptxas and "
                        "fatbinary compile for GPUs; without it, on "
                        "the path or in /usr/local/cuda"}};
  table.seeAlso = "tessera-executable(1)";
  return table;
}

LogicalResult tessera::runDescribe(StringRef form, StringRef output) {
  runtime::TableForm parsed = runtime::TableForm::Man;
  if (!runtime::findTableForm(form.str(), parsed))
    return failCommand("--as=" + form +
                       ": no such form; choose man, bash or zsh");
  Output file;
  if (Error error = file.open(output))
    return failCommand(toString(std::move(error)));
  return writeOutput(file, [&](raw_ostream &out) {
    out << runtime::writeTable(describe(), parsed);
  });
}
