//===- Planner.cpp - Plans of many specifications at once -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Planner.h"
#include "codegen/kernels/Arithmetic.h"
#include "dialects/AllDialects.h"
#include "dialects/spec/Spec.h"
#include "driver/Phases.h"
#include "frontends/ModelBuilder.h"
#include "frontends/TextReader.h"
#include "report/Figures.h"
#include "target/Target.h"

#include "llvm/Support/JSON.h"

#include <atomic>
#include <thread>

using namespace mlir;
using namespace tessera;

/// The lines of \p errors without their places, on one line.
static std::string joinErrors(StringRef errors) {
  std::string all;
  SmallVector<StringRef> lines;
  errors.split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (StringRef line : lines) {
    auto [place, what] = line.split(": error: ");
    all += (all.empty() ? "" : " | ") + (what.empty() ? line : what).str();
  }
  // Reports are UTF-8, a value that an error repeats may be anything.
  return llvm::json::isUTF8(all) ? all : llvm::json::fixUTF8(all);
}

Planner::Settings Planner::join(const Settings &settings) const {
  Settings all = common;
  all.insert(all.end(), settings.begin(), settings.end());
  return all;
}

bool Planner::hasTransformer() const {
  Diagnostics diagnostics(source.path, llvm::nulls());
  spec::Specification message;
  (void)readText(source.text, source.path, message, diagnostics);
  return !message.has_gnn();
}

bool Planner::isValid(const Settings &settings) const {
  return parseSpecification(source, join(settings), llvm::nulls(), getMachine())
      .has_value();
}

Planner::Outcome Planner::plan(const Settings &settings) const {
  std::string errors;
  llvm::raw_string_ostream stream(errors);
  std::optional<Specification> specification =
      parseSpecification(source, join(settings), stream, getMachine());
  if (!specification)
    return {std::nullopt, joinErrors(errors)};
  DialectRegistry registry;
  registerAllDialects(registry);
  codegen::registerKernels(registry);
  // The cores have plans of their own to make.
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  context.printOpOnDiagnostic(false);
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      stream << diagnostic.str() << "\n";
  });
  OwningOpRef<ModuleOp> module = buildModel(*specification, context);
  if (module && succeeded(runPhases(*module, Phase::Model, Phase::Plan))) {
    FailureOr<PlanReport> report =
        PlanReport::make(spec::getModels(*module).front());
    int64_t limit = spec::getMemoryLimit(spec::getModels(*module).front());
    if (succeeded(report) && report->peak > limit)
      return {std::nullopt, "takes " + formatBytes(report->peak) +
                                " per rank, `training.memory_limit` is " +
                                formatBytes(limit)};
    if (succeeded(report))
      return {std::move(*report), ""};
  }
  return {std::nullopt, joinErrors(errors)};
}

std::vector<Planner::Outcome>
Planner::plan(const std::vector<Settings> &variants) const {
  for (const std::unique_ptr<Target> &target : getTargets())
    target->prepare();
  std::vector<Outcome> outcomes(variants.size());
  std::atomic<size_t> next = 0;
  auto work = [&] {
    for (size_t i = next++; i < variants.size(); i = next++)
      outcomes[i] = plan(variants[i]);
  };
  size_t count = std::min<size_t>(
      variants.size(), std::max(1u, std::thread::hardware_concurrency()));
  std::vector<std::thread> threads;
  for (size_t i = 1; i < count; ++i)
    threads.emplace_back(work);
  work();
  for (std::thread &thread : threads)
    thread.join();
  return outcomes;
}
