//===- Commands.cpp - The commands of the compiler --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Commands.h"
#include "codegen/CodeForms.h"
#include "driver/Calibrate.h"
#include "driver/CommandContext.h"
#include "driver/CommandInputs.h"
#include "driver/HeldSignals.h"
#include "driver/Link.h"
#include "driver/MemoryLimit.h"
#include "driver/PassOptions.h"
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
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Signals.h"

#include <deque>

using namespace mlir;
using namespace tessera;

namespace {

/// What --compile-to calls what is written of code, beside an executable.
struct CodeName {
  llvm::StringLiteral name;
  std::optional<codegen::CodeForm> form; ///< nothing for an object file
};
constexpr CodeName codeNames[] = {{"llvm", codegen::CodeForm::LlvmIr},
                                  {"asm", codegen::CodeForm::Assembly},
                                  {"obj", std::nullopt},
                                  {"ptx", codegen::CodeForm::Ptx}};

/// What --compile-to asks for.
struct Goal {
  Phase phase; ///< the last one
  /// What is written of the code that it leaves; null for the phase's own.
  const CodeName *code = nullptr;

  bool isFile() const {
    return code ? !code->form : phase == Phase::Executable;
  }
};

/// The phase that --compile-from names, if it was given.
FailureOr<std::optional<Phase>> readBeginning(const CommandOptions &options) {
  std::optional<Phase> phase = parsePhase(options.compileFrom);
  if (!phase && !options.compileFrom.empty())
    return failCommand("--compile-from=" + options.compileFrom +
                       ": no such phase; choose " +
                       llvm::join(getPhaseNames(), ", "));
  return phase;
}

FailureOr<Goal> readGoal(const CommandOptions &options) {
  if (options.compileTo.empty())
    return Goal{Phase::Executable};
  if (std::optional<Phase> phase = parsePhase(options.compileTo))
    return Goal{*phase};
  for (const CodeName &code : codeNames)
    if (options.compileTo == code.name)
      return Goal{Phase::Target, &code};
  auto names = llvm::map_range(codeNames,
                               [](const CodeName &code) { return code.name; });
  return failCommand("--compile-to=" + options.compileTo +
                     ": no such phase; choose " +
                     llvm::join(getPhaseNames(), ", ") + ", or of its code " +
                     llvm::join(names, ", "));
}

/// Whether \p module can become what \p goal asks for.
LogicalResult checkGoal(const CommandOptions &options, const Goal &goal,
                        Phase from, ModuleOp module) {
  if (from > goal.phase && options.compileFrom.empty())
    return failCommand(options.input + ": is a module of phase " +
                       getPhaseName(from) + ", which lies behind " +
                       getPhaseName(goal.phase));
  SmallVector<ModuleOp> models = spec::getModels(module);
  if (!goal.code || models.size() == 1)
    return success();
  return failCommand("--compile-to=" + goal.code->name +
                     " writes the code of one model, and " + options.input +
                     " has " + llvm::Twine(models.size()) +
                     "; compile to an executable, or stop at the phase target");
}

LogicalResult writeModule(ModuleOp module, Output &output) {
  return writeOutput(output, [&](llvm::raw_ostream &out) {
    printModule(module, out);
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

  /// Makes one of \p bytes.
  LogicalResult write(StringRef suffix, StringRef bytes) {
    if (failed(make(suffix)))
      return failure();
    std::error_code error;
    llvm::raw_fd_ostream stream(path, error);
    if (!error)
      stream << bytes;
    stream.close();
    if (!error)
      error = stream.error();
    stream.clear_error();
    if (error)
      return failCommand("cannot write " + path + ": " + error.message());
    return success();
  }

  StringRef getPath() const { return path; }

private:
  llvm::SmallString<128> path;
  llvm::FileRemover remover;
};

/// The object files of \p models, with one of each where \p inOne; writes the
/// report on their kernels.
FailureOr<std::vector<ObjectFile>> emitObjects(const CommandOptions &options,
                                               ArrayRef<ModuleOp> models,
                                               bool inOne, Outputs &outputs) {
  std::vector<ObjectFile> objects;
  std::vector<std::string> reports;
  for (ModuleOp model : models) {
    const Target *target = getTarget(model);
    if (!target)
      return failure();
    std::string &report = reports.emplace_back();
    llvm::raw_string_ostream stream(report);
    FailureOr<std::vector<ObjectFile>> emitted = target->emitObjects(
        model, inOne, options.kernelReport.empty() ? nullptr : &stream);
    if (failed(emitted))
      return failure();
    llvm::move(*emitted, std::back_inserter(objects));
  }
  if (options.kernelReport.empty())
    return objects;
  if (failed(writeOutput(outputs.kernelReport, [&](llvm::raw_ostream &out) {
        bool isList = reports.size() > 1;
        out << (isList ? "[" : "") << llvm::join(reports, ",")
            << (isList ? "]\n" : "");
      })))
    return failure();
  return objects;
}

/// Writes the code of \p module, one model in phase target, as \p code names
/// it.
LogicalResult writeCode(const CommandOptions &options, ModuleOp module,
                        const CodeName &code, Outputs &outputs) {
  ModuleOp model = spec::getModels(module).front();
  if (!code.form) {
    FailureOr<std::vector<ObjectFile>> objects =
        emitObjects(options, model, /*inOne=*/true, outputs);
    if (failed(objects))
      return failure();
    return writeOutput(
        outputs.main, [&](llvm::raw_ostream &out) { out << objects->front(); });
  }
  TemporaryFile file;
  if (failed(file.make(code.name)) ||
      failed(codegen::emitCode(model, *code.form, file.getPath())))
    return failure();
  auto text = llvm::MemoryBuffer::getFile(file.getPath(), /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!text)
    return failCommand("cannot read " + file.getPath() + ": " +
                       text.getError().message());
  return writeOutput(outputs.main, [&](llvm::raw_ostream &out) {
    out << (*text)->getBuffer();
  });
}

LogicalResult writeExecutable(const CommandOptions &options, ModuleOp module,
                              Outputs &outputs, TimingScope &timing) {
  SmallVector<ModuleOp> models = spec::getModels(module);
  TimingScope emission = timing.nest("objects");
  FailureOr<std::vector<ObjectFile>> objects =
      emitObjects(options, models, /*inOne=*/false, outputs);
  if (failed(objects))
    return failure();
  emission.stop();
  std::deque<TemporaryFile> files;
  std::vector<std::string> paths;
  for (ObjectFile &object : *objects) {
    if (failed(files.emplace_back().write("o", object)))
      return failure();
    paths.push_back(files.back().getPath().str());
    object = ObjectFile();
  }
  LinkParts parts;
  for (ModuleOp model : models) {
    parts.add(getTarget(model)->getLinkParts(model));
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
  TimingScope linking = timing.nest("link");
  TemporaryFile linked;
  if (failed(linked.make("exe")))
    return failure();
  if (llvm::Error error = linkExecutable(paths, linked.getPath(), parts))
    return failCommand(llvm::toString(std::move(error)));
  if (llvm::Error error = outputs.main.writeProgram(linked.getPath()))
    return failCommand(llvm::toString(std::move(error)));
  return success();
}

/// Compiles the specification, or prints its plan.
LogicalResult compileOnce(const CommandOptions &options, bool planOnly) {
  CommandContext owner;
  MLIRContext &context = owner.get();

  FailureOr<std::optional<Phase>> named = readBeginning(options);
  FailureOr<Goal> goal =
      planOnly ? FailureOr<Goal>(Goal{Phase::Plan}) : readGoal(options);
  if (failed(named) || failed(goal))
    return failure();
  if (*named > goal->phase)
    return failCommand("--compile-from=" + options.compileFrom +
                       " lies behind " + getPhaseName(goal->phase));
  if (goal->isFile() && options.output.empty())
    return failCommand(goal->code ? "an object file needs a name: add -o FILE"
                                  : "an executable needs a name: add -o EXE");

  FailureOr<int64_t> memory = readMemory(options);
  if (failed(memory))
    return failure();
  FailureOr<Inputs> inputs = readInputs(options);
  if (failed(inputs))
    return failure();
  DefaultTimingManager times;
  applyDefaultTimingManagerCLOptions(times);
  if (options.timing)
    times.setEnabled(true);
  TimingScope timing = times.getRootScope();
  TimingScope reading = timing.nest("read");
  Beginning beginning = startCompilation(context, options, *inputs, *named);
  reading.stop();
  OwningOpRef<ModuleOp> &module = beginning.module;
  // The process ends behind this: to take apart what it has made, operation by
  // operation, would be a good part of its time.
  llvm::scope_exit leave([&] { (void)module.release(); });
  Outputs outputs;
  if (!module || failed(checkGoal(options, *goal, beginning.phase, *module)) ||
      failed(openOutputs(options, *inputs, outputs, beginning.graphs)))
    return failure();
  PhaseWatch watch = {options.dumpDirectory, /*takesPassOptions=*/true,
                      &timing};
  Phase planned = std::min(goal->phase, std::max(beginning.phase, Phase::Plan));
  if (failed(runPhases(*module, beginning.phase, planned, watch)))
    return failure();
  Planner planner = makePlanner(options, *inputs);
  const Planner *variants = inputs->isModule ? nullptr : &planner;
  for (ModuleOp model : spec::getModels(*module))
    if (failed(checkMemoryLimit(model, beginning.limitPlace, variants,
                                llvm::errs())))
      return failure();
  if (planned < goal->phase) {
    // Kernels are lowered one by one.
    if (!needOnePassAtATime())
      owner.enableThreads(options.threads);
    if (failed(runPhases(*module, planned, goal->phase, watch)))
      return failure();
  }
  if (planOnly)
    return writePlan(options, *module, *memory, variants, outputs.main);
  if (goal->code)
    return writeCode(options, *module, *goal->code, outputs);
  return goal->phase == Phase::Executable
             ? writeExecutable(options, *module, outputs, timing)
             : writeModule(*module, outputs.main);
}

} // namespace

LogicalResult tessera::runCompile(const CommandOptions &options) {
  return compileOnce(options, /*planOnly=*/false);
}

LogicalResult tessera::runPlan(const CommandOptions &options) {
  bool isOne = options.fitMemory.empty() && options.sweeps.empty();
  if (!options.memory.empty() && !isOne)
    return failCommand("--memory is for one plan; " +
                       (options.sweeps.empty()
                            ? "--fit says how much there is"
                            : "with --sweep give --set training.memory_limit=" +
                                  options.memory));
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
