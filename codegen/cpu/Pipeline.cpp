//===- Pipeline.cpp - The phase target on CPUs ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Passes.h"
#include "codegen/cpu/ComposedKernel.h"
#include "codegen/cpu/GeneralKernel.h"
#include "codegen/cpu/KernelFunction.h"
#include "codegen/cpu/Passes.h"
#include "codegen/kernels/Arithmetic.h"
#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "dialects/plan/Plan.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tessera::cpu {
#define GEN_PASS_DEF_BUILDKERNELS
#define GEN_PASS_DEF_SHAPEKERNELS
#include "codegen/cpu/Passes.h.inc"
} // namespace tessera::cpu

using namespace mlir;
using namespace tessera;

/// The kernels of \p module, each before those that it runs; none, with an
/// error, where one of them cannot be built.
static FailureOr<SmallVector<func::FuncOp>> orderKernels(ModuleOp module) {
  if (failed(verifyKernels(module)))
    return failure();
  SmallVector<func::FuncOp> kernels = getKernels(module);
  for (func::FuncOp kernel : kernels)
    if (failed(cpu::verifyComposed(kernel)))
      return failure();
  auto getRank = [](func::FuncOp kernel) {
    bool loops = !kernel.getBody().front().getOps<plan::RowLoopOp>().empty();
    return loops ? 0 : cpu::isComposed(kernel) ? 1 : 2;
  };
  llvm::stable_sort(kernels, [&](func::FuncOp a, func::FuncOp b) {
    return getRank(a) < getRank(b);
  });
  return kernels;
}

namespace {

struct ShapeKernels : cpu::impl::ShapeKernelsBase<ShapeKernels> {
  void runOnOperation() override {
    FailureOr<SmallVector<func::FuncOp>> kernels = orderKernels(getOperation());
    if (failed(kernels))
      return signalPassFailure();
    OpBuilder builder(&getContext());
    for (func::FuncOp kernel : *kernels) {
      cpu::KernelShape shape = cpu::getKernelShape(kernel);
      kernel->setAttr(iterationsAttrName,
                      builder.getI64IntegerAttr(shape.iterations));
      if (!shape.counted.empty())
        kernel->setAttr(countedIterationsAttrName,
                        builder.getDenseI64ArrayAttr(shape.counted));
      kernel->setAttr(scratchAttrName,
                      builder.getI64IntegerAttr(shape.scratchBytes));
      kernel->setAttr(flopsAttrName,
                      builder.getI64IntegerAttr(codegen::getFlops(kernel)));
    }
  }
};

struct BuildKernels : cpu::impl::BuildKernelsBase<BuildKernels> {
  void runOnOperation() override {
    FailureOr<SmallVector<func::FuncOp>> kernels = orderKernels(getOperation());
    if (failed(kernels))
      return signalPassFailure();
    for (func::FuncOp kernel : *kernels)
      if (failed(cpu::buildKernelFunction(kernel)))
        return signalPassFailure();
  }
};

} // namespace

void cpu::buildPipeline(OpPassManager &manager) {
  manager.addPass(tessera::createDescribeSteps());
  manager.addPass(createBuildKernels());
  manager.addPass(tessera::createAssignIds());
  manager.addPass(tessera::createLowerPrograms());
  addLowerToLLVMPasses(manager);
  manager.addPass(tessera::createVerifyTarget());
}
