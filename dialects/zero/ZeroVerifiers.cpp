//===- ZeroVerifiers.cpp - Verifiers of zero operations ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/NN.h"
#include "dialects/zero/Zero.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::zero;

static int64_t getCount(Value value) {
  return cast<RankedTensorType>(value.getType()).getNumElements();
}

static bool isQuantized(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType().isInteger(8);
}

static FailureOr<GroupOp> lookupGroup(Operation *op, FlatSymbolRefAttr symbol,
                                      SymbolTableCollection &symbolTable) {
  auto group = symbolTable.lookupNearestSymbolFrom<GroupOp>(op, symbol);
  if (!group) {
    op->emitOpError("no zero.group is named ") << symbol;
    return failure();
  }
  return group;
}

/// \p value holds all of the cache \p symbol.
static LogicalResult verifyCache(Operation *op, FlatSymbolRefAttr symbol,
                                 Value value,
                                 SymbolTableCollection &symbolTable) {
  auto cache = symbolTable.lookupNearestSymbolFrom<nn::CacheOp>(op, symbol);
  if (!cache)
    return op->emitOpError("no nn.cache is named ") << symbol;
  RankedTensorType type = cache.getTensorType();
  if (value.getType() != type.clone({type.getNumElements()}))
    return op->emitOpError("cache ")
           << symbol << " has " << type.getNumElements() << " elements of "
           << type.getElementType() << ", but the tensor is "
           << value.getType();
  return success();
}

/// \p value holds all of \p symbol's group, or one rank's part of it; of a
/// cache, all of it.
static LogicalResult verifyState(Operation *op, StringRef state,
                                 FlatSymbolRefAttr symbol, Value value,
                                 SymbolTableCollection &symbolTable) {
  if (state == ZeroDialect::cacheState)
    return verifyCache(op, symbol, value, symbolTable);
  FailureOr<GroupOp> group = lookupGroup(op, symbol, symbolTable);
  if (failed(group))
    return failure();
  int64_t padded = group->getPadded(), count = getCount(value);
  int64_t ranks = getShardRanks(op).value_or(count ? padded / count : 0);
  if (count != padded && count * ranks != padded)
    return op->emitOpError("group ")
           << symbol << " has " << padded << " elements, a part on one of "
           << ranks << " ranks " << padded / std::max<int64_t>(ranks, 1)
           << ", but the tensor has " << count;
  return success();
}

/// \p whole holds all of \p symbol's group (along replicas a shard of it; of
/// bytes all of its shards, quantized), \p part one rank's part of it.
static LogicalResult verifyParts(CollectiveOpInterface op,
                                 FlatSymbolRefAttr symbol, Value whole,
                                 Value part,
                                 SymbolTableCollection &symbolTable) {
  FailureOr<GroupOp> group = lookupGroup(op, symbol, symbolTable);
  if (failed(group))
    return failure();
  int64_t padded = group->getPadded(), count = getCount(whole);
  bool isShard = op.getAxis() == Axis::Replicas;
  int64_t expected = isShard ? padded / getShardRanks(op).value_or(1) : padded;
  if (isQuantized(whole) || isQuantized(part)) {
    if (!isQuantized(whole) || !isQuantized(part))
      return op->emitOpError("gathers bytes as bytes: operand and result must "
                             "have one element type");
    int64_t shards = getShardRanks(op).value_or(
        count / std::max<int64_t>(1, getCount(part)));
    int64_t quantized =
        shards * getQuantizedBytes(padded / std::max<int64_t>(1, shards));
    if (count != quantized)
      return op->emitOpError("group ")
             << symbol << ", quantized on " << shards << " ranks, has "
             << quantized << " bytes, but the whole tensor has " << count;
    expected = count;
  }
  if (count != expected)
    return op->emitOpError("group ")
           << symbol << " has " << expected << " elements"
           << (isShard ? " a shard" : "") << ", but the whole tensor has "
           << count;
  int64_t ranks = getRanks(op, op.getAxis())
                      .value_or(count / std::max<int64_t>(1, getCount(part)));
  if (getCount(part) * ranks != count)
    return op->emitOpError("a part has ")
           << getCount(part) << " elements, which is not one of " << ranks
           << " parts of " << getCount(whole);
  return success();
}

LogicalResult GroupOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  if (getParameters().size() != getOffsets().size())
    return emitOpError("has ") << getParameters().size() << " parameters, but "
                               << getOffsets().size() << " offsets";
  int64_t end = 0;
  SmallVector<int64_t> ends = {0};
  for (auto [symbol, offset] : llvm::zip(
           getParameters().getAsRange<FlatSymbolRefAttr>(), getOffsets())) {
    auto parameter =
        symbolTable.lookupNearestSymbolFrom<nn::ParameterOp>(*this, symbol);
    if (!parameter)
      return emitOpError("no nn.parameter is named ") << symbol;
    if (offset % ZeroDialect::elementAlignment)
      return emitOpError("offset ")
             << offset << " of " << symbol << " is no multiple of "
             << ZeroDialect::elementAlignment;
    if (offset < end)
      return emitOpError("parameter ")
             << symbol << " at offset " << offset
             << " overlaps the one before, which ends at " << end;
    end = offset + parameter.getValueType().getNumElements();
    ends.push_back(end);
  }
  if (static_cast<int64_t>(getElements()) != end)
    return emitOpError("elements must be ")
           << end << ", where the last parameter ends, but is "
           << getElements();
  if (!llvm::is_sorted(getClassEnds()))
    return emitOpError("class_ends must ascend");
  for (int64_t classEnd : getClassEnds())
    if (!llvm::is_contained(ends, classEnd))
      return emitOpError("class_ends has ")
             << classEnd << ", where no parameter ends";
  if (static_cast<int64_t>(getPadded()) < end ||
      getPadded() % ZeroDialect::elementAlignment)
    return emitOpError("padded must be a multiple of ")
           << ZeroDialect::elementAlignment << " and at least " << end
           << ", but is " << getPadded();
  return success();
}

LogicalResult LoadOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  return verifyState(*this, getState(), getGroupAttr(), getResult(),
                     symbolTable);
}

LogicalResult StoreOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  return verifyState(*this, getState(), getGroupAttr(), getValue(),
                     symbolTable);
}

LogicalResult BucketOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  FailureOr<GroupOp> group = lookupGroup(*this, getGroupAttr(), symbolTable);
  if (failed(group))
    return failure();
  if (getParts().size() != group->getParameters().size())
    return emitOpError("group ")
           << getGroupAttr() << " has " << group->getParameters().size()
           << " parameters, but the bucket has " << getParts().size()
           << " operands";
  for (auto [part, symbol] :
       llvm::zip(getParts(),
                 group->getParameters().getAsRange<FlatSymbolRefAttr>())) {
    auto parameter =
        symbolTable.lookupNearestSymbolFrom<nn::ParameterOp>(*this, symbol);
    auto element = cast<ShapedType>(getResult().getType()).getElementType();
    if (parameter && parameter.getTensorType().clone(element) != part.getType())
      return emitOpError("parameter ")
             << symbol << " is " << parameter.getTensorType().clone(element)
             << ", but its operand is " << part.getType();
  }
  if (getCount(getResult()) != static_cast<int64_t>(group->getPadded()))
    return emitOpError("group ")
           << getGroupAttr() << " has " << group->getPadded()
           << " elements, but the bucket has " << getCount(getResult());
  return success();
}

LogicalResult
AllGatherOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  return verifyParts(cast<CollectiveOpInterface>(getOperation()),
                     getGroupAttr(), getResult(), getInput(), symbolTable);
}

LogicalResult
ReduceScatterOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  return verifyParts(cast<CollectiveOpInterface>(getOperation()),
                     getGroupAttr(), getInput(), getResult(), symbolTable);
}

LogicalResult ReduceScatterOp::verify() {
  if (getInPlace() && getAccumulate())
    return emitOpError("in_place and accumulate exclude each other: the "
                       "operand's buffer cannot hold the running sum too");
  return success();
}

LogicalResult WaitOp::verify() {
  CollectiveOpInterface start = getStart();
  if (!start || start.getDestination() != getInput())
    return emitOpError(
        "the tensor and the token must come from one collective's start");
  return success();
}

/// Whether \p value is a whole group that has been put together.
static bool isGathered(Value value) {
  auto wait = value.getDefiningOp<WaitOp>();
  return wait && isa_and_nonnull<AllGatherOp>(wait.getStart().getOperation());
}

/// \p part is one rank's part of \p whole along \p axis.
static LogicalResult verifySlice(Operation *op, Axis axis, Value whole,
                                 Value part) {
  int64_t all = getCount(whole), count = getCount(part);
  int64_t ranks = getRanks(op, axis).value_or(count ? all / count : 0);
  if (count * ranks != all)
    return op->emitOpError("the result has ")
           << count << " elements, which is not one of " << ranks
           << " parts of " << all;
  return success();
}

LogicalResult ReleaseOp::verify() {
  // A zero.dequantize becomes the launch of a kernel in the phase kernels.
  Operation *op = getInput().getDefiningOp();
  bool isDequantized = op && op->getNumOperands() == 1 &&
                       isa<RankedTensorType>(op->getOperand(0).getType()) &&
                       isQuantized(op->getOperand(0)) &&
                       isGathered(op->getOperand(0));
  if (!isDequantized && !isGathered(getInput()))
    return emitOpError("the operand must be an awaited zero.all_gather, or "
                       "dequantized from one");
  return success();
}

LogicalResult KeepOp::verify() {
  if (!isGathered(getInput()))
    return emitOpError("the operand must be an awaited zero.all_gather");
  if (isQuantized(getInput()) != isQuantized(getResult()))
    return emitOpError("keeps what there is: operand and result must have one "
                       "element type");
  return verifySlice(*this, getAxis(), getInput(), getResult());
}

LogicalResult QuantizeOp::verify() {
  int64_t count = getCount(getInput());
  if (count % ZeroDialect::elementAlignment)
    return emitOpError("the operand has ")
           << count << " elements, which is no multiple of "
           << ZeroDialect::elementAlignment;
  if (getCount(getResult()) != getQuantizedBytes(count))
    return emitOpError("makes ")
           << getQuantizedBytes(count) << " bytes of " << count
           << " elements, but the result has " << getCount(getResult());
  return success();
}

LogicalResult DequantizeOp::verify() {
  int64_t parts = getParts(), count = getCount(getResult());
  if (parts < 1 || count % (parts * ZeroDialect::elementAlignment))
    return emitOpError("the result has ")
           << count << " elements, which are not " << parts
           << " parts of a multiple of " << ZeroDialect::elementAlignment;
  int64_t bytes = parts * getQuantizedBytes(count / parts);
  if (getCount(getInput()) != bytes)
    return emitOpError("takes ")
           << bytes << " bytes for " << count << " elements in " << parts
           << " parts, but the operand has " << getCount(getInput());
  return success();
}

LogicalResult AllSliceOp::verify() {
  return verifySlice(*this, getAxis(), getInput(), getResult());
}

LogicalResult UpdateOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  if (!getGroupAttr())
    return success();
  return verifyState(*this, ZeroDialect::parameterState, getGroupAttr(),
                     getParameter(), symbolTable);
}

/// One dimension of \p count elements.
static bool isVector(Value value, int64_t count) {
  return cast<ShapedType>(value.getType()).getShape() == ArrayRef(count);
}

LogicalResult UpdateOp::verify() {
  StringRef name = getOptimizer().getName();
  int64_t states = getOptimizer().getStates().size(),
          scalars = getOptimizer().getScalars().size(),
          classes = getLrScales().size();
  if (static_cast<int64_t>(getStates().size()) != states)
    return emitOpError() << name << " keeps " << states
                         << " states, but the operation has "
                         << getStates().size();
  int64_t rest = getRest().size();
  if (rest != states && rest != states + 1)
    return emitOpError("has ")
           << rest + 1 << " results, but " << name << " makes " << states + 1
           << ", or one more that is rounded";
  if (cast<ShapedType>(getClip().getType()).getRank() != 0)
    return emitOpError("clip must be a scalar");
  if (!isVector(getScalars(), scalars))
    return emitOpError("scalars must have ")
           << scalars << " elements for " << name;
  if (classes < 1 || static_cast<int64_t>(getWeightDecays().size()) != classes)
    return emitOpError("must have as many lr_scales as weight_decays, and at "
                       "least one");
  if (!isVector(getEnds(), classes - 1))
    return emitOpError("ends must have ")
           << classes - 1 << " elements, one for each class but the last";
  for (double number :
       llvm::concat<const double>(getLrScales(), getWeightDecays()))
    if (!std::isfinite(number) || number < 0)
      return emitOpError("lr_scales and weight_decays must be finite and not "
                         "below 0");
  Type type = getParameter().getType();
  if (getNextParameter().getType() != type ||
      !llvm::all_equal(llvm::concat<Type>(
          SmallVector<Type>{type}, SmallVector<Type>(getStates().getTypes()),
          SmallVector<Type>(getNextStates().getTypes()))))
    return emitOpError(
        "parameter, states and their results must have one type");
  if (getCount(getGradient()) != getCount(getParameter()) ||
      (getRounded() && getCount(getRounded()) != getCount(getParameter())))
    return emitOpError("gradient and rounded must have the ")
           << getCount(getParameter()) << " elements of the parameter";
  return success();
}
