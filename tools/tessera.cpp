//===- tessera.cpp - The compiler's command line ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/AllTargets.h"
#include "driver/CommandLine.h"
#include "driver/Commands.h"
#include "driver/Describe.h"
#include "driver/LastResorts.h"
#include "driver/PassOptions.h"
#include "driver/RunLogs.h"
#include "driver/TextCommands.h"
#include "driver/Version.h"

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
cl::SubCommand importDeepSpeedCommand("import-deepspeed",
                                      "Write the settings of a ds_config.json "
                                      "as --set lines");
cl::SubCommand calibrateCommand("calibrate",
                                "Measure this machine, for plans to predict "
                                "times");

cl::SubCommand tokenizeCommand("tokenize",
                               "Write the tokens of texts as an MMIDIDX pair");
cl::SubCommand detokenizeCommand("detokenize",
                                 "Write the text of a file of tokens");
cl::SubCommand trainTokenizerCommand("train-tokenizer",
                                     "Learn a tokenizer from texts");

cl::SubCommand plotCommand("plot",
                           "Write a page with the curves of runs, or with a "
                           "profile over its plan");
cl::SubCommand tensorBoardCommand("tensorboard",
                                  "Write a run's log as TensorBoard reads it");
cl::SubCommand describeCommand("describe",
                               "Write these commands as a manual page, or for "
                               "a shell to complete");

cl::opt<std::string> input(cl::Positional, cl::Required,
                           cl::desc("specification, or module in MLIR"),
                           cl::value_desc("SPEC"), cl::cat(category),
                           cl::sub(compileCommand), cl::sub(planCommand));
cl::opt<std::string> folder(cl::Positional, cl::Required,
                            cl::desc("published folder"), cl::value_desc("DIR"),
                            cl::cat(category), cl::sub(importCommand));
cl::opt<std::string> deepSpeedConfig(cl::Positional, cl::Required,
                                     cl::desc("configuration of DeepSpeed"),
                                     cl::value_desc("FILE"), cl::cat(category),
                                     cl::sub(importDeepSpeedCommand));
cl::opt<unsigned>
    world("world",
          cl::desc("Ranks, which the configuration does not say: batches "
                   "depend on them"),
          cl::value_desc("N"), cl::cat(category),
          cl::sub(importDeepSpeedCommand));
cl::opt<std::string>
    output("o", cl::desc("File to write"), cl::value_desc("FILE"),
           cl::cat(category), cl::sub(compileCommand), cl::sub(planCommand),
           cl::sub(importCommand), cl::sub(importDeepSpeedCommand),
           cl::sub(calibrateCommand), cl::sub(plotCommand),
           cl::sub(tokenizeCommand), cl::sub(detokenizeCommand),
           cl::sub(trainTokenizerCommand), cl::sub(describeCommand));
cl::list<std::string> overrides("set",
                                cl::desc("Set a field of the specification"),
                                cl::value_desc("path=value"), cl::cat(category),
                                cl::sub(compileCommand), cl::sub(planCommand),
                                cl::sub(importCommand), cl::sub(plotCommand));
cl::opt<std::string>
    compileTo("compile-to",
              cl::desc("Stop after PHASE (model, train, zero, kernels, "
                       "plan, target) and write its module, or the code as "
                       "llvm, asm, obj or, of a GPU, ptx"),
              cl::value_desc("PHASE|llvm|asm|obj|ptx"), cl::init("executable"),
              cl::cat(category), cl::sub(compileCommand));
cl::opt<std::string> compileFrom(
    "compile-from",
    cl::desc("SPEC is a module as PHASE leaves it; go on from there "
             "(default: the phase that its operations are of)"),
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
           cl::value_desc("text|json|csv|html"),
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
                cl::value_desc("FILE"), cl::cat(category), cl::sub(planCommand),
                cl::sub(plotCommand));
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
    memory("memory",
           cl::desc("Say whether a rank of MEMORY, such as 80GB, is enough, by "
                    "how much, and what would help"),
           cl::value_desc("MEMORY"), cl::cat(category), cl::sub(planCommand));
cl::opt<std::string>
    vary("vary",
         cl::desc("The field that --fit varies, and the values to try "
                  "(default: the model's layers, up to 65536)"),
         cl::value_desc("path[=values]"), cl::cat(category),
         cl::sub(planCommand));

cl::list<std::string> texts(cl::Positional, cl::OneOrMore,
                            cl::desc("texts (.jsonl or other, also as .gz or "
                                     ".zst)"),
                            cl::value_desc("FILE"), cl::cat(category),
                            cl::sub(tokenizeCommand),
                            cl::sub(trainTokenizerCommand));
cl::opt<std::string> tokens(cl::Positional, cl::Required,
                            cl::desc("file of tokens"),
                            cl::value_desc("TOKENS"), cl::cat(category),
                            cl::sub(detokenizeCommand));
cl::opt<std::string>
    tokenizer("tokenizer", cl::Required,
              cl::desc("tokenizer.json, or a folder that has it"),
              cl::value_desc("T"), cl::cat(category), cl::sub(tokenizeCommand),
              cl::sub(detokenizeCommand));
cl::opt<std::string>
    field("field", cl::desc("What a line of .jsonl calls its text (text)"),
          cl::value_desc("NAME"), cl::cat(category), cl::sub(tokenizeCommand),
          cl::sub(detokenizeCommand), cl::sub(trainTokenizerCommand));
cl::opt<std::string>
    endToken("end",
             cl::desc("Token that ends a document (what "
                      "tokenizer_config.json has as eos_token; of "
                      "train-tokenizer the one it writes there: </s>)"),
             cl::value_desc("TOKEN"), cl::cat(category),
             cl::sub(tokenizeCommand), cl::sub(trainTokenizerCommand));
cl::opt<bool> noEnd("no-end", cl::desc("End documents with no token"),
                    cl::cat(category), cl::sub(tokenizeCommand));
cl::opt<bool> textLines("lines",
                        cl::desc("A document is a line of any file, not the "
                                 "file"),
                        cl::cat(category), cl::sub(tokenizeCommand));
cl::opt<bool> addSpecial("add-special",
                         cl::desc("Add what the tokenizer's template has "
                                  "around a text"),
                         cl::cat(category), cl::sub(tokenizeCommand));
cl::opt<bool> specialAsText("special-as-text",
                            cl::desc("Take special tokens in a text for text"),
                            cl::cat(category), cl::sub(tokenizeCommand));
cl::opt<bool> keepSpecial("keep-special", cl::desc("Write special tokens, too"),
                          cl::cat(category), cl::sub(detokenizeCommand));
cl::opt<unsigned> threads("threads", cl::desc("Threads (the cores)"),
                          cl::value_desc("N"), cl::cat(category),
                          cl::sub(compileCommand), cl::sub(tokenizeCommand),
                          cl::sub(trainTokenizerCommand));

cl::opt<unsigned> vocabulary("vocabulary", cl::Required,
                             cl::desc("Tokens to have"), cl::value_desc("N"),
                             cl::cat(category), cl::sub(trainTokenizerCommand));
cl::opt<unsigned> minFrequency("min-frequency",
                               cl::desc("Least times that a pair is there"),
                               cl::value_desc("N"), cl::cat(category),
                               cl::sub(trainTokenizerCommand));
cl::opt<std::string> split("split", cl::init("bloom"),
                           cl::desc("How words are found: bloom (default), "
                                    "gpt2, llama3, qwen2"),
                           cl::value_desc("bloom|gpt2|llama3|qwen2"),
                           cl::cat(category), cl::sub(trainTokenizerCommand));
cl::list<std::string>
    specialTokens("special", cl::CommaSeparated,
                  cl::desc("Tokens that are no text (<unk>,<s>,</s>,<pad>)"),
                  cl::value_desc("TOKENS"), cl::cat(category),
                  cl::sub(trainTokenizerCommand));

cl::list<std::string> logs(cl::Positional, cl::OneOrMore,
                           cl::desc("logs, as train --log writes them, or "
                                    "traces, as train --profile does"),
                           cl::value_desc("LOG"), cl::cat(category),
                           cl::sub(plotCommand));
cl::opt<std::string> tracePlan("plan",
                               cl::desc("Show above the steps of a trace what "
                                        "the plan of SPEC predicts"),
                               cl::value_desc("SPEC"), cl::cat(category),
                               cl::sub(plotCommand));
cl::opt<std::string> plotBy("by", cl::init("step"),
                            cl::desc("What curves are over: step (default), "
                                     "tokens or epoch"),
                            cl::value_desc("step|tokens|epoch"),
                            cl::cat(category), cl::sub(plotCommand));
cl::opt<unsigned> smooth("smooth", cl::init(1),
                         cl::desc("Draw means of N lines, above pale ones of "
                                  "each (1)"),
                         cl::value_desc("N"), cl::cat(category),
                         cl::sub(plotCommand));
cl::opt<std::string> eventLog(cl::Positional, cl::Required,
                              cl::desc("log, as train --log writes it"),
                              cl::value_desc("LOG"), cl::cat(category),
                              cl::sub(tensorBoardCommand));
cl::opt<std::string> eventFolder(cl::Positional, cl::Required,
                                 cl::desc("folder of the run"),
                                 cl::value_desc("DIR"), cl::cat(category),
                                 cl::sub(tensorBoardCommand));
cl::opt<bool> follow("follow",
                     cl::desc("Go on with what the run adds, until a signal"),
                     cl::cat(category), cl::sub(tensorBoardCommand));

cl::opt<std::string> tableForm("as", cl::init("man"),
                               cl::desc("A page for man (default), or what "
                                        "completes words in a shell"),
                               cl::value_desc("man|bash|zsh"),
                               cl::cat(category), cl::sub(describeCommand));

TextOptions readTextOptions() {
  TextOptions options;
  options.inputs = texts;
  if (detokenizeCommand)
    options.inputs = {tokens};
  options.tokenizer = tokenizer;
  options.output = output;
  options.field = field;
  options.end = endToken;
  options.noEnd = noEnd;
  options.lines = textLines;
  options.addSpecial = addSpecial;
  options.specialAsText = specialAsText;
  options.keepSpecial = keepSpecial;
  options.threads = threads;
  options.vocabulary = vocabulary;
  options.minFrequency = minFrequency;
  options.split = split;
  options.special = specialTokens;
  if (specialTokens.empty())
    options.special = {"<unk>", "<s>", "</s>", "<pad>"};
  return options;
}

PlotOptions readPlotOptions() {
  PlotOptions options;
  options.logs = logs;
  options.output = output;
  options.by = plotBy;
  options.smooth = smooth;
  options.plan = tracePlan;
  options.overrides = overrides;
  options.machine = machineFile;
  return options;
}

CommandOptions readOptions() {
  CommandOptions options;
  options.input = importCommand            ? folder
                  : importDeepSpeedCommand ? deepSpeedConfig
                                           : input;
  options.output = output;
  options.overrides = overrides;
  options.compileFrom = compileFrom;
  options.compileTo = compileTo;
  options.dumpDirectory = dumpDirectory;
  options.kernelReport = kernelReport;
  options.timing = timing;
  options.threads = threads;
  options.format = format;
  options.machine = machineFile;
  options.sweeps = sweeps;
  options.fitMemory = fitMemory;
  options.vary = vary;
  options.memory = memory;
  options.world = world;
  return options;
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  installLastResorts();
  registerAllTargets();
  setVersionPrinter("tessera");
  registerPassOptions({&compileCommand, &planCommand}, category);
  cl::HideUnrelatedOptions(category);
  cl::HideUnrelatedOptions(category, compileCommand);
  cl::HideUnrelatedOptions(category, planCommand);
  cl::HideUnrelatedOptions(category, importCommand);
  cl::HideUnrelatedOptions(category, importDeepSpeedCommand);
  cl::HideUnrelatedOptions(category, calibrateCommand);
  cl::HideUnrelatedOptions(category, plotCommand);
  cl::HideUnrelatedOptions(category, tensorBoardCommand);
  cl::HideUnrelatedOptions(category, tokenizeCommand);
  cl::HideUnrelatedOptions(category, detokenizeCommand);
  cl::HideUnrelatedOptions(category, trainTokenizerCommand);
  cl::HideUnrelatedOptions(category, describeCommand);
  if (failed(checkCommandLine({argv + 1, static_cast<size_t>(argc - 1)})))
    return 1;
  cl::ParseCommandLineOptions(argc, argv,
                              "Tessera compiles a model's specification into "
                              "one training executable\n");
  if (compileCommand)
    return failed(runCompile(readOptions()));
  if (planCommand)
    return failed(runPlan(readOptions()));
  if (importCommand)
    return failed(runImport(readOptions()));
  if (importDeepSpeedCommand)
    return failed(runImportDeepSpeed(readOptions()));
  if (calibrateCommand)
    return failed(runCalibrate(readOptions()));
  if (plotCommand)
    return failed(runPlot(readPlotOptions()));
  if (tensorBoardCommand)
    return failed(runTensorBoard({eventLog, eventFolder, follow}));
  if (tokenizeCommand)
    return failed(runTokenize(readTextOptions()));
  if (detokenizeCommand)
    return failed(runDetokenize(readTextOptions()));
  if (trainTokenizerCommand)
    return failed(runTrainTokenizer(readTextOptions()));
  if (describeCommand)
    return failed(runDescribe(tableForm, output));
  llvm::errs() << "tessera: error: say what to do: tessera compile SPEC -o "
                  "EXE, tessera plan SPEC, or another command (see tessera "
                  "--help)\n";
  return 1;
}
