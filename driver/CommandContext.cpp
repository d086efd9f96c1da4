//===- CommandContext.cpp - What a command compiles in --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/CommandContext.h"
#include "codegen/kernels/Arithmetic.h"
#include "dialects/AllDialects.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tessera;

/// The place is said, and no text is opened to show it: a module may name any
/// file as its source.
static void printDiagnostic(Diagnostic &diagnostic) {
  constexpr size_t longest = 2000;
  auto print = [&](Diagnostic &one, StringRef severity) {
    auto place = one.getLocation()->findInstanceOf<FileLineColLoc>();
    if (place)
      llvm::errs() << place.getFilename().getValue() << ":" << place.getLine()
                   << ":" << place.getColumn();
    else
      llvm::errs() << "tessera";
    std::string text = one.str();
    if (text.size() > longest)
      text = text.substr(0, longest) + "...";
    llvm::errs() << ": " << severity << ": " << text << "\n";
  };
  bool isError = diagnostic.getSeverity() == DiagnosticSeverity::Error;
  print(diagnostic, isError ? "error" : "warning");
  for (Diagnostic &note : diagnostic.getNotes())
    print(note, "note");
}

static DialectRegistry makeRegistry() {
  DialectRegistry registry;
  registerAllDialects(registry);
  codegen::registerKernels(registry);
  return registry;
}

// Up to the plan a module is one long function, which threads have nothing to
// share of.
CommandContext::CommandContext()
    : context(makeRegistry(), MLIRContext::Threading::DISABLED),
      diagnostics(&context, printDiagnostic) {
  context.loadAllAvailableDialects();
  context.printOpOnDiagnostic(false);
}

void CommandContext::enableThreads(unsigned count) {
  if (count == 1)
    return;
  threads = std::make_unique<llvm::DefaultThreadPool>(
      llvm::hardware_concurrency(count));
  context.setThreadPool(*threads);
}
