//===- ApplyPrecision.cpp - 16-bit parameters and activations ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Contracts.h"
#include "dialects/nn/WideResult.h"
#include "dialects/spec/Spec.h"
#include "passes/train/Passes.h"

namespace tessera::train {
#define GEN_PASS_DEF_APPLYPRECISION
#include "passes/train/Passes.h.inc"
} // namespace tessera::train

using namespace mlir;
using namespace tessera;

static bool isFloat(Value value) {
  return isa<FloatType>(getElementTypeOrSelf(value));
}

static bool isNarrow(Value value) {
  return isFloat(value) &&
         getElementTypeOrSelf(value).getIntOrFloatBitWidth() < 32;
}

/// Elementwise arithmetic on numbers.
static bool isElementwise(Operation *op) {
  return op->hasTrait<OpTrait::Elementwise>() && op->getNumResults() == 1 &&
         !isa<arith::ConstantOp, arith::ExtFOp, arith::TruncFOp>(op);
}

namespace {

class PrecisionPolicy {
public:
  PrecisionPolicy(SymbolTable &symbols, FloatType narrow)
      : symbols(symbols), narrow(narrow), builder(narrow.getContext()) {}

  void apply(func::FuncOp function) {
    for (Operation &op :
         llvm::make_early_inc_range(function.getBody().front())) {
      builder.setInsertionPoint(&op);
      if (isa<func::ReturnOp>(op))
        widenOutputs(op);
      else
        visit(op);
    }
  }

private:
  void visit(Operation &op) {
    if (auto read = dyn_cast<nn::GetParameterOp>(op)) {
      read.getResult().setType(
          symbols.lookup<nn::ParameterOp>(read.getParameter()).getValueType());
    } else if (auto read = dyn_cast<nn::GetCacheOp>(op)) {
      read.getResult().setType(
          symbols.lookup<nn::CacheOp>(read.getCache()).getTensorType());
    } else if (auto mixed = dyn_cast<nn::MixedPrecisionOpInterface>(op)) {
      for (OpOperand &operand : op.getOpOperands())
        if (!mixed.staysWide(operand.get()))
          narrowOperand(operand);
      for (Value result : op.getResults())
        if (!mixed.staysWide(result) && !op.hasAttr(nn::wideResultAttrName))
          narrowResult(result);
    } else if (op.hasTrait<nn::MovesElements>() || isElementwise(&op)) {
      visitUniform(op);
    } else if (!isa<nn::ReduceOp>(op)) {
      // A reduction reads what it gets; what is not known stays as it was.
      for (OpOperand &operand : op.getOpOperands())
        if (isNarrow(operand.get()))
          operand.set(nn::widen(builder, op.getLoc(), operand.get()));
    }
  }

  /// Operands and result have one type: 16 bits if all have, but for
  /// constants, which the others decide.
  void visitUniform(Operation &op) {
    bool some = false, all = true;
    for (Value operand : op.getOperands()) {
      if (!isFloat(operand))
        continue;
      some |= isNarrow(operand);
      all &= isNarrow(operand) || operand.getDefiningOp<arith::ConstantOp>();
    }
    if (!some)
      return;
    for (OpOperand &operand : op.getOpOperands()) {
      if (all)
        narrowOperand(operand);
      else if (isNarrow(operand.get()))
        operand.set(nn::widen(builder, op.getLoc(), operand.get()));
    }
    if (all)
      narrowResult(op.getResult(0));
  }

  void narrowOperand(OpOperand &operand) {
    Value value = operand.get();
    if (!isFloat(value) || isNarrow(value))
      return;
    auto type = cast<RankedTensorType>(value.getType()).clone(narrow);
    operand.set(arith::TruncFOp::create(builder, operand.getOwner()->getLoc(),
                                        type, value));
  }

  void narrowResult(Value result) {
    if (isFloat(result))
      result.setType(cast<RankedTensorType>(result.getType()).clone(narrow));
  }

  /// What leaves a program keeps its type.
  void widenOutputs(Operation &end) {
    for (OpOperand &operand : end.getOpOperands()) {
      Value value = operand.get();
      operand.drop();
      operand.set(isFloat(value) ? nn::unround(builder, value) : value);
    }
  }

  SymbolTable &symbols;
  FloatType narrow;
  OpBuilder builder;
};

struct ApplyPrecision : train::impl::ApplyPrecisionBase<ApplyPrecision> {
  using ApplyPrecisionBase::ApplyPrecisionBase;

  void runOnOperation() override {
    if (failed(verifyPrograms(getOperation())))
      return signalPassFailure();
    ModuleOp module = getOperation();
    StringRef type =
        compute.empty()
            ? spec::getTypeName(spec::getPrecision(module).getCompute())
            : StringRef(compute);
    Builder builder(module.getContext());
    FloatType narrow = type == "bf16"  ? FloatType(builder.getBF16Type())
                       : type == "f16" ? FloatType(builder.getF16Type())
                                       : FloatType();
    if (!narrow) {
      if (type != "f32") {
        module.emitError("nothing computes in '")
            << type << "': choose f32, bf16 or f16";
        signalPassFailure();
      }
      return;
    }
    SymbolTable symbols(module);
    for (auto parameter : module.getOps<nn::ParameterOp>()) {
      if (parameter.getBlocksAlong())
        continue;
      parameter.setComputeType(narrow);
      ++numNarrowed;
    }
    for (auto cache : module.getOps<nn::CacheOp>())
      if (cache.getTensorType().getElementType().isF32())
        cache.setType(cache.getTensorType().clone(narrow));
    for (auto function : module.getOps<func::FuncOp>())
      PrecisionPolicy(symbols, narrow).apply(function);
  }
};

} // namespace
