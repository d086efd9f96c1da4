//===- VerifyTarget.cpp - The contract of the phase target ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Passes.h"
#include "dialects/AttributeNames.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace tessera {
#define GEN_PASS_DEF_VERIFYTARGET
#include "codegen/Passes.h.inc"
} // namespace tessera

using namespace mlir;

SmallVector<func::FuncOp> tessera::getKernels(ModuleOp module) {
  SmallVector<func::FuncOp> kernels;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(kernelAttrName))
      kernels.push_back(function);
  return kernels;
}

namespace {
struct VerifyTarget : tessera::impl::VerifyTargetBase<VerifyTarget> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    WalkResult result = module.walk([&](Operation *op) {
      if (op == module || isa<gpu::GPUModuleOp>(op) ||
          isa_and_nonnull<LLVM::LLVMDialect>(op->getDialect()) ||
          (op->getParentOfType<gpu::GPUModuleOp>() &&
           isa_and_nonnull<NVVM::NVVMDialect>(op->getDialect())))
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
            << name << "': run plan-lower-programs on a module in phase plan";
        return signalPassFailure();
      }
  }
};

} // namespace
