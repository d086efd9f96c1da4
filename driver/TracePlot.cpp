//===- TracePlot.cpp - Profiles over their plan ---------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/TracePlot.h"
#include "dialects/plan/Plan.h"
#include "dialects/spec/Spec.h"
#include "driver/CommandContext.h"
#include "driver/CommandInputs.h"

#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using namespace tessera;

/// The plan of what \p options call --plan, made in \p context; none, with an
/// error, where it cannot be made.
static OwningOpRef<ModuleOp> makePlan(MLIRContext &context,
                                      const CommandOptions &options,
                                      const Inputs &inputs) {
  Beginning beginning =
      startCompilation(context, options, inputs, /*named=*/std::nullopt);
  if (!beginning.module)
    return {};
  if (beginning.phase > Phase::Plan) {
    (void)failCommand(options.input + ": is a module of phase " +
                      getPhaseName(beginning.phase) + ", which lies behind " +
                      getPhaseName(Phase::Plan));
    return {};
  }
  if (failed(runPhases(*beginning.module, beginning.phase, Phase::Plan)))
    return {};
  return std::move(beginning.module);
}

LogicalResult tessera::plotTraces(const PlotOptions &options,
                                  ArrayRef<NamedTrace> traces) {
  CommandOptions planned;
  planned.input = options.plan;
  planned.overrides = options.overrides;
  planned.machine = options.machine;
  std::vector<runtime::UsedFile> used = {
      {"the specification", options.plan},
      {"the machine's description", options.machine}};
  for (const std::string &path : options.logs)
    used.push_back({"a trace that is read", path});
  Inputs inputs;
  if (!options.plan.empty()) {
    FailureOr<Inputs> read = readInputs(planned);
    if (failed(read))
      return failure();
    inputs = std::move(*read);
  }
  Output output;
  if (llvm::Error error = output.open(options.output, used))
    return failCommand(llvm::toString(std::move(error)));
  CommandContext context;
  OwningOpRef<ModuleOp> module;
  // The process ends behind this.
  llvm::scope_exit leave([&] { (void)module.release(); });
  std::optional<TracePlan> plan;
  if (!options.plan.empty()) {
    module = makePlan(context.get(), planned, inputs);
    if (!module)
      return failure();
    ModuleOp model = spec::getModels(*module).front();
    FailureOr<PlanReport> report = PlanReport::make(model);
    if (failed(report))
      return failure();
    plan = {model.lookupSymbol<plan::ProgramOp>("train"), report->machine};
    for (const NamedTrace &trace : traces)
      if (llvm::Error error = checkTrace(trace.trace, plan->program))
        return failCommand(trace.name + ": " +
                           llvm::toString(std::move(error)));
  }
  return writeOutput(output, [&](llvm::raw_ostream &out) {
    printTracePage(traces, plan ? &*plan : nullptr, out);
  });
}
