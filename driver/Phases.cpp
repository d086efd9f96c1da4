//===- Phases.cpp - The phases of a compilation -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Phases.h"
#include "dialects/AttributeNames.h"
#include "dialects/nn/NN.h"
#include "dialects/plan/Plan.h"
#include "dialects/spec/Spec.h"
#include "driver/Output.h"
#include "driver/PhasePipelines.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tessera;

static constexpr llvm::StringLiteral names[] = {
    "model", "train", "zero", "kernels", "plan", "target", "executable"};

ArrayRef<llvm::StringLiteral> tessera::getPhaseNames() { return names; }

StringRef tessera::getPhaseName(Phase phase) {
  return names[static_cast<unsigned>(phase)];
}

std::optional<Phase> tessera::parsePhase(StringRef name) {
  for (auto [index, known] : llvm::enumerate(names))
    if (name == known)
      return static_cast<Phase>(index);
  return std::nullopt;
}

/// The phase that makes operations like \p op.
static Phase getPhaseOf(Operation *op) {
  StringRef dialect = op->getName().getDialectNamespace();
  if (isa<plan::ProgramOp>(op))
    return Phase::Plan;
  if (op->hasAttr(kernelAttrName) || dialect == "plan")
    return Phase::Kernels;
  if (dialect == "zero")
    return Phase::Zero;
  if (dialect == "llvm" || dialect == "gpu")
    return Phase::Target;
  auto function = dyn_cast<func::FuncOp>(op);
  if (function && function.getSymName() == "train")
    return Phase::Train;
  auto parameter = dyn_cast<nn::ParameterOp>(op);
  if (parameter && (parameter.getComputeType() || parameter.getPacked()))
    return Phase::Train;
  return Phase::Model;
}

Phase tessera::recognizePhase(ModuleOp module) {
  Phase phase = Phase::Model;
  module.walk([&](Operation *op) { phase = std::max(phase, getPhaseOf(op)); });
  return phase;
}

void tessera::printModule(ModuleOp module, llvm::raw_ostream &out) {
  module.print(out, OpPrintingFlags()
                        .enableDebugInfo(/*enable=*/true, /*prettyForm=*/false)
                        .printNameLocAsPrefix());
}

static LogicalResult verifyModel(ModuleOp module, Phase phase) {
  PassManager manager(module.getContext(), ModuleOp::getOperationName());
  manager.addPass(createPhaseVerifier(phase));
  return manager.run(module);
}

/// A module is a model or has named models and nothing else.
static LogicalResult verifyModels(ModuleOp module) {
  if (module.getOps<ModuleOp>().empty())
    return success();
  for (Operation &op : *module.getBody()) {
    auto model = dyn_cast<ModuleOp>(op);
    if (!model)
      return op.emitError("stands beside modules: a module is a model or has "
                          "models alone");
    if (!model.getSymName())
      return model.emitError("is one of several models and has no name");
  }
  return success();
}

LogicalResult tessera::verifyPhase(ModuleOp module, Phase phase) {
  if (failed(verifyModels(module)))
    return failure();
  for (ModuleOp model : spec::getModels(module))
    if (failed(verifyModel(model, phase)))
      return failure();
  return success();
}

/// Runs \p phase on \p module. Its operations are verified once, at its end:
/// after each pass would take a fifth of the time.
static LogicalResult runPhase(ModuleOp module, Phase phase,
                              const Recomputation &recomputation,
                              const PhaseWatch &watch = {}) {
  const Target *target = getTarget(module);
  if (!target)
    return failure();
  PassManager manager(module.getContext(), ModuleOp::getOperationName());
  manager.enableVerifier(false);
  buildPhase(phase, *target, recomputation, manager);
  if (watch.takesPassOptions && failed(applyPassManagerCLOptions(manager)))
    return failure();
  TimingScope timing;
  if (watch.timing) {
    timing = watch.timing->nest(getPhaseName(phase));
    manager.enableTiming(timing);
  }
  return success(succeeded(manager.run(module)) && succeeded(verify(module)));
}

/// Plans the training of a copy of \p model, which is as phase `model` leaves
/// it.
static FailureOr<RecomputationPlan>
planTraining(ModuleOp model, const Recomputation &recomputation) {
  OwningOpRef<ModuleOp> copy = model.clone();
  // Other programs have memory of their own.
  auto eraseAllBut = [&](StringRef name) {
    for (auto function :
         llvm::make_early_inc_range(copy->getOps<func::FuncOp>()))
      if (function.getSymName() != name)
        function.erase();
  };
  eraseAllBut("objective");
  for (Phase phase : {Phase::Train, Phase::Zero, Phase::Kernels, Phase::Plan}) {
    if (failed(runPhase(*copy, phase, recomputation)))
      return failure();
    if (phase == Phase::Train)
      eraseAllBut("train");
  }
  RecomputationPlan result;
  if (spec::RecomputedAttr recomputed = spec::getRecomputed(*copy))
    result.segments = recomputed.getSegments();
  auto program = copy->lookupSymbol<plan::ProgramOp>("train");
  if (!program)
    return copy->emitError("no program @train is left to plan");
  result.bytes = program.getArenaBytes();
  return result;
}

static FailureOr<Recomputation> chooseRecomputation(ModuleOp model) {
  auto planner = [&](const Recomputation &recomputation) {
    return planTraining(model, recomputation);
  };
  spec::SpecificationAttr specification = spec::getSpecification(model);
  switch (specification ? specification.getTraining().getRecompute()
                        : spec::Recompute::None) {
  case spec::Recompute::None:
    return Recomputation();
  case spec::Recompute::Layer:
    return chooseLayers(planner);
  case spec::Recompute::Auto:
    return chooseWithin(spec::getMemoryLimit(model), planner);
  }
  llvm_unreachable("all ways to recompute are handled");
}

static LogicalResult refuseDump(ModuleOp module, const Twine &reason) {
  return emitError(UnknownLoc::get(module.getContext()))
         << "--dump-phases-to: " << reason;
}

static LogicalResult dump(ModuleOp module, Phase phase, StringRef directory) {
  SmallString<128> path(directory);
  llvm::sys::path::append(path, std::to_string(static_cast<int>(phase)) + "-" +
                                    getPhaseName(phase) + ".mlir");
  Output file;
  llvm::Error error = file.open(path);
  if (!error)
    error = file.write([&](raw_ostream &out) { printModule(module, out); });
  if (error)
    return refuseDump(module, llvm::toString(std::move(error)));
  return success();
}

LogicalResult tessera::runPhases(ModuleOp module, Phase from, Phase to,
                                 const PhaseWatch &watch) {
  StringRef dumpDirectory = watch.dumpDirectory;
  if (!dumpDirectory.empty())
    if (auto error = llvm::sys::fs::create_directories(dumpDirectory))
      return refuseDump(module,
                        dumpDirectory + " is no folder: " + error.message());
  // A model just built has passed no verifier yet.
  unsigned first = static_cast<unsigned>(from) + (from != Phase::Model);
  unsigned last =
      std::min(static_cast<unsigned>(to), static_cast<unsigned>(Phase::Target));
  SmallVector<ModuleOp> models = spec::getModels(module);
  for (unsigned index = first; index <= last; ++index) {
    auto phase = static_cast<Phase>(index);
    for (ModuleOp model : models) {
      Recomputation recomputation;
      if (phase == Phase::Train && !spec::getGeneration(model)) {
        FailureOr<Recomputation> choice = chooseRecomputation(model);
        if (failed(choice))
          return failure();
        recomputation = *choice;
      }
      if (failed(runPhase(model, phase, recomputation, watch)))
        return failure();
    }
    if (!dumpDirectory.empty() && failed(dump(module, phase, dumpDirectory)))
      return failure();
  }
  return success();
}
