//===- Variants.cpp - The commands that plan variants -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Variants.h"
#include "driver/CommandInputs.h"
#include "driver/Fit.h"
#include "driver/PassOptions.h"
#include "driver/Sweep.h"
#include "frontends/Specification.h"
#include "runtime/core/Text.h"

#include "llvm/Support/Path.h"

using namespace mlir;
using namespace tessera;

/// Plans variants for --sweep and --fit, whose output is opened.
static FailureOr<Planner> makeVariantPlanner(const CommandOptions &options,
                                             Outputs &outputs) {
  StringRef single = !options.dumpDirectory.empty() ? "dump-phases-to"
                     : options.timing               ? "timing"
                                                    : findGivenPassOption();
  if (!single.empty())
    return failCommand("--" + single +
                       " is for one plan; drop it, or --sweep and --fit");
  FailureOr<Inputs> inputs = readInputs(options);
  if (failed(inputs))
    return failure();
  if (inputs->isModule)
    return failCommand("--sweep and --fit change a specification, and " +
                       options.input + " is a module; drop one of them");
  // Without what is varied it may not be whole.
  std::optional<Specification> specification = parseSpecification(
      inputs->source, options.overrides, llvm::nulls(), inputs->getMachine());
  std::vector<std::string> graphs;
  if (specification)
    graphs = {specification->graphPath, specification->shadowGraphPath};
  if (failed(openOutputs(options, *inputs, outputs, graphs)))
    return failure();
  return makePlanner(options, *inputs);
}

LogicalResult tessera::runSweep(const CommandOptions &options) {
  if (!options.vary.empty())
    return failCommand("--vary is for --fit; add --fit=MEMORY");
  std::vector<Axis> axes;
  for (const std::string &text : options.sweeps) {
    llvm::Expected<Axis> axis = parseAxis("sweep", text, false);
    if (!axis)
      return failCommand(llvm::toString(axis.takeError()));
    axes.push_back(std::move(*axis));
  }
  Outputs outputs;
  FailureOr<Planner> planner = makeVariantPlanner(options, outputs);
  if (failed(planner))
    return failure();
  llvm::Expected<Sweep> sweep = Sweep::run(*planner, std::move(axes));
  if (!sweep)
    return failCommand(llvm::toString(sweep.takeError()));
  LogicalResult written =
      writeOutput(outputs.main, [&](llvm::raw_ostream &out) {
        switch (options.format) {
        case PlanFormat::Text:
          return sweep->printText(out);
        case PlanFormat::Csv:
          return sweep->printCsv(out);
        case PlanFormat::Json:
          return sweep->printJson(out);
        case PlanFormat::Html:
          return sweep->printHtml(llvm::sys::path::stem(options.input), out);
        }
      });
  return success(succeeded(written) && sweep->hasPlan());
}

LogicalResult tessera::runFit(const CommandOptions &options) {
  if (!options.sweeps.empty())
    return failCommand(
        "--sweep and --fit exclude each other; drop one of them");
  if (options.format != PlanFormat::Text && options.format != PlanFormat::Json)
    return failCommand("--fit prints text or json; choose one of them");
  std::optional<int64_t> limit = runtime::parseByteSize(options.fitMemory);
  if (!limit)
    return failCommand(
        "--fit " + options.fitMemory +
        ": no amount of memory; write a size with its unit, such as "
        "32GB or 1.5TiB");
  Outputs outputs;
  FailureOr<Planner> planner = makeVariantPlanner(options, outputs);
  if (failed(planner))
    return failure();
  std::string field = options.vary;
  if (field.empty())
    field = planner->hasTransformer() ? "transformer.layers" : "gnn.layers";
  llvm::Expected<Axis> axis = parseAxis("vary", field, true);
  if (!axis)
    return failCommand(llvm::toString(axis.takeError()));
  llvm::raw_ostream *progress =
      llvm::errs().is_displayed() ? &llvm::errs() : nullptr;
  llvm::Expected<Fit> fit =
      Fit::run(*planner, std::move(*axis), *limit, progress);
  if (!fit)
    return failCommand(llvm::toString(fit.takeError()));
  return writeOutput(outputs.main, [&](llvm::raw_ostream &out) {
    if (options.format == PlanFormat::Json)
      fit->printJson(out);
    else
      fit->printText(out);
  });
}
