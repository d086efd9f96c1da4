//===- tessera.cpp - The compiler's command line ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
//     tessera compile SPEC -o EXE [--set path=value]...
//     tessera plan SPEC [--format text|json]
//
//===----------------------------------------------------------------------===//

#include "codegen/PlanReport.h"
#include "codegen/cpu/ObjectEmission.h"
#include "dialects/AllDialects.h"
#include "frontends/ModelBuilder.h"
#include "frontends/Specification.h"
#include "passes/Spec.h"
#include "tools/tessera/Link.h"
#include "tools/tessera/MemoryLimit.h"
#include "tools/tessera/Phases.h"

#include "codegen/cpu/KernelInterface.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
using namespace tessera;
namespace cl = llvm::cl;

namespace {

cl::OptionCategory category("Options");
cl::SubCommand compileCommand("compile", "Compile a specification");
cl::SubCommand planCommand("plan", "Say what training would take, and stop");

cl::opt<std::string> input(cl::Positional, cl::Required,
                           cl::desc("specification"), cl::value_desc("SPEC"),
                           cl::cat(category), cl::sub(compileCommand),
                           cl::sub(planCommand));
cl::opt<std::string> output("o", cl::desc("File to write"),
                            cl::value_desc("FILE"), cl::cat(category),
                            cl::sub(compileCommand), cl::sub(planCommand));
cl::list<std::string> overrides("set",
                                cl::desc("Set a field of the specification"),
                                cl::value_desc("path=value"), cl::cat(category),
                                cl::sub(compileCommand), cl::sub(planCommand));
cl::opt<std::string>
    compileTo("compile-to",
              cl::desc("Stop after PHASE (model, train, zero, kernels, "
                       "plan, target) and write its module"),
              cl::value_desc("PHASE"), cl::init("executable"),
              cl::cat(category), cl::sub(compileCommand));
cl::opt<std::string> compileFrom(
    "compile-from",
    cl::desc("SPEC is a module as PHASE leaves it; go on from there"),
    cl::value_desc("PHASE"), cl::cat(category), cl::sub(compileCommand),
    cl::sub(planCommand));
cl::opt<std::string>
    dumpDirectory("dump-phases-to",
                  cl::desc("Write each phase's module into DIR"),
                  cl::value_desc("DIR"), cl::cat(category),
                  cl::sub(compileCommand), cl::sub(planCommand));

cl::opt<bool> timing("timing", cl::desc("Print the time of each pass"),
                     cl::cat(category), cl::sub(compileCommand),
                     cl::sub(planCommand));

enum class Format { Text, Json };
cl::opt<Format> format("format", cl::desc("How to print the plan"),
                       cl::values(clEnumValN(Format::Text, "text", "a table"),
                                  clEnumValN(Format::Json, "json", "JSON")),
                       cl::init(Format::Text), cl::cat(category),
                       cl::sub(planCommand));

LogicalResult fail(const llvm::Twine &message) {
  llvm::errs() << "tessera: error: " << message << "\n";
  return failure();
}

/// The phase that an option names; \p otherwise where it was not given.
FailureOr<Phase> readPhase(const cl::opt<std::string> &option,
                           Phase otherwise) {
  if (option.empty())
    return otherwise;
  if (std::optional<Phase> phase = parsePhase(option))
    return *phase;
  return fail("--" + option.ArgStr + "=" + option + ": no such phase; choose " +
              llvm::join(getPhaseNames(), ", "));
}

/// The module that a compilation starts from.
OwningOpRef<ModuleOp> readModule(MLIRContext &context, Origin &origin) {
  origin = {input, overrides, input, compileFrom.empty()};
  if (compileFrom.empty()) {
    std::optional<Specification> specification =
        loadSpecification(input, overrides, llvm::errs());
    if (!specification)
      return {};
    origin.limitPlace = specification->memoryLimitPlace;
    return buildModel(*specification, context);
  }
  if (!overrides.empty()) {
    (void)fail("--set changes a specification, and --compile-from reads a "
               "module; drop one of them");
    return {};
  }
  return parseSourceFile<ModuleOp>(input, ParserConfig(&context));
}

LogicalResult writeModule(ModuleOp module) {
  std::string message;
  auto file = openOutputFile(output.empty() ? "-" : output.c_str(), &message);
  if (!file)
    return fail(message);
  module.print(file->os());
  file->os() << "\n";
  file->keep();
  return success();
}

LogicalResult writeExecutable(ModuleOp module) {
  llvm::SmallString<128> object;
  if (std::error_code error =
          llvm::sys::fs::createTemporaryFile("tessera", "o", object))
    return fail("cannot make a temporary file: " + error.message());
  llvm::FileRemover remover(object);
  if (failed(cpu::emitObject(module, object)))
    return failure();
  bool mpi = getSpecInt(module, "training.world", 1) > 1;
  if (llvm::Error error = linkExecutable(object, output, mpi))
    return fail(llvm::toString(std::move(error)));
  return success();
}

LogicalResult run() {
  DialectRegistry registry;
  registerAllDialects(registry);
  cpu::registerKernels(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler diagnostics(sources, &context);

  FailureOr<Phase> from = readPhase(compileFrom, Phase::Model);
  FailureOr<Phase> to = planCommand ? FailureOr<Phase>(Phase::Plan)
                                    : readPhase(compileTo, Phase::Executable);
  if (failed(from) || failed(to))
    return failure();
  if (*from > *to)
    return fail("--compile-from=" + compileFrom + " lies behind " +
                getPhaseName(*to));
  if (*to == Phase::Executable && output.empty())
    return fail("an executable needs a name: add -o EXE");

  Origin origin;
  OwningOpRef<ModuleOp> module = readModule(context, origin);
  Phase planned = std::min(*to, std::max(*from, Phase::Plan));
  if (!module ||
      failed(runPhases(*module, *from, planned, dumpDirectory, timing)) ||
      failed(checkMemoryLimit(*module, origin, llvm::errs())))
    return failure();
  if (planned < *to &&
      failed(runPhases(*module, planned, *to, dumpDirectory, timing)))
    return failure();
  if (planCommand) {
    std::string message;
    auto file = openOutputFile(output.empty() ? "-" : output.c_str(), &message);
    if (!file)
      return fail(message);
    if (failed(format == Format::Json ? printPlanJson(*module, file->os())
                                      : printPlanText(*module, file->os())))
      return failure();
    file->keep();
    return success();
  }
  return *to == Phase::Executable ? writeExecutable(*module)
                                  : writeModule(*module);
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::HideUnrelatedOptions(category, compileCommand);
  cl::HideUnrelatedOptions(category, planCommand);
  cl::ParseCommandLineOptions(argc, argv,
                              "Tessera compiles a model's specification into "
                              "one training executable\n");
  if (!compileCommand && !planCommand) {
    llvm::errs() << "tessera: error: say what to do: tessera compile SPEC -o "
                    "EXE, or tessera plan SPEC (see tessera --help)\n";
    return 1;
  }
  return failed(run());
}
