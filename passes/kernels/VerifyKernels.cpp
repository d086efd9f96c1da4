//===- VerifyKernels.cpp - Contract of the phase kernels --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "dialects/spec/Spec.h"
#include "passes/kernels/Passes.h"

namespace tessera::kernels {
#define GEN_PASS_DEF_VERIFYKERNELS
#include "passes/kernels/Passes.h.inc"
} // namespace tessera::kernels

using namespace mlir;
using namespace tessera;

namespace {
struct VerifyKernels : kernels::impl::VerifyKernelsBase<VerifyKernels> {
  void runOnOperation() override {
    if (failed(verifySymbols(getOperation())) ||
        failed(verifyPrograms(getOperation())) ||
        failed(verifyKernels(getOperation())) ||
        failed(verifyLaunches(getOperation())))
      return signalPassFailure();
    for (auto program : getOperation().getOps<func::FuncOp>()) {
      if (program->hasAttr(kernelAttrName))
        continue;
      WalkResult result = program.walk([&](Operation *op) {
        StringRef dialect = op->getName().getDialectNamespace();
        if (op == program || dialect == "zero" || dialect == "plan" ||
            isa<func::ReturnOp, nn::SectionOp, nn::SliceOp, nn::ReshapeOp,
                nn::ConcatOp, nn::CheckpointOp>(op))
          return WalkResult::advance();
        op->emitOpError("is left outside of kernels: programs hold only "
                        "launches, GEMMs, collectives and views");
        return WalkResult::interrupt();
      });
      if (result.wasInterrupted())
        return signalPassFailure();
    }
    StringRef main = spec::getMainProgram(getOperation());
    if (!getOperation().lookupSymbol<func::FuncOp>(main)) {
      getOperation().emitError("no function @") << main;
      return signalPassFailure();
    }
  }
};
} // namespace
