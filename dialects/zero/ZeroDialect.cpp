//===- ZeroDialect.cpp - The zero dialect and its helpers -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/zero/Zero.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::zero;

#include "dialects/zero/ZeroDialect.cpp.inc"
#include "dialects/zero/ZeroEnums.cpp.inc"
#include "dialects/zero/ZeroInterfaces.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/zero/ZeroTypes.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/zero/ZeroOps.cpp.inc"

namespace {
/// Where it is printed, a state is called by its group and itself.
struct StateNames : OpAsmOpInterface::ExternalModel<StateNames, LoadOp> {
  void getAsmResultNames(Operation *op, OpAsmSetValueNameFn setName) const {
    auto load = cast<LoadOp>(op);
    setName(load.getResult(), (load.getGroup() + "." + load.getState()).str());
  }
};
} // namespace

void ZeroDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/zero/ZeroTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/zero/ZeroOps.cpp.inc"
      >();
  LoadOp::attachInterface<StateNames>(*getContext());
}

LogicalResult ZeroDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attribute) {
  StringRef name = attribute.getName();
  bool isStage = name == stageAttrName;
  if (!isStage && name != worldAttrName && name != shardRanksAttrName &&
      name != secondaryRanksAttrName)
    return success();
  int64_t least = isStage ? 0 : 1, most = isStage ? 3 : maxRanks;
  auto number = dyn_cast<IntegerAttr>(attribute.getValue());
  if (number && number.getType().isSignlessInteger(64) &&
      number.getInt() >= least && number.getInt() <= most)
    return success();
  return op->emitOpError() << name << " is " << attribute.getValue()
                           << ": an i64 from " << least << " to " << most
                           << " is wanted";
}

/// An integer attribute of the function around \p op.
static std::optional<int64_t> getProgramAttr(Operation *op, StringRef name) {
  auto function = dyn_cast<func::FuncOp>(op);
  if (!function)
    function = op->getParentOfType<func::FuncOp>();
  auto attr =
      function ? function->getAttrOfType<IntegerAttr>(name) : IntegerAttr();
  if (!attr)
    return std::nullopt;
  return attr.getInt();
}

std::optional<int64_t> tessera::zero::getWorld(Operation *op) {
  return getProgramAttr(op, ZeroDialect::worldAttrName);
}

std::optional<int64_t> tessera::zero::getShardRanks(Operation *op) {
  std::optional<int64_t> ranks =
      getProgramAttr(op, ZeroDialect::shardRanksAttrName);
  return ranks ? ranks : getWorld(op);
}

std::optional<int64_t> tessera::zero::getRanks(Operation *op, Axis axis) {
  std::optional<int64_t> world = getWorld(op), shards = getShardRanks(op);
  if (axis == Axis::World || !world)
    return world;
  if (axis == Axis::Secondary)
    return getProgramAttr(op, ZeroDialect::secondaryRanksAttrName);
  return axis == Axis::Shards ? *shards
                              : *world / std::max<int64_t>(*shards, 1);
}

std::optional<int64_t> tessera::zero::getStage(Operation *op) {
  return getProgramAttr(op, ZeroDialect::stageAttrName);
}

int64_t tessera::zero::getQuantizedBytes(int64_t elements) {
  return elements + 4 * llvm::divideCeil(elements, ZeroDialect::quantizedBlock);
}

/// A flat tensor like \p value with \p elements elements.
static Type resize(Value value, int64_t elements) {
  return cast<RankedTensorType>(value.getType()).clone({elements});
}

static int64_t getCount(Value value) {
  return cast<RankedTensorType>(value.getType()).getNumElements();
}

void AllGatherOp::build(OpBuilder &builder, OperationState &state,
                        StringRef group, Value input, int64_t ranks,
                        bool inPlace, Axis axis) {
  build(builder, state, resize(input, getCount(input) * ranks),
        TokenType::get(builder.getContext()), group, input, inPlace, axis);
}

void ReduceScatterOp::build(OpBuilder &builder, OperationState &state,
                            StringRef group, Value input, int64_t ranks,
                            bool inPlace, bool accumulate, Axis axis) {
  build(builder, state, resize(input, getCount(input) / ranks),
        TokenType::get(builder.getContext()), group, input, inPlace, accumulate,
        axis);
}

void UpdateOp::build(OpBuilder &builder, OperationState &state, GroupOp group,
                     Value parameter, Value gradient, ValueRange states,
                     Value clip, Value scalars, Value ends,
                     ArrayRef<optimizer::ClassParameters> classes,
                     optimizer::OptimizerAttrInterface optimizer,
                     Type rounded) {
  SmallVector<Type> rest(states.getTypes());
  if (rounded)
    rest.push_back(rounded);
  SmallVector<double> scales, decays;
  for (const optimizer::ClassParameters &parameters : classes) {
    scales.push_back(parameters.lrScale);
    decays.push_back(parameters.weightDecay);
  }
  build(builder, state, parameter.getType(), rest,
        FlatSymbolRefAttr::get(group.getSymNameAttr()), parameter, gradient,
        states, clip, scalars, ends, builder.getDenseF64ArrayAttr(scales),
        builder.getDenseF64ArrayAttr(decays), optimizer);
}

SmallVector<optimizer::ClassParameters> UpdateOp::getClasses() {
  SmallVector<optimizer::ClassParameters> classes;
  for (auto [scale, decay] : llvm::zip(getLrScales(), getWeightDecays()))
    classes.push_back({scale, decay});
  return classes;
}

int64_t UpdateOp::getOverwrittenOperand(int64_t result) {
  if (result == 0)
    return 0;
  // The gradient is operand 1.
  return result <= static_cast<int64_t>(getStates().size()) ? result + 1 : -1;
}

void QuantizeOp::build(OpBuilder &builder, OperationState &state, Value input) {
  int64_t bytes = getQuantizedBytes(getCount(input));
  build(builder, state, RankedTensorType::get({bytes}, builder.getI8Type()),
        input);
}
