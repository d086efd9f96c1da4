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

void tessera::buildPhase(Phase phase, const Target &target,
                         const Recomputation &recomputation,
                         OpPassManager &manager) {
  switch (phase) {
  case Phase::Model:
    manager.addPass(train::createVerifyModel());
    manager.addPass(train::createNameLayers());
    return;
  case Phase::Train: {
    train::RecomputeOptions options;
    options.whole = recomputation.whole;
    options.cheap = recomputation.cheap;
    return train::buildPipeline(manager, options);
  }
  case Phase::Zero:
    return zero::buildZeroPipeline(manager);
  case Phase::Kernels:
    return kernels::buildPipeline(manager);
  case Phase::Plan:
    manager.addPass(target.createShapeKernels());
    return plan::buildPlanPipeline(manager);
  case Phase::Target:
    return target.buildPipeline(manager);
  case Phase::Executable:
    return;
  }
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

  PassPipelineRegistration<>("model-pipeline",
                             "The phase model: verify, name layers",
                             [](OpPassManager &manager) {
                               manager.addPass(train::createVerifyModel());
                               manager.addPass(train::createNameLayers());
                             });
  PassPipelineRegistration<TrainOptions>(
      "train-pipeline",
      "The phase train: precision, differentiation, recomputation",
      [](OpPassManager &manager, const TrainOptions &options) {
        train::RecomputeOptions recompute;
        recompute.whole = options.whole;
        recompute.cheap = options.cheap;
        train::buildPipeline(manager, recompute);
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
