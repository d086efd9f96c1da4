//===- CompilerPhases.cpp - The compiler's phases in a fuzz target --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Arithmetic.h"
#include "frontends/ModelBuilder.h"
#include "frontends/SourceText.h"
#include "frontends/SpecificationAttr.h"
#include "mlir/Parser/Parser.h"
#include "target/Target.h"
#include "test/fuzz/CompilerContext.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::fuzz;

OwningOpRef<ModuleOp> CompilerContext::parse(StringRef text) {
  if (findNesting(text, maxModuleNesting, "//") != StringRef::npos)
    return {};
  auto module =
      parseSourceString<ModuleOp>(text, ParserConfig(&context()), "input");
  requireReason(static_cast<bool>(module));
  return module;
}

void CompilerContext::enter(ModuleOp module, Phase from) {
  loadKernels();
  bool isSound = succeeded(verifySpecificationAttr(module)) &&
                 succeeded(verifyPhase(module, from));
  requireReason(isSound);
  if (isSound)
    compile(module, from);
}

/// Where the modules of an input go, a folder of their own each: below
/// TESSERA_FUZZ_DUMP, as seeds for the target of modules; nowhere without it.
static std::string dumpFolder() {
  static const char *parent = getenv("TESSERA_FUZZ_DUMP");
  static unsigned inputs = 0;
  return parent ? parent + ("/" + std::to_string(inputs++)) : "";
}

void CompilerContext::compile(ModuleOp module, Phase from) {
  if (!module)
    return;
  loadKernels();
  requireReason(succeeded(
      runPhases(module, from, Phase::Target, {.dumpDirectory = dumpFolder()})));
}

void CompilerContext::loadKernels() {
  DialectRegistry kernels;
  codegen::registerKernels(kernels);
  context().appendDialectRegistry(kernels);
}
