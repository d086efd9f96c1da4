//===- ToolPage.cpp - The manual page of a tool without commands ----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/ToolPage.h"
#include "driver/OptionRows.h"
#include "driver/Version.h"

#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace tessera;
using runtime::OptionRow;
using runtime::OptionSection;

static const ToolPage *tool = nullptr;

/// Passes and pipelines are values of one option, which have its place each.
static void addPasses(std::vector<OptionSection> &sections) {
  OptionSection passes{"PASSES", {}}, pipelines{"PIPELINES", {}};
  for (const auto &[name, option] :
       cl::getRegisteredOptions(cl::SubCommand::getTopLevel())) {
    if (name == option->ArgStr)
      continue;
    if (const auto *pass = mlir::PassInfo::lookup(name))
      passes.options.push_back(
          {"--" + name.str(), "", pass->getPassDescription().str()});
    else if (const auto *pipeline = mlir::PassPipelineInfo::lookup(name))
      pipelines.options.push_back(
          {"--" + name.str(), "", pipeline->getPassDescription().str()});
  }
  for (OptionSection &section : {std::ref(passes), std::ref(pipelines)}) {
    llvm::sort(section.options, [](const OptionRow &a, const OptionRow &b) {
      return a.name < b.name;
    });
    if (!section.options.empty())
      sections.push_back(std::move(section));
  }
}

static void printPage() {
  runtime::CommandTable table;
  table.name = tool->name;
  table.summary = tool->summary;
  table.operands = tool->operands;
  table.description = tool->description;
  table.seeAlso = tool->seeAlso;
  table.sections = {{"OPTIONS", listOptions(cl::SubCommand::getTopLevel())}};
  addPasses(table.sections);
  outs() << runtime::writeTable(table, runtime::TableForm::Man);
}

void tessera::setUpTool(const ToolPage &page) {
  tool = &page;
  setVersionPrinter(page.name);
  for (const auto &[name, option] :
       cl::getRegisteredOptions(cl::SubCommand::getTopLevel()))
    if (!StringRef(name).starts_with("help") && name != "version" &&
        name != "color" && option->getOptionHiddenFlag() == cl::NotHidden)
      option->setHiddenFlag(cl::Hidden);
  static cl::opt<bool> describe(
      "describe", cl::desc("Write these options as a manual page and exit"),
      cl::callback([](const bool &) {
        printPage();
        exit(0);
      }));
}
