//===- PassOptions.cpp - MLIR's options for passes ------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/PassOptions.h"
#include "driver/PhasePipelines.h"

#include "mlir/IR/AsmState.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace tessera;
namespace cl = llvm::cl;

static llvm::SmallVector<cl::Option *> &getPassOptions() {
  static llvm::SmallVector<cl::Option *> options;
  return options;
}

void tessera::registerPassOptions(llvm::ArrayRef<cl::SubCommand *> commands,
                                  cl::OptionCategory &category) {
  // Options that take a pass know those that are registered before them.
  registerPhasePipelines();
  llvm::StringSet<> others;
  for (auto &entry : cl::getRegisteredOptions())
    others.insert(entry.first);
  registerAsmPrinterCLOptions();
  registerPassManagerCLOptions();
  registerDefaultTimingManagerCLOptions();
  for (auto &entry : cl::getRegisteredOptions())
    if (!others.contains(entry.first))
      getPassOptions().push_back(entry.second);
  // They register themselves for a program without commands.
  for (cl::Option *option : getPassOptions()) {
    option->removeArgument();
    for (cl::SubCommand *command : commands)
      option->addSubCommand(*command);
    option->addCategory(category);
    option->setHiddenFlag(cl::Hidden);
    option->addArgument();
  }
}

llvm::StringRef tessera::findGivenPassOption() {
  for (cl::Option *option : getPassOptions())
    if (option->getNumOccurrences() > 0)
      return option->ArgStr;
  return "";
}

bool tessera::needOnePassAtATime() {
  return llvm::any_of(getPassOptions(), [](cl::Option *option) {
    return option->getNumOccurrences() > 0 &&
           (option->ArgStr == "mlir-print-ir-module-scope" ||
            option->ArgStr == "mlir-pass-pipeline-local-reproducer");
  });
}
