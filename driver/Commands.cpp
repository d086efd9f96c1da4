//===- Commands.cpp - The commands of the compiler --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Commands.h"
#include "driver/Calibrate.h"
#include "driver/CommandContext.h"
#include "driver/CommandInputs.h"
#include "driver/HeldSignals.h"
#include "driver/Link.h"
#include "driver/MemoryLimit.h"
#include "driver/Variants.h"
#include "report/GenerationReport.h"
#include "report/PlanChart.h"
#include "report/PlanReport.h"
#include "runtime/core/Text.h"
#include "target/LinkLibraries.h"
#include "target/Target.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Signals.h"

#include <deque>

using namespace mlir;
using namespace tessera;

namespace {

/// The phase that \p option calls \p name; \p otherwise where it was not given.
FailureOr<Phase> readPhase(llvm::StringRef option, const std::string &name,
                           Phase otherwise) {
  if (name.empty())
    return otherwise;
  if (std::optional<Phase> phase = parsePhase(name))
    return *phase;
  return failCommand(option + "=" + name + ": no such phase; choose " +
                     llvm::join(getPhaseNames(), ", "));
}

LogicalResult writeModule(ModuleOp module, Output &output) {
  return writeOutput(output, [&](llvm::raw_ostream &out) {
    module.print(out);
    out << "\n";
  });
}

/// The bytes of --memory; 0 where it is not given.
FailureOr<int64_t> readMemory(const CommandOptions &options) {
  if (options.memory.empty())
    return 0;
  if (std::optional<int64_t> bytes = runtime::parseByteSize(options.memory))
    return *bytes;
  return failCommand("--memory " + options.memory +
                     ": no amount of memory; write a size with its unit, such "
                     "as 80GB or 1.5TiB");
}

/// \p planner makes plans with other settings; null where there is no
/// specification to change.
LogicalResult writePlan(const CommandOptions &options, ModuleOp module,
                        int64_t limit, const Planner *planner, Output &output) {
  if (options.format == PlanFormat::Csv)
    return failCommand(
        "--format=csv is for --sweep; choose text, json or html");
  SmallVector<ModuleOp> models, generating;
  for (ModuleOp model : spec::getModels(module))
    (spec::getGeneration(model) ? generating : models).push_back(model);
  std::vector<PlanReport> reports;
  for (ModuleOp model : models) {
    FailureOr<PlanReport> report = PlanReport::make(model);
    if (failed(report))
      return failure();
    report->limit = limit;
    if (limit > 0 && report->peak > limit && planner)
      report->remedies = findRemedies(model, *planner, limit);
    reports.push_back(std::move(*report));
  }
  if (!reports.empty() && reports.front().machine.isForeign)
    llvm::errs() << "tessera: warning: the machine given is one of CPUs (it "
                    "has `cores`), and the target is CUDA: times are predicted "
                    "for "
                 << reports.front().machine.name << "\n";
  return writeOutput(output, [&](llvm::raw_ostream &out) {
    if (options.format == PlanFormat::Html)
      return printPlanChart(models, reports, out);
    bool isList = options.format == PlanFormat::Json &&
                  reports.size() + generating.size() > 1;
    StringRef separator = isList ? "," : "\n", next = "";
    out << (isList ? "[" : "");
    for (const PlanReport &report : reports) {
      out << std::exchange(next, separator);
      if (options.format == PlanFormat::Json)
        printPlanJson(report, out);
      else
        printPlanText(report, out);
    }
    for (ModuleOp model : generating) {
      out << separator;
      if (options.format == PlanFormat::Json)
        printGenerationJson(model, out);
      else
        printGenerationText(model, out);
    }
    out << (isList ? "]\n" : "");
  });
}

/// An empty file that goes when this does, or a signal ends the process.
class TemporaryFile {
public:
  ~TemporaryFile() { llvm::sys::DontRemoveFileOnSignal(path); }

  LogicalResult make(StringRef suffix) {
    HeldSignals held;
    if (std::error_code error =
            llvm::sys::fs::createTemporaryFile("tessera", suffix, path))
      return failCommand("cannot make a temporary file: " + error.message());
    remover.setFile(path);
    llvm::sys::RemoveFileOnSignal(path);
    return success();
  }
  StringRef getPath() const { return path; }

private:
  llvm::SmallString<128> path;
  llvm::FileRemover remover;
};

LogicalResult writeExecutable(const CommandOptions &options, ModuleOp module,
                              Outputs &outputs) {
  SmallVector<ModuleOp> models = spec::getModels(module);
  std::deque<TemporaryFile> files(models.size());
  std::vector<std::string> objects;
  std::vector<std::string> reports;
  LinkParts parts;
  for (auto [model, object] : llvm::zip(models, files)) {
    const Target *target = getTarget(model);
    if (!target || failed(object.make("o")))
      return failure();
    std::string &report = reports.emplace_back();
    llvm::raw_string_ostream stream(report);
    if (failed(target->emitObject(model, object.getPath(),
                                  options.kernelReport.empty() ? nullptr
                                                               : &stream)))
      return failure();
    objects.push_back(object.getPath().str());
    parts.add(target->getLinkParts(model));
    // The runtime names zlib's functions weakly: other executables have none.
    spec::AuditAttr audit = spec::getAudit(model);
    if (audit && audit.getSetting() == spec::AuditSetting::Documents)
      parts.add(
          {{}, {"-Wl,-u,compress2,-u,compressBound", libraries::zlib.str()}});
    // Registers itself with the runtime, which names nothing of it.
    if (spec::getSpecification(model).getTokenizer())
      parts.add({{"text", "tokenizer"},
                 {"-Wl,-u,tessera_text_codec", libraries::oniguruma.str(),
                  libraries::icu.str(), libraries::zlib.str(),
                  libraries::zstd.str()}});
  }
  if (!options.kernelReport.empty() &&
      failed(writeOutput(outputs.kernelReport, [&](llvm::raw_ostream &out) {
        bool isList = reports.size() > 1;
        out << (isList ? "[" : "") << llvm::join(reports, ",")
            << (isList ? "]\n" : "");
      })))
    return failure();
  TemporaryFile linked;
  if (failed(linked.make("exe")))
    return failure();
  if (llvm::Error error = linkExecutable(objects, linked.getPath(), parts))
    return failCommand(llvm::toString(std::move(error)));
  if (llvm::Error error = outputs.main.writeProgram(linked.getPath()))
    return failCommand(llvm::toString(std::move(error)));
  return success();
}

/// Compiles the specification, or prints its plan.
LogicalResult compileOnce(const CommandOptions &options, bool planOnly) {
  CommandContext owner;
  MLIRContext &context = owner.get();

  FailureOr<Phase> from =
      readPhase("--compile-from", options.compileFrom, Phase::Model);
  FailureOr<Phase> to = planOnly ? FailureOr<Phase>(Phase::Plan)
                                 : readPhase("--compile-to", options.compileTo,
                                             Phase::Executable);
  if (failed(from) || failed(to))
    return failure();
  if (*from > *to)
    return failCommand("--compile-from=" + options.compileFrom +
                       " lies behind " + getPhaseName(*to));
  if (*to == Phase::Executable && options.output.empty())
    return failCommand("an executable needs a name: add -o EXE");

  FailureOr<int64_t> memory = readMemory(options);
  if (failed(memory))
    return failure();
  FailureOr<Inputs> inputs = readInputs(options);
  if (failed(inputs))
    return failure();
  Beginning beginning = startCompilation(context, options, *inputs, *from);
  OwningOpRef<ModuleOp> &module = beginning.module;
  // The process ends behind this: to take apart what it has made, operation by
  // operation, would be a good part of its time.
  llvm::scope_exit leave([&] { (void)module.release(); });
  Outputs outputs;
  if (!module || failed(openOutputs(options, outputs, beginning.graphs)))
    return failure();
  Phase planned = std::min(*to, std::max(*from, Phase::Plan));
  if (failed(runPhases(*module, *from, planned, options.dumpDirectory,
                       options.timing)))
    return failure();
  Planner planner = makePlanner(options, *inputs);
  for (ModuleOp model : spec::getModels(*module))
    if (failed(checkMemoryLimit(
            model, beginning.limitPlace,
            options.compileFrom.empty() ? &planner : nullptr, llvm::errs())))
      return failure();
  if (planned < *to) {
    // Kernels are lowered one by one.
    context.enableMultithreading();
    if (failed(runPhases(*module, planned, *to, options.dumpDirectory,
                         options.timing)))
      return failure();
  }
  if (planOnly)
    return writePlan(options, *module, *memory,
                     options.compileFrom.empty() ? &planner : nullptr,
                     outputs.main);
  return *to == Phase::Executable ? writeExecutable(options, *module, outputs)
                                  : writeModule(*module, outputs.main);
}

} // namespace

LogicalResult tessera::runCompile(const CommandOptions &options) {
  return compileOnce(options, /*planOnly=*/false);
}

LogicalResult tessera::runPlan(const CommandOptions &options) {
  bool isOne = options.fitMemory.empty() && options.sweeps.empty();
  if (!options.memory.empty() && !isOne)
    return failCommand("--memory is for one plan; give --fit " +
                       options.memory +
                       ", or training.memory_limit with "
                       "--sweep");
  if (!options.fitMemory.empty())
    return runFit(options);
  if (!options.sweeps.empty() || !options.vary.empty())
    return runSweep(options);
  return compileOnce(options, /*planOnly=*/true);
}

LogicalResult tessera::runCalibrate(const CommandOptions &options) {
  Output file;
  if (llvm::Error error = file.open(options.output))
    return failCommand(llvm::toString(std::move(error)));
  std::string figures;
  llvm::raw_string_ostream stream(figures);
  if (llvm::Error error = calibrate(stream))
    return failCommand(llvm::toString(std::move(error)));
  return writeOutput(file, [&](llvm::raw_ostream &out) { out << figures; });
}
