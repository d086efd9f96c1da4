//===- Pipeline.cpp - The phase target on CPUs ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/GeneralKernel.h"
#include "codegen/cpu/KernelFunction.h"
#include "codegen/cpu/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tessera::cpu {
#define GEN_PASS_DEF_BUILDKERNELS
#define GEN_PASS_DEF_SHAPEKERNELS
#define GEN_PASS_DEF_VERIFYTARGET
#include "codegen/cpu/Passes.h.inc"
} // namespace tessera::cpu

using namespace mlir;
using namespace tessera;

static SmallVector<func::FuncOp> getKernels(ModuleOp module) {
  SmallVector<func::FuncOp> kernels;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr("plan.kernel"))
      kernels.push_back(function);
  return kernels;
}

namespace {

struct ShapeKernels : cpu::impl::ShapeKernelsBase<ShapeKernels> {
  void runOnOperation() override {
    OpBuilder builder(&getContext());
    for (func::FuncOp kernel : getKernels(getOperation())) {
      cpu::KernelShape shape = cpu::getKernelShape(kernel);
      cpu::KernelOpInterface op = cpu::getKernelOp(kernel);
      kernel->setAttr("plan.iterations",
                      builder.getI64IntegerAttr(shape.iterations));
      kernel->setAttr("plan.scratch",
                      builder.getI64IntegerAttr(shape.scratchBytes));
      kernel->setAttr("plan.flops",
                      builder.getI64IntegerAttr(
                          op ? op.getFlops() : cpu::getGeneralFlops(kernel)));
    }
  }
};

struct BuildKernels : cpu::impl::BuildKernelsBase<BuildKernels> {
  void runOnOperation() override {
    for (func::FuncOp kernel : getKernels(getOperation()))
      if (failed(cpu::buildKernelFunction(kernel)))
        return signalPassFailure();
  }
};

struct VerifyTarget : cpu::impl::VerifyTargetBase<VerifyTarget> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    WalkResult result = module.walk([&](Operation *op) {
      if (op == module || isa_and_nonnull<LLVM::LLVMDialect>(op->getDialect()))
        return WalkResult::advance();
      op->emitOpError("is left in the phase target, which holds nothing but "
                      "the LLVM dialect");
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    for (StringRef name : {"tessera_manifest", "tessera_entries"})
      if (!module.lookupSymbol<LLVM::GlobalOp>(name)) {
        module.emitError("defines no '")
            << name << "': run cpu-lower-programs on a module in phase plan";
        return signalPassFailure();
      }
  }
};

} // namespace

void cpu::buildPipeline(OpPassManager &manager) {
  manager.addPass(createBuildKernels());
  manager.addPass(createLowerPrograms());
  addLowerToLLVMPasses(manager);
  manager.addPass(createVerifyTarget());
}
