//===- tessera.cpp - The compiler's command line ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     tessera compile SPEC -o EXE [--set path=value]...
//     tessera plan SPEC [--format text|json|html]
//     tessera plan SPEC --sweep path=values... [--format text|csv|json|html]
//     tessera plan SPEC --fit MEMORY [--vary path]
//     tessera calibrate [-o FILE]
//
//===----------------------------------------------------------------------===//

#include "codegen/AllTargets.h"
#include "dialects/AllDialects.h"
#include "dialects/Spec.h"
#include "frontends/ByteSize.h"
#include "frontends/Machine.h"
#include "frontends/ModelBuilder.h"
#include "frontends/Specification.h"
#include "report/PlanPicture.h"
#include "report/PlanReport.h"
#include "target/Target.h"
#include "tools/tessera/Calibrate.h"
#include "tools/tessera/Fit.h"
#include "tools/tessera/LastResorts.h"
#include "tools/tessera/Link.h"
#include "tools/tessera/MemoryLimit.h"
#include "tools/tessera/Output.h"
#include "tools/tessera/Phases.h"
#include "tools/tessera/Sweep.h"

#include "codegen/kernels/Arithmetic.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"

using namespace mlir;
using namespace tessera;
namespace cl = llvm::cl;

namespace {

cl::OptionCategory category("Options");
cl::SubCommand compileCommand("compile", "Compile a specification");
cl::SubCommand planCommand("plan", "Say what training would take, and stop");
cl::SubCommand calibrateCommand("calibrate",
                                "Measure this machine, for plans to predict "
                                "times");

cl::opt<std::string> input(cl::Positional, cl::Required,
                           cl::desc("specification"), cl::value_desc("SPEC"),
                           cl::cat(category), cl::sub(compileCommand),
                           cl::sub(planCommand));
cl::opt<std::string> output("o", cl::desc("File to write"),
                            cl::value_desc("FILE"), cl::cat(category),
                            cl::sub(compileCommand), cl::sub(planCommand),
                            cl::sub(calibrateCommand));
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

cl::opt<std::string> kernelReport(
    "kernel-report",
    cl::desc("Write into FILE what the CUDA assembler says of each device "
             "function, as JSON: registers, spills, shared memory"),
    cl::value_desc("FILE"), cl::cat(category), cl::sub(compileCommand));

cl::opt<bool> timing("timing", cl::desc("Print the time of each pass"),
                     cl::cat(category), cl::sub(compileCommand),
                     cl::sub(planCommand));

enum class Format { Text, Json, Csv, Html };
cl::opt<Format>
    format("format", cl::desc("How to print the plan"),
           cl::values(clEnumValN(Format::Text, "text", "tables"),
                      clEnumValN(Format::Json, "json", "JSON"),
                      clEnumValN(Format::Csv, "csv",
                                 "comma-separated values, of a sweep"),
                      clEnumValN(Format::Html, "html",
                                 "a page with a picture of the step")),
           cl::init(Format::Text), cl::cat(category), cl::sub(planCommand));
cl::opt<std::string>
    machineFile("machine",
                cl::desc("Predict times for the machine that FILE describes, "
                         "as calibrate writes it"),
                cl::value_desc("FILE"), cl::cat(category),
                cl::sub(planCommand));
cl::list<std::string>
    sweeps("sweep",
           cl::desc("Plan with each of these values: a,b,c or 1..1024*2; "
                    "several sweeps combine"),
           cl::value_desc("path=values"), cl::cat(category),
           cl::sub(planCommand));
cl::opt<std::string>
    fitMemory("fit",
              cl::desc("Find the value of a field at which a rank just fits "
                       "MEMORY, such as 32GB"),
              cl::value_desc("MEMORY"), cl::cat(category),
              cl::sub(planCommand));
cl::opt<std::string>
    vary("vary",
         cl::desc("The field that --fit varies, and the values to try "
                  "(default: the model's layers, up to 65536)"),
         cl::value_desc("path[=values]"), cl::cat(category),
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

/// What the command line names to be read: each text is read once.
struct Inputs {
  SourceText source;
  std::optional<SourceText> machine;

  const SourceText *getMachine() const { return machine ? &*machine : nullptr; }
};

FailureOr<Inputs> readInputs() {
  Inputs inputs;
  if (compileFrom.empty()) {
    std::optional<SourceText> source = loadSource(input, llvm::errs());
    if (!source)
      return failure();
    inputs.source = std::move(*source);
  } else {
    llvm::Expected<SourceText> source =
        readSource(input, maxModuleBytes,
                   "give the path of a module, as --compile-to writes it");
    if (!source)
      return fail(input + ": " + llvm::toString(source.takeError()));
    inputs.source = std::move(*source);
  }
  if (!machineFile.empty()) {
    inputs.machine = loadMachine(machineFile, llvm::errs());
    if (!inputs.machine)
      return failure();
  }
  return inputs;
}

/// The module that --compile-from names, as its phase leaves it.
OwningOpRef<ModuleOp> parseModule(MLIRContext &context, const Inputs &inputs,
                                  Phase from) {
  // The parser calls itself for each bracket within another, the verifier and
  // printer for each attribute and type.
  llvm::StringRef text = inputs.source.text;
  size_t deep = findNesting(text, maxModuleNesting, "//");
  if (deep != llvm::StringRef::npos) {
    (void)fail(inputs.source.path + ":" +
               llvm::Twine(text.take_front(deep).count('\n') + 1) +
               ": brackets and aliases stand " + llvm::Twine(maxModuleNesting) +
               " deep within one another, or an alias for " +
               llvm::Twine(maxAliasParts) + " others; no module needs that");
    return {};
  }
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(
      text, ParserConfig(&context), inputs.source.path);
  if (module && inputs.machine) {
    std::optional<spec::Machine> machine =
        parseMachine(*inputs.machine, llvm::errs());
    if (!machine)
      return {};
    (*module)->setAttr(machineAttrName, machineAttr(*machine, context));
  }
  if (module && (failed(verifySpecificationAttr(*module)) ||
                 failed(verifyPhase(*module, from))))
    return {};
  return module;
}

/// What a compilation starts from.
struct Beginning {
  OwningOpRef<ModuleOp> module;
  std::string limitPlace; ///< where its memory limit was given
  std::string graph;      ///< the file of a graph, if it names one
};

/// Without a module where there was an error.
Beginning start(MLIRContext &context, const Inputs &inputs, Phase from) {
  if (compileFrom.empty()) {
    std::optional<Specification> specification = parseSpecification(
        inputs.source, overrides, llvm::errs(), inputs.getMachine());
    if (!specification)
      return {};
    return {buildModel(*specification, context),
            specification->memoryLimitPlace, specification->graphPath};
  }
  if (!overrides.empty()) {
    (void)fail("--set changes a specification, and --compile-from reads a "
               "module; drop one of them");
    return {};
  }
  return {parseModule(context, inputs, from), input, ""};
}

/// What a command writes, opened before it works.
struct Outputs {
  Output main, kernelReport;
};

/// Opens what the options name; \p graph is a file that is read besides what
/// other options name, or empty.
LogicalResult openOutputs(Outputs &outputs, llvm::StringRef graph) {
  std::vector<runtime::UsedFile> used = {
      {compileFrom.empty() ? "the specification" : "the module", input},
      {"the machine's description", machineFile},
      {"the graph", graph.str()}};
  if (llvm::Error error = outputs.main.open(output, used))
    return fail(llvm::toString(std::move(error)));
  if (kernelReport.empty())
    return success();
  if (llvm::Error error = outputs.kernelReport.open(kernelReport, used))
    return fail("--kernel-report: " + llvm::toString(std::move(error)));
  return success();
}

LogicalResult write(Output &output,
                    llvm::function_ref<void(llvm::raw_ostream &)> print) {
  if (llvm::Error error = output.write(print))
    return fail(llvm::toString(std::move(error)));
  return success();
}

LogicalResult writeModule(ModuleOp module, Output &output) {
  return write(output, [&](llvm::raw_ostream &out) {
    module.print(out);
    out << "\n";
  });
}

LogicalResult writePlan(ModuleOp module, Output &output) {
  if (format == Format::Csv)
    return fail("--format=csv is for --sweep; choose text, json or html");
  FailureOr<PlanReport> report = PlanReport::make(module);
  if (failed(report))
    return failure();
  return write(output, [&](llvm::raw_ostream &out) {
    if (format == Format::Json)
      printPlanJson(*report, out);
    else if (format == Format::Html)
      printPlanPicture(module, *report, out);
    else
      printPlanText(*report, out);
  });
}

/// Plans of the specification that \p inputs has.
Planner makePlanner(const Inputs &inputs) {
  return Planner(inputs.source,
                 Planner::Settings(overrides.begin(), overrides.end()),
                 inputs.machine);
}

/// The same for --sweep and --fit, whose output is opened.
FailureOr<Planner> makeVariantPlanner(Outputs &outputs) {
  if (!compileFrom.empty())
    return fail("--sweep and --fit change a specification, and --compile-from "
                "reads a module; drop one of them");
  if (!dumpDirectory.empty() || timing)
    return fail("--dump-phases-to and --timing are for one plan; drop them, or "
                "--sweep and --fit");
  FailureOr<Inputs> inputs = readInputs();
  if (failed(inputs))
    return failure();
  // Without what is varied it may not be whole.
  std::optional<Specification> specification = parseSpecification(
      inputs->source, overrides, llvm::nulls(), inputs->getMachine());
  if (failed(
          openOutputs(outputs, specification ? specification->graphPath : "")))
    return failure();
  return makePlanner(*inputs);
}

LogicalResult runSweep() {
  if (!vary.empty())
    return fail("--vary is for --fit; add --fit=MEMORY");
  std::vector<Axis> axes;
  for (const std::string &text : sweeps) {
    llvm::Expected<Axis> axis = parseAxis("sweep", text, false);
    if (!axis)
      return fail(llvm::toString(axis.takeError()));
    axes.push_back(std::move(*axis));
  }
  Outputs outputs;
  FailureOr<Planner> planner = makeVariantPlanner(outputs);
  if (failed(planner))
    return failure();
  llvm::Expected<Sweep> sweep = Sweep::run(*planner, std::move(axes));
  if (!sweep)
    return fail(llvm::toString(sweep.takeError()));
  LogicalResult written = write(outputs.main, [&](llvm::raw_ostream &out) {
    switch (format) {
    case Format::Text:
      return sweep->printText(out);
    case Format::Csv:
      return sweep->printCsv(out);
    case Format::Json:
      return sweep->printJson(out);
    case Format::Html:
      return sweep->printHtml(llvm::sys::path::stem(input), out);
    }
  });
  return success(succeeded(written) && sweep->hasPlan());
}

LogicalResult runFit() {
  if (!sweeps.empty())
    return fail("--sweep and --fit exclude each other; drop one of them");
  if (format != Format::Text && format != Format::Json)
    return fail("--fit prints text or json; choose one of them");
  std::optional<int64_t> limit = parseByteSize(fitMemory);
  if (!limit)
    return fail("--fit " + fitMemory +
                ": no amount of memory; write a size with its unit, such as "
                "32GB or 1.5TiB");
  Outputs outputs;
  FailureOr<Planner> planner = makeVariantPlanner(outputs);
  if (failed(planner))
    return failure();
  std::string field = vary;
  if (field.empty())
    field = planner->hasTransformer() ? "transformer.layers" : "gnn.layers";
  llvm::Expected<Axis> axis = parseAxis("vary", field, true);
  if (!axis)
    return fail(llvm::toString(axis.takeError()));
  llvm::Expected<Fit> fit = Fit::run(*planner, std::move(*axis), *limit);
  if (!fit)
    return fail(llvm::toString(fit.takeError()));
  return write(outputs.main, [&](llvm::raw_ostream &out) {
    if (format == Format::Json)
      fit->printJson(out);
    else
      fit->printText(out);
  });
}

/// An empty file that goes when this does, or a signal ends the process.
class TemporaryFile {
public:
  ~TemporaryFile() { llvm::sys::DontRemoveFileOnSignal(path); }

  LogicalResult make(StringRef suffix) {
    if (std::error_code error =
            llvm::sys::fs::createTemporaryFile("tessera", suffix, path))
      return fail("cannot make a temporary file: " + error.message());
    remover.setFile(path);
    llvm::sys::RemoveFileOnSignal(path);
    return success();
  }
  StringRef getPath() const { return path; }

private:
  llvm::SmallString<128> path;
  llvm::FileRemover remover;
};

LogicalResult writeExecutable(ModuleOp module, Outputs &outputs) {
  const Target *target = getTarget(module);
  TemporaryFile object, linked;
  if (!target || failed(object.make("o")) || failed(linked.make("exe")))
    return failure();
  std::string report;
  llvm::raw_string_ostream reportStream(report);
  if (failed(
          target->emitObject(module, object.getPath(),
                             kernelReport.empty() ? nullptr : &reportStream)))
    return failure();
  if (!kernelReport.empty() &&
      failed(write(outputs.kernelReport,
                   [&](llvm::raw_ostream &out) { out << report; })))
    return failure();
  if (llvm::Error error = linkExecutable(object.getPath(), linked.getPath(),
                                         target->getLinkParts(module)))
    return fail(llvm::toString(std::move(error)));
  if (llvm::Error error = outputs.main.writeProgram(linked.getPath()))
    return fail(llvm::toString(std::move(error)));
  return success();
}

LogicalResult runCalibrate() {
  Output file;
  if (llvm::Error error = file.open(output))
    return fail(llvm::toString(std::move(error)));
  std::string figures;
  llvm::raw_string_ostream stream(figures);
  if (llvm::Error error = calibrate(stream))
    return fail(llvm::toString(std::move(error)));
  return write(file, [&](llvm::raw_ostream &out) { out << figures; });
}

/// One line for each diagnostic and each of its notes. The place is said, and
/// no text is opened to show it: a module may name any file as its source.
void printDiagnostic(Diagnostic &diagnostic) {
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

LogicalResult run() {
  DialectRegistry registry;
  registerAllDialects(registry);
  codegen::registerKernels(registry);
  // Up to the plan a module is one long function, which threads have nothing to
  // share of.
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  context.printOpOnDiagnostic(false);
  ScopedDiagnosticHandler diagnostics(&context, printDiagnostic);

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

  FailureOr<Inputs> inputs = readInputs();
  if (failed(inputs))
    return failure();
  Beginning beginning = start(context, *inputs, *from);
  OwningOpRef<ModuleOp> &module = beginning.module;
  // The process ends behind this: to take apart what it has made, operation by
  // operation, would be a good part of its time.
  llvm::scope_exit leave([&] { (void)module.release(); });
  Outputs outputs;
  if (!module || failed(openOutputs(outputs, beginning.graph)))
    return failure();
  Phase planned = std::min(*to, std::max(*from, Phase::Plan));
  if (failed(runPhases(*module, *from, planned, dumpDirectory, timing)))
    return failure();
  Planner planner = makePlanner(*inputs);
  if (failed(checkMemoryLimit(*module, beginning.limitPlace,
                              compileFrom.empty() ? &planner : nullptr,
                              llvm::errs())))
    return failure();
  if (planned < *to) {
    // Kernels are lowered one by one.
    context.enableMultithreading();
    if (failed(runPhases(*module, planned, *to, dumpDirectory, timing)))
      return failure();
  }
  if (planCommand)
    return writePlan(*module, outputs.main);
  return *to == Phase::Executable ? writeExecutable(*module, outputs)
                                  : writeModule(*module, outputs.main);
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  installLastResorts();
  registerAllTargets();
  cl::HideUnrelatedOptions(category);
  cl::HideUnrelatedOptions(category, compileCommand);
  cl::HideUnrelatedOptions(category, planCommand);
  cl::HideUnrelatedOptions(category, calibrateCommand);
  cl::ParseCommandLineOptions(argc, argv,
                              "Tessera compiles a model's specification into "
                              "one training executable\n");
  if (calibrateCommand)
    return failed(runCalibrate());
  if (!compileCommand && !planCommand) {
    llvm::errs() << "tessera: error: say what to do: tessera compile SPEC -o "
                    "EXE, tessera plan SPEC, or tessera calibrate (see tessera "
                    "--help)\n";
    return 1;
  }
  if (!fitMemory.empty())
    return failed(runFit());
  if (!sweeps.empty() || !vary.empty())
    return failed(runSweep());
  return failed(run());
}
