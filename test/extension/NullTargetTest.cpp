//===- NullTargetTest.cpp - A target from outside -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/extension/NullTarget.h"
#include "codegen/AllTargets.h"
#include "codegen/kernels/Arithmetic.h"
#include "dialects/AllDialects.h"
#include "frontends/ModelBuilder.h"
#include "frontends/SpecificationAttr.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Verifier.h"
#include "passes/kernels/Passes.h"
#include "passes/plan/Passes.h"
#include "passes/train/Passes.h"
#include "passes/zero/Passes.h"
#include "report/PlanReport.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace tessera;

namespace {

class NullTargetTest : public testing::Test {
protected:
  static void SetUpTestSuite() {
    registerAllTargets();
    registerTarget(extension::createNullTarget());
  }

  NullTargetTest() {
    DialectRegistry registry;
    registerAllDialects(registry);
    codegen::registerKernels(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// The example bloom-tiny, planned for \p target.
  OwningOpRef<ModuleOp> plan(StringRef target) {
    std::string errors;
    llvm::raw_string_ostream stream(errors);
    auto specification = loadSpecification(
        TESSERA_SOURCE_DIR "/examples/bloom-tiny.textproto", {}, stream);
    EXPECT_TRUE(specification) << errors;
    OwningOpRef<ModuleOp> module = buildModel(*specification, context);
    if (target != "cpu")
      setTarget(*module, target);
    PassManager manager(&context, ModuleOp::getOperationName());
    train::buildPipeline(manager, {});
    zero::buildZeroPipeline(manager);
    kernels::buildPipeline(manager);
    if (const Target *found = getTarget(*module))
      manager.addPass(found->createShapeKernels());
    plan::buildPlanPipeline(manager);
    if (failed(manager.run(*module)))
      return {};
    return module;
  }

  /// Gives \p module's specification the target \p name and what is \p
  /// offloaded.
  void setTarget(ModuleOp module, StringRef name,
                 spec::Offload offload = spec::Offload::None) {
    spec::SpecificationAttr old = spec::getSpecification(module);
    spec::ParallelAttr parallel = old.getParallel();
    Attribute target =
        parseAttribute(("#spec.target<\"" + name + "\">").str(), &context);
    module->setAttr(
        spec::SpecificationAttr::attributeName,
        spec::SpecificationAttr::get(
            &context, old.getName(), old.getModel(), old.getTraining(),
            spec::ParallelAttr::get(
                &context, parallel.getWorld(), parallel.getZeroStage(),
                parallel.getPrefetch(), parallel.getBucketBytes(),
                parallel.getPersistenceThreshold(), parallel.getGatherBytes(),
                parallel.getPrefetchBytes(), parallel.getShardRanks(),
                parallel.getSecondaryRanks(), parallel.getQuantizedGathers(),
                offload),
            cast<spec::TargetAttrInterface>(target), old.getTied(),
            old.getFingerprint(), old.getConfig(), old.getTokenizer()));
  }

  MLIRContext context;
};

TEST_F(NullTargetTest, IsPlannedAsOthersAreButForScratchMemory) {
  OwningOpRef<ModuleOp> null = plan("null"), cpu = plan("cpu");
  ASSERT_TRUE(null && cpu);
  auto nullReport = PlanReport::make(*null), cpuReport = PlanReport::make(*cpu);
  ASSERT_TRUE(succeeded(nullReport) && succeeded(cpuReport));
  for (int64_t i = 0; i < plan::categoryCount; ++i) {
    auto category = static_cast<plan::Category>(i);
    if (category != plan::Category::Workspace) {
      EXPECT_EQ(nullReport->memory[i], cpuReport->memory[i])
          << plan::stringifyCategory(category).str();
    }
  }
  EXPECT_EQ(nullReport->flops, cpuReport->flops);
  EXPECT_EQ(nullReport->getVolume(), cpuReport->getVolume());
  EXPECT_EQ(nullReport->machine.name, "an assumed machine of no speed");
}

TEST_F(NullTargetTest, WritesItsObject) {
  OwningOpRef<ModuleOp> module = plan("null");
  ASSERT_TRUE(module);
  const Target *target = getTarget(*module);
  PassManager manager(&context, ModuleOp::getOperationName());
  target->buildPipeline(manager);
  ASSERT_TRUE(succeeded(manager.run(*module)));
  auto objects = target->emitObjects(*module, /*inOne=*/true, nullptr);
  ASSERT_TRUE(succeeded(objects));
  ASSERT_EQ(objects->size(), 1U);
  EXPECT_EQ(objects->front().str().str(),
            "train: 79 launches, 51 GEMMs, 21 collectives\n"
            "eval: 14 launches, 17 GEMMs, 0 collectives\n"
            "validate: 15 launches, 17 GEMMs, 7 collectives\n"
            "predict: 14 launches, 17 GEMMs, 0 collectives\n");
}

TEST_F(NullTargetTest, ValidatesASpecification) {
  std::string error;
  ScopedDiagnosticHandler handler(
      &context, [&](Diagnostic &diagnostic) { error = diagnostic.str(); });
  OwningOpRef<ModuleOp> module = plan("null");
  ASSERT_TRUE(module);
  EXPECT_TRUE(succeeded(verifySpecificationAttr(*module)));
  setTarget(*module, "null", spec::Offload::Optimizer);
  EXPECT_TRUE(failed(verifySpecificationAttr(*module)));
  EXPECT_EQ(error, "`parallel.offload`: what only counts keeps no states in a "
                   "file; leave it out");
}

TEST_F(NullTargetTest, ATargetThatNobodyRegisteredIsNamed) {
  std::string error;
  ScopedDiagnosticHandler handler(
      &context, [&](Diagnostic &diagnostic) { error = diagnostic.str(); });
  EXPECT_FALSE(plan("abacus"));
  EXPECT_EQ(error,
            "no target 'abacus' is known; the targets are cpu, cuda, null");
}

} // namespace
