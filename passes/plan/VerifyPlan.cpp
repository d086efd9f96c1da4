//===- VerifyPlan.cpp - Contract of the phase plan --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "dialects/plan/Within.h"
#include "dialects/spec/Spec.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/plan/Passes.h"

namespace tessera::plan {
#define GEN_PASS_DEF_VERIFYPLAN
#include "passes/plan/Passes.h.inc"
} // namespace tessera::plan

using namespace mlir;
using namespace tessera;

/// The buffers of inputs of \p program that are filled once and last.
static DenseSet<Operation *> getKeptInputs(plan::ProgramOp program) {
  DenseSet<Operation *> kept;
  for (auto input : program.getBody().getOps<plan::InputOp>())
    if (auto view = input.getView().getDefiningOp<plan::ViewOp>();
        input.getWhen() == "load" && view && view.getBufferOp().getPersistent())
      kept.insert(view.getBufferOp());
  return kept;
}

/// A program within another writes where the other keeps nothing, and keeps
/// what is its own where the other writes nothing, but for what they share.
static LogicalResult verifyWithin(plan::ProgramOp guest) {
  plan::ProgramOp host = plan::getHost(guest);
  if (!host)
    return failure();
  DenseSet<Operation *> kept = getKeptInputs(guest);
  auto endOf = [](plan::BufferOp buffer) {
    return buffer.getOffset() + buffer.getBytes();
  };
  for (auto other : host.getBody().getOps<plan::BufferOp>()) {
    if (other.isInFile())
      continue;
    for (auto own : guest.getBody().getOps<plan::BufferOp>()) {
      bool isShared = other.getPersistent() && own.getPersistent() &&
                      own.getOffset() == other.getOffset() &&
                      own.getBytes() <= other.getBytes();
      if (isShared || own.getOffset() >= endOf(other) ||
          other.getOffset() >= endOf(own) ||
          !(other.getPersistent() || kept.contains(own)))
        continue;
      return own.emitOpError("lies where ")
                 .append(plan::getWithin(guest), other.getPersistent()
                                                     ? " keeps something else"
                                                     : " writes")
                 .attachNote(other.getLoc())
             << "this buffer";
    }
  }
  return success();
}

namespace {
struct VerifyPlan : plan::impl::VerifyPlanBase<VerifyPlan> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function->hasAttr(kernelAttrName)) {
        function.emitOpError("is not a kernel: run plan-place first");
        return signalPassFailure();
      }
    if (failed(verifySymbols(getOperation())) ||
        failed(verifyKernels(getOperation())) ||
        failed(verifyLaunches(getOperation())) ||
        failed(verifyGroups(getOperation())) ||
        failed(verifyStates(getOperation())))
      return signalPassFailure();
    WalkResult result = getOperation().walk([](plan::LaunchOp launch) {
      // A step of a kernel runs as often as its own kernel says.
      if (launch->hasAttr(iterationsAttrName) ||
          !launch->getParentOfType<plan::ProgramOp>())
        return WalkResult::advance();
      launch.emitOpError("does not say how often the kernel's loop runs: run "
                         "cpu-shape-kernels before plan-place");
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    for (auto program : getOperation().getOps<plan::ProgramOp>())
      if (plan::getWithin(program) && failed(verifyWithin(program)))
        return signalPassFailure();
    StringRef main = spec::getMainProgram(getOperation());
    if (!getOperation().lookupSymbol<plan::ProgramOp>(main)) {
      getOperation().emitError("no plan.program @") << main;
      return signalPassFailure();
    }
  }
};
} // namespace
