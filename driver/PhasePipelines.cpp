//===- PhasePipelines.cpp - The pipelines of phases -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/PhasePipelines.h"
#include "codegen/Passes.h"
#include "codegen/cpu/Passes.h"
#include "codegen/cuda/Passes.h"
#include "codegen/kernels/Passes.h"
#include "passes/kernels/Passes.h"
#include "passes/plan/Passes.h"
#include "passes/train/Passes.h"
#include "passes/zero/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace tessera;

namespace {

/// How a phase is run, and how what it leaves is checked.
struct PhaseForm {
  void (*build)(OpPassManager &manager, const Target &target,
                const Recomputation &recomputation);
  std::unique_ptr<Pass> (*createVerifier)();
};

void buildModel(OpPassManager &manager) {
  manager.addPass(train::createVerifyModel());
  manager.addPass(train::createNameLayers());
}

void buildTrain(OpPassManager &manager, const Recomputation &recomputation) {
  train::RecomputeOptions options;
  options.whole = recomputation.whole;
  options.cheap = recomputation.cheap;
  train::buildPipeline(manager, options);
}

/// In the order of Phase, without the executable, which is no module.
constexpr PhaseForm forms[] = {
    {[](OpPassManager &manager, const Target &, const Recomputation &) {
       buildModel(manager);
     },
     [] { return train::createVerifyModel(); }},
    {[](OpPassManager &manager, const Target &,
        const Recomputation &recomputation) {
       buildTrain(manager, recomputation);
     },
     [] { return train::createVerifyTrain(); }},
    {[](OpPassManager &manager, const Target &, const Recomputation &) {
       zero::buildZeroPipeline(manager);
     },
     [] { return zero::createVerifyZero(); }},
    {[](OpPassManager &manager, const Target &, const Recomputation &) {
       kernels::buildPipeline(manager);
     },
     [] { return kernels::createVerifyKernels(); }},
    {[](OpPassManager &manager, const Target &target, const Recomputation &) {
       manager.addPass(target.createShapeKernels());
       plan::buildPlanPipeline(manager);
     },
     [] { return plan::createVerifyPlan(); }},
    {[](OpPassManager &manager, const Target &target, const Recomputation &) {
       target.buildPipeline(manager);
     },
     [] { return createVerifyTarget(); }}};
static_assert(std::size(forms) == static_cast<size_t>(Phase::Executable));

const PhaseForm &getForm(Phase phase) {
  return forms[static_cast<size_t>(phase)];
}

} // namespace

void tessera::buildPhase(Phase phase, const Target &target,
                         const Recomputation &recomputation,
                         OpPassManager &manager) {
  if (phase != Phase::Executable)
    getForm(phase).build(manager, target, recomputation);
}

std::unique_ptr<Pass> tessera::createPhaseVerifier(Phase phase) {
  return getForm(std::min(phase, Phase::Target)).createVerifier();
}

namespace {

/// What is recomputed, which `tessera` decides by plans.
struct TrainOptions : PassPipelineOptions<TrainOptions> {
  Option<int64_t> whole{
      *this, "whole",
      llvm::cl::desc("Segments, from the first, that are recomputed; negative: "
                     "all, if the specification says so, or none"),
      llvm::cl::init(-1)};
  Option<int64_t> cheap{
      *this, "cheap",
      llvm::cl::desc("Segments, from the first, of which at least what is "
                     "cheap is recomputed"),
      llvm::cl::init(0)};
};

/// A pipeline is built before there is a module to ask.
struct TargetOptions : PassPipelineOptions<TargetOptions> {
  Option<std::string> target{
      *this, "target",
      llvm::cl::desc("The target that the specification names: cpu, cuda"),
      llvm::cl::init("cpu")};
};

} // namespace

static void registerForTarget(Phase phase, StringRef name,
                              StringRef description) {
  PassPipelineRegistration<TargetOptions>(
      name, description,
      [phase](OpPassManager &manager, const TargetOptions &options) {
        const Target *target = findTarget(options.target);
        if (!target)
          llvm::report_fatal_error(
              llvm::Twine(getUnknownTargetText(options.target)),
              /*gen_crash_diag=*/false);
        buildPhase(phase, *target, {}, manager);
      });
}

/// The upstream passes that targets lower kernels by.
static void registerLoweringPasses() {
  registerTransformsPasses();
  registerConversionPasses();
  arith::registerArithPasses();
  memref::registerMemRefPasses();
}

void tessera::registerPhasePipelines() {
  registerLoweringPasses();
  train::registerTrainPasses();
  zero::registerZeroPasses();
  kernels::registerKernelsPasses();
  plan::registerPlanPasses();
  registerTargetPasses();
  codegen::registerCodegenPasses();
  cpu::registerCPUPasses();
  cuda::registerCUDAPasses();
  cuda::registerCUDAPipeline();

  PassPipelineRegistration<>(
      "model-pipeline", "The phase model: verify, name layers", buildModel);
  PassPipelineRegistration<TrainOptions>(
      "train-pipeline",
      "The phase train: precision, differentiation, recomputation",
      [](OpPassManager &manager, const TrainOptions &options) {
        buildTrain(manager, {options.whole, options.cheap});
      });
  zero::registerZeroPipeline();
  PassPipelineRegistration<>("kernels-pipeline",
                             "The phase kernels: GEMMs, fusion, outlining",
                             kernels::buildPipeline);
  registerForTarget(Phase::Plan, "plan-pipeline",
                    "The phase plan: buffers, offsets and lifetimes");
  registerForTarget(Phase::Target, "target-pipeline",
                    "The phase target: the LLVM dialect");
}
