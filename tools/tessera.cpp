//===- tessera.cpp - The compiler's command line ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/AllTargets.h"
#include "driver/Commands.h"
#include "driver/LastResorts.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"

using namespace tessera;
namespace cl = llvm::cl;

namespace {

cl::OptionCategory category("Options");
cl::SubCommand compileCommand("compile", "Compile a specification");
cl::SubCommand planCommand("plan", "Say what training would take, and stop");
cl::SubCommand importCommand("import",
                             "Write the specification of a published model");
cl::SubCommand calibrateCommand("calibrate",
                                "Measure this machine, for plans to predict "
                                "times");

cl::opt<std::string> input(cl::Positional, cl::Required,
                           cl::desc("specification"), cl::value_desc("SPEC"),
                           cl::cat(category), cl::sub(compileCommand),
                           cl::sub(planCommand));
cl::opt<std::string> folder(cl::Positional, cl::Required,
                            cl::desc("published folder"), cl::value_desc("DIR"),
                            cl::cat(category), cl::sub(importCommand));
cl::opt<std::string> output("o", cl::desc("File to write"),
                            cl::value_desc("FILE"), cl::cat(category),
                            cl::sub(compileCommand), cl::sub(planCommand),
                            cl::sub(importCommand), cl::sub(calibrateCommand));
cl::list<std::string> overrides("set",
                                cl::desc("Set a field of the specification"),
                                cl::value_desc("path=value"), cl::cat(category),
                                cl::sub(compileCommand), cl::sub(planCommand),
                                cl::sub(importCommand));
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

cl::opt<PlanFormat>
    format("format", cl::desc("How to print the plan"),
           cl::values(clEnumValN(PlanFormat::Text, "text", "tables"),
                      clEnumValN(PlanFormat::Json, "json", "JSON"),
                      clEnumValN(PlanFormat::Csv, "csv",
                                 "comma-separated values, of a sweep"),
                      clEnumValN(PlanFormat::Html, "html",
                                 "a page with a chart of the step")),
           cl::init(PlanFormat::Text), cl::cat(category), cl::sub(planCommand));
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

CommandOptions readOptions() {
  CommandOptions options;
  options.input = importCommand ? folder : input;
  options.output = output;
  options.overrides = overrides;
  options.compileFrom = compileFrom;
  options.compileTo = compileTo;
  options.dumpDirectory = dumpDirectory;
  options.kernelReport = kernelReport;
  options.timing = timing;
  options.format = format;
  options.machine = machineFile;
  options.sweeps = sweeps;
  options.fitMemory = fitMemory;
  options.vary = vary;
  return options;
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  installLastResorts();
  registerAllTargets();
  cl::HideUnrelatedOptions(category);
  cl::HideUnrelatedOptions(category, compileCommand);
  cl::HideUnrelatedOptions(category, planCommand);
  cl::HideUnrelatedOptions(category, importCommand);
  cl::HideUnrelatedOptions(category, calibrateCommand);
  cl::ParseCommandLineOptions(argc, argv,
                              "Tessera compiles a model's specification into "
                              "one training executable\n");
  if (compileCommand)
    return failed(runCompile(readOptions()));
  if (planCommand)
    return failed(runPlan(readOptions()));
  if (importCommand)
    return failed(runImport(readOptions()));
  if (calibrateCommand)
    return failed(runCalibrate(readOptions()));
  llvm::errs() << "tessera: error: say what to do: tessera compile SPEC -o "
                  "EXE, tessera plan SPEC, tessera import DIR -o SPEC, or "
                  "tessera calibrate (see tessera --help)\n";
  return 1;
}
