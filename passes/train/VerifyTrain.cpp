//===- VerifyTrain.cpp - Contracts of the phases model and train ----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Contracts.h"
#include "dialects/spec/Spec.h"
#include "passes/train/Passes.h"

namespace tessera::train {
#define GEN_PASS_DEF_VERIFYMODEL
#define GEN_PASS_DEF_VERIFYTRAIN
#include "passes/train/Passes.h.inc"
} // namespace tessera::train

using namespace mlir;
using namespace tessera;

namespace {

struct VerifyModel : train::impl::VerifyModelBase<VerifyModel> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    WalkResult result = module.walk([](Operation *op) {
      StringRef dialect = op->getName().getDialectNamespace();
      if (isa<ModuleOp, nn::DifferentiableOpInterface>(op) ||
          llvm::is_contained({"nn", "graph", "func", "arith", "math"}, dialect))
        return WalkResult::advance();
      op->emitOpError("does not belong in the phase model: only nn, graph, "
                      "func, arith and math operations do, and others that "
                      "know their gradients");
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    if (failed(verifySymbols(getOperation())) ||
        failed(verifyPrograms(getOperation())))
      return signalPassFailure();
    if (spec::getGeneration(module)) {
      if (!module.lookupSymbol<func::FuncOp>(spec::getMainProgram(module))) {
        module.emitError("no function @")
            << spec::getMainProgram(module)
            << ": a model that generates needs one";
        signalPassFailure();
      }
      return;
    }
    auto objective = module.lookupSymbol<func::FuncOp>("objective");
    if (!objective) {
      module.emitError("no function @objective: a model needs one whose result "
                       "is the loss");
      return signalPassFailure();
    }
    auto results = objective.getResultTypes();
    auto loss = results.size() == 1 ? dyn_cast<RankedTensorType>(results[0])
                                    : RankedTensorType();
    if (!loss || loss.getRank() != 0) {
      objective.emitError("@objective must return one scalar tensor, the loss");
      return signalPassFailure();
    }
  }
};

struct VerifyTrain : train::impl::VerifyTrainBase<VerifyTrain> {
  void runOnOperation() override {
    if (failed(verifySymbols(getOperation())) ||
        failed(verifyPrograms(getOperation())))
      return signalPassFailure();
    ModuleOp module = getOperation();
    if (auto objective = module.lookupSymbol<func::FuncOp>("objective")) {
      objective.emitError("@objective is left undifferentiated");
      return signalPassFailure();
    }
    StringRef main = spec::getMainProgram(module);
    auto step = module.lookupSymbol<func::FuncOp>(main);
    if (!step) {
      module.emitError("no function @") << main;
      return signalPassFailure();
    }
    if (spec::getGeneration(module))
      return;
    DenseMap<StringAttr, nn::UpdateOp> updates;
    WalkResult result = step.walk([&](nn::UpdateOp update) {
      auto [position, inserted] =
          updates.try_emplace(update.getParameterAttr().getAttr(), update);
      if (inserted)
        return WalkResult::advance();
      update.emitOpError("updates ")
              .append(update.getParameterAttr(), " a second time")
              .attachNote(position->second.getLoc())
          << "the first update is here";
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    for (auto parameter : module.getOps<nn::ParameterOp>())
      if (!updates.contains(parameter.getSymNameAttr())) {
        parameter.emitOpError("has no update in @train");
        return signalPassFailure();
      }
  }
};

} // namespace
