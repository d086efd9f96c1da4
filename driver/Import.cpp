//===- Import.cpp - The specification of a published folder -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/CommandInputs.h"
#include "frontends/Diagnostics.h"
#include "frontends/Fields.h"
#include "frontends/Specification.h"
#include "frontends/TextReader.h"
#include "frontends/published/Config.h"
#include "llvm/ADT/StringExtras.h"

#include <google/protobuf/text_format.h>

using namespace mlir;
using namespace tessera;

/// As a person writes it: fields of a line each, numbers as short as they can
/// be.
static std::string print(const spec::Specification &specification) {
  google::protobuf::TextFormat::Printer printer;
  std::string text;
  printer.PrintToString(specification, &text);
  return text;
}

LogicalResult tessera::runImport(const CommandOptions &options) {
  std::optional<ImportedFolder> folder =
      importFolder(options.input, llvm::errs());
  if (!folder)
    return failure();
  Diagnostics diagnostics(options.input, llvm::errs());
  for (const std::string &option : options.overrides)
    applyOverride(option, folder->specification, diagnostics);
  if (diagnostics.count() != 0)
    return failure();
  std::string text = print(folder->specification);
  SourceText source = {options.input, text, "."};
  if (!parseSpecification(source, {}, llvm::errs()))
    return failure();
  Output output;
  if (llvm::Error error = output.open(options.output))
    return failCommand(llvm::toString(std::move(error)));
  if (!folder->unknown.empty())
    llvm::errs() << "tessera: warning: config.json has fields that are not "
                    "known here and are ignored: "
                 << llvm::join(folder->unknown, ", ") << "\n";
  if (!folder->tokenizerError.empty())
    llvm::errs() << "tessera: warning: the model's tokens stay numbers, as its "
                    "tokenizer is not read: "
                 << folder->tokenizerError << "\n";
  return writeOutput(output, [&](llvm::raw_ostream &out) {
    out << schemaHeader << "# The model of " << options.input
        << ", from its config.json. Its weights are read when it runs:\n"
           "#     ./EXE train --init "
        << options.input
        << " --data ...\n# What training says here is where fine-tuning may "
           "begin.\n"
        << text;
  });
}
