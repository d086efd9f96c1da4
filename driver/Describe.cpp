//===- Describe.cpp - The command describe ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Describe.h"
#include "driver/OptionRows.h"
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

/// The phases stand for PHASE among the choices of \p option.
static void nameThePhases(OptionRow &option) {
  if (option.value == "PHASE")
    option.choices = {option.value};
  auto phase = llvm::find(option.choices, "PHASE");
  if (phase == option.choices.end())
    return;
  phase = option.choices.erase(phase);
  for (StringRef name : llvm::reverse(getPhaseNames()))
    phase = option.choices.insert(phase, name.str());
}

static CommandRow describeCommand(cl::SubCommand &command) {
  CommandRow row;
  row.name = command.getName().str();
  row.summary = command.getDescription().str();
  for (const cl::Option *operand : command.PositionalOpts) {
    row.operands += (row.operands.empty() ? "" : " ") +
                    operand->ValueStr.str() +
                    (isRepeatable(*operand) ? "..." : "");
  }
  row.options = listOptions(command);
  llvm::for_each(row.options, nameThePhases);
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
  table.seeAlso =
      "tessera-executable(1), tessera-opt(1), tessera-lsp-server(1)";
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
