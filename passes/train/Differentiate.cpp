//===- Differentiate.cpp - From an objective to a training step --*- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "dialects/spec/Spec.h"
#include "passes/train/Passes.h"
#include "runtime/program/SlotNames.h"

namespace tessera::train {
#define GEN_PASS_DEF_DIFFERENTIATE
#include "passes/train/Passes.h.inc"
} // namespace tessera::train

using namespace mlir;
using namespace tessera;

namespace {

/// Goes back through one straight-line function.
class ReverseMode {
public:
  /// \p wide: gradients of parameters are not rounded to 16 bits.
  ReverseMode(OpBuilder &builder, bool wide) : builder(builder), wide(wide) {}

  /// Fills `gradients` for every value that both depends on a parameter and
  /// leads to \p loss.
  LogicalResult run(Block &block, Value loss) {
    findActive(block);
    if (!active.contains(loss))
      return emitError(loss.getLoc(), "the objective depends on no parameter: "
                                      "there is nothing to train");
    gradients[loss] = nn::createSplat(
        builder, loss.getLoc(), cast<RankedTensorType>(loss.getType()), 1);
    SmallVector<Operation *> operations;
    for (Operation &op : block)
      if (&op != gradients[loss].getDefiningOp())
        operations.push_back(&op);
    for (Operation *op : llvm::reverse(operations))
      if (failed(visit(op)))
        return failure();
    return success();
  }

  Value getGradient(Value value) const { return gradients.lookup(value); }

private:
  void findActive(Block &block) {
    for (Operation &op : block)
      if (isa<nn::GetParameterOp>(op) ||
          llvm::any_of(op.getOperands(),
                       [&](Value v) { return active.contains(v); }))
        active.insert_range(op.getResults());
  }

  LogicalResult visit(Operation *op) {
    SmallVector<Value> results, operands(op->getNumOperands());
    for (Value result : op->getResults())
      results.push_back(gradients.lookup(result));
    if (isa<nn::GetParameterOp>(op) ||
        llvm::none_of(results, [](Value v) { return static_cast<bool>(v); }))
      return success();
    auto differentiable = dyn_cast<nn::DifferentiableOpInterface>(op);
    if (!differentiable)
      return op->emitOpError("lies between a parameter and the objective, but "
                             "has no gradient: it must implement "
                             "DifferentiableOpInterface");
    differentiable.buildGradients(builder, results, operands);
    for (auto [operand, gradient] : llvm::zip(op->getOperands(), operands))
      if (gradient && active.contains(operand))
        add(operand, gradient, isa<nn::GatherOp>(op));
    return success();
  }

  /// Adds \p gradient to that of \p value. If it is \p owned, no other value
  /// has it for a gradient, as where a sum hands its own to both its terms.
  void add(Value value, Value gradient, bool owned) {
    if (wide && value.getDefiningOp<nn::GetParameterOp>())
      gradient = nn::unround(builder, gradient);
    Value &sum = gradients[value];
    if (!sum) {
      sum = gradient;
      return;
    }
    // Rows are added right into what is there already.
    auto scatter = gradient.getDefiningOp<nn::ScatterAddOp>();
    if (owned && scatter && nn::isSplat(scatter.getInit(), 0)) {
      scatter.getInitMutable().assign(sum);
      sum = gradient;
      return;
    }
    sum = arith::AddFOp::create(builder, gradient.getLoc(), sum, gradient);
  }

  OpBuilder &builder;
  bool wide;
  DenseSet<Value> active;
  DenseMap<Value, Value> gradients;
};

struct Differentiate : train::impl::DifferentiateBase<Differentiate> {
  using DifferentiateBase::DifferentiateBase;

  void runOnOperation() override {
    if (failed(verifyPrograms(getOperation())))
      return signalPassFailure();
    ModuleOp module = getOperation();
    if (spec::getGeneration(module))
      return;
    auto objective = module.lookupSymbol<func::FuncOp>("objective");
    if (!objective) {
      module.emitError("no function @objective: a model needs one whose result "
                       "is the loss");
      return signalPassFailure();
    }
    objective.setName("train");
    if (failed(writeStep(module, objective)))
      return signalPassFailure();
  }

  /// Whether gradients of parameters are in fp32.
  bool hasWideGradients(ModuleOp module) {
    StringRef specified =
        spec::getTypeName(spec::getPrecision(module).getGradients());
    return (gradients.empty() ? specified : StringRef(gradients)) == "f32";
  }

  /// The norm that gradients are clipped to; 0 for none.
  double getMaxNorm(ModuleOp module) {
    if (maxNorm >= 0)
      return maxNorm;
    spec::SpecificationAttr specification = spec::getSpecification(module);
    return specification
               ? static_cast<double>(specification.getTraining().getClip())
               : 0.0;
  }

  /// Numbers of f16 have too few exponents for gradients.
  static bool isScaled(nn::ParameterOp parameter) {
    return parameter.getValueType().getElementType().isF16();
  }

  /// The input by which scaled gradients become their true ones.
  static Value addUnscale(func::FuncOp step) {
    Builder builder(step.getContext());
    unsigned index = step.getNumArguments();
    (void)step.insertArgument(
        index, RankedTensorType::get({}, builder.getF32Type()),
        builder.getDictionaryAttr(builder.getNamedAttr(
            inputAttrName, builder.getStringAttr(runtime::slotNames::unscale))),
        NameLoc::get(builder.getStringAttr(runtime::slotNames::unscale)));
    return step.getArgument(index);
  }

  LogicalResult writeStep(ModuleOp module, func::FuncOp step) {
    Block &block = step.getBody().front();
    Operation *end = block.getTerminator();
    Value loss = end->getOperand(0);
    OpBuilder builder(end);
    ReverseMode reverse(builder, hasWideGradients(module));
    if (failed(reverse.run(block, loss)))
      return failure();

    MLIRContext *context = &getContext();
    auto hyperType = RankedTensorType::get({spec::getScalarCount(module)},
                                           builder.getF32Type());
    unsigned index = step.getNumArguments();
    (void)step.insertArgument(
        index, hyperType,
        builder.getDictionaryAttr(builder.getNamedAttr(
            inputAttrName, builder.getStringAttr(runtime::slotNames::hyper))),
        NameLoc::get(builder.getStringAttr(runtime::slotNames::hyper)));
    Value hyper = step.getArgument(index);

    // A parameter may be read in several places: its gradient is their sum.
    llvm::MapVector<StringAttr, Value> byParameter;
    for (auto read : block.getOps<nn::GetParameterOp>()) {
      Value gradient = reverse.getGradient(read.getResult());
      if (!gradient)
        continue;
      Value &sum = byParameter[read.getParameterAttr().getAttr()];
      sum = sum ? arith::AddFOp::create(builder, read.getLoc(), sum, gradient)
                      .getResult()
                : gradient;
    }
    int64_t microBatches =
        accumulation == 0 ? spec::getAccumulation(module) : accumulation;
    auto perStep = [&](Value value) -> Value {
      if (microBatches == 1)
        return value;
      return nn::AccumulateOp::create(builder, value.getLoc(), value);
    };
    SmallVector<nn::ParameterOp> parameters(module.getOps<nn::ParameterOp>());
    SmallVector<Value> ordered;
    for (nn::ParameterOp parameter : parameters) {
      Value gradient = byParameter.lookup(parameter.getSymNameAttr());
      if (!gradient)
        return parameter.emitOpError(
            "does not influence the objective: use it or remove it");
      ordered.push_back(perStep(gradient));
      ++numGradients;
    }
    loss = perStep(loss);

    Location loc = end->getLoc();
    nn::SectionOp::create(builder, loc, "reduce");
    auto squaresType = RankedTensorType::get({}, builder.getF64Type());
    Value squares =
        nn::SumSquaresOp::create(builder, loc, squaresType, ordered);
    Value unscale = isScaled(parameters.front()) ? addUnscale(step) : Value();
    if (unscale) {
      Value wide = arith::ExtFOp::create(builder, loc, squaresType, unscale);
      squares = arith::MulFOp::create(
          builder, loc, squares,
          arith::MulFOp::create(builder, loc, wide, wide));
    }
    auto clip =
        nn::ClipScaleOp::create(builder, loc, squares, getMaxNorm(module));
    Value factor = clip.getScale();
    if (unscale)
      factor = arith::MulFOp::create(builder, loc, factor, unscale);
    nn::SectionOp::create(builder, loc, "update");
    for (auto [parameter, gradient] : llvm::zip(parameters, ordered))
      nn::UpdateOp::create(builder, parameter.getLoc(),
                           FlatSymbolRefAttr::get(parameter.getSymNameAttr()),
                           gradient, factor, hyper);
    func::ReturnOp::create(builder, loc, ValueRange{loss, clip.getNorm()});
    end->erase();

    step.setType(FunctionType::get(context, step.getArgumentTypes(),
                                   {loss.getType(), clip.getNorm().getType()}));
    step.setResultAttr(0, outputAttrName,
                       builder.getStringAttr(runtime::slotNames::loss));
    step.setResultAttr(1, outputAttrName,
                       builder.getStringAttr(runtime::slotNames::gradNorm));
    return success();
  }
};

} // namespace
