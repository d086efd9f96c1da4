//===- KernelValues.cpp - What kernels compute at a place -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/KernelValues.h"
#include "dialects/AttributeNames.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::nn;

KernelSpace KernelSpace::get(func::FuncOp kernel) {
  KernelSpace result;
  bool positional = false;
  nn::ReduceOp reduction;
  kernel.walk([&](Operation *op) {
    if (auto reduce = dyn_cast<nn::ReduceOp>(op))
      reduction = reduce;
    if (auto broadcast = dyn_cast<nn::BroadcastOp>(op))
      positional |= cast<RankedTensorType>(broadcast.getInput().getType())
                        .getNumElements() != 1;
    positional |= isa<nn::SliceColumnsOp, nn::ConcatColumnsOp, nn::GatherOp,
                      nn::IotaOp, nn::RandomBitsOp>(op);
  });
  if (reduction) {
    result.space = getReductionSpace(reduction);
    return result;
  }
  Value value = kernel.getBody().front().getTerminator()->getOperand(0);
  result.space = getElementwiseSpace(value);
  if (!positional) {
    result.flat = true;
    result.space = {1, result.space.rows * result.space.columns, false};
  }
  return result;
}

KernelValues::KernelValues(func::FuncOp kernel, const IterationSpace &space,
                           VectorBuilder &vb, ValueRange inputs,
                           ValueRange outputBuffers)
    : kernel(kernel), space(space), vb(vb), builder(vb.builder), loc(vb.loc),
      columns(space.columns) {
  for (auto [argument, buffer] : llvm::zip(kernel.getArguments(), inputs))
    buffers[argument] = vb.flatten(buffer);
  for (Value buffer : outputBuffers)
    outputs.push_back(vb.flatten(buffer));
  Block &block = kernel.getBody().front();
  results = llvm::to_vector(block.getTerminator()->getOperands());
  for (auto reduce : block.getOps<nn::ReduceOp>())
    reductions.push_back(reduce);
  for (auto bits : block.getOps<nn::RandomBitsOp>()) {
    Value stream = bits.getStream();
    if (!streams.contains(stream))
      streams[stream] = RandomStream::load(vb, buffers.lookup(stream));
  }
}

//===----------------------------------------------------------------------===//
// Small pieces
//===----------------------------------------------------------------------===//

/// The type that \p value's elements have in registers.
Type KernelValues::elementType(Value value) {
  Type type = cast<RankedTensorType>(value.getType()).getElementType();
  bool isNarrow = isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 32;
  return isNarrow ? builder.getF32Type() : type;
}

VectorType KernelValues::vectorType(Value value) {
  return vb.vectorType(elementType(value));
}

/// \p held, a number or vector, rounded as the type of \p value says.
Value KernelValues::round(Value value, Value held) {
  Type element = cast<RankedTensorType>(value.getType()).getElementType();
  return isa<FloatType>(element) ? vb.widen(vb.narrow(held, element)) : held;
}

/// \p op on other types. Products and sums must not contract: which of them
/// share a kernel depends on the ZeRO stage, their bits must not.
Value KernelValues::cloneElementwise(Operation *op, ValueRange operands,
                                     Type type) {
  bool isCast = isa<arith::ExtFOp, arith::TruncFOp>(op);
  if (isCast && operands[0].getType() == type)
    return round(op->getResult(0), operands[0]);
  IRMapping mapping;
  mapping.map(op->getOperands(), operands);
  Operation *clone = builder.clone(*op, mapping);
  clone->setLoc(loc);
  clone->getResult(0).setType(type);
  return round(op->getResult(0), clone->getResult(0));
}

/// The number that a constant holds everywhere, as it is in registers.
TypedAttr KernelValues::getNumber(arith::ConstantOp constant) {
  auto splat = cast<SplatElementsAttr>(constant.getValue());
  Type type = elementType(constant.getResult());
  if (auto number = dyn_cast<FloatType>(type)) {
    APFloat value = splat.getSplatValue<APFloat>();
    bool losesInfo;
    value.convert(number.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                  &losesInfo);
    return FloatAttr::get(type, value);
  }
  return splat.getSplatValue<TypedAttr>();
}

bool KernelValues::accumulates(unsigned result) {
  return static_cast<bool>(kernel.getResultAttr(result, accumulateAttrName));
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value KernelValues::evaluateRow(Value value, Role role) {
  Operation *op = value.getDefiningOp();
  auto known = rowValues.find(value);
  if (known != rowValues.end())
    return known->second;
  Value result;
  if (!op) {
    Value position = index(0);
    if (role.kind == RoleKind::Row)
      position = role.factor == 1 ? row
                                  : arith::DivUIOp::create(builder, loc, row,
                                                           index(role.factor));
    result = vb.loadScalar(buffers.lookup(value), position);
  } else if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    result = arith::ConstantOp::create(builder, loc, getNumber(constant));
  } else if (auto broadcast = dyn_cast<nn::BroadcastOp>(op)) {
    result = evaluateRow(broadcast.getInput(), {RoleKind::Scalar, 1});
  } else if (isTransparent(op) || isa<nn::AccumulateOp>(op)) {
    result = evaluateRow(op->getOperand(0), role);
  } else if (auto iota = dyn_cast<nn::IotaOp>(op)) {
    result = getRowIndex(iota, iota.getResult().getType().getShape());
  } else {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(evaluateRow(operand, role));
    result = cloneElementwise(op, operands, elementType(value));
  }
  return rowValues[value] = result;
}

Value KernelValues::evaluate(Value value, Role role, const Lanes &lanes) {
  std::pair key(value, static_cast<unsigned>(role.kind));
  auto known = vectors.find(key);
  if (known != vectors.end())
    return known->second;
  Value result = compute(value, role, lanes);
  return vectors[key] = result;
}

Value KernelValues::compute(Value value, Role role, const Lanes &lanes) {
  if (role.kind == RoleKind::Row || role.kind == RoleKind::Scalar)
    return vb.splat(evaluateRow(value, role));
  Operation *op = value.getDefiningOp();
  if (!op)
    return vb.load(buffers.lookup(value), getPosition(role, lanes), lanes.mask);
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(vectorType(value),
                               Attribute(getNumber(constant))));
  if (auto broadcast = dyn_cast<nn::BroadcastOp>(op))
    return evaluate(broadcast.getInput(),
                    *getBroadcastRole(broadcast, space, role), lanes);
  if (isTransparent(op) || isa<nn::AccumulateOp>(op))
    return evaluate(op->getOperand(0), role, lanes);
  if (auto gather = dyn_cast<nn::GatherOp>(op)) {
    Value from = evaluateRow(gather.getIndices(), {RoleKind::Row, 1});
    return vb.load(buffers.lookup(gather.getTable()),
                   vb.add(vb.mul(vb.toIndex(from), columns), lanes.column),
                   lanes.mask);
  }
  if (auto slice = dyn_cast<nn::SliceColumnsOp>(op)) {
    int64_t width =
        cast<RankedTensorType>(slice.getInput().getType()).getShape().back();
    Value first = vb.add(vb.mul(row, width), slice.getOffset());
    return vb.load(buffers.lookup(slice.getInput()),
                   vb.add(first, lanes.column), lanes.mask);
  }
  if (auto bits = dyn_cast<nn::RandomBitsOp>(op))
    return drawBits(bits, lanes);
  if (auto iota = dyn_cast<nn::IotaOp>(op)) {
    ArrayRef<int64_t> shape = iota.getResult().getType().getShape();
    if (iota.getDim() + 1 != shape.size()) {
      Value &index = rowValues[value];
      if (!index)
        index = getRowIndex(iota, shape.drop_back());
      return vb.splat(index);
    }
    auto steps = llvm::to_vector(llvm::seq<int32_t>(vb.lanes));
    Value lane = arith::ConstantOp::create(builder, loc,
                                           builder.getI32VectorAttr(steps));
    return vb.add(vb.splat(vb.toI32(lanes.column)), lane);
  }
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(evaluate(operand, role, lanes));
  return cloneElementwise(op, operands, vectorType(value));
}

/// The current row's index along the dimension of \p iota, \p rows being the
/// dimensions that rows are counted in.
Value KernelValues::getRowIndex(nn::IotaOp iota, ArrayRef<int64_t> rows) {
  int64_t within = 1;
  for (int64_t size : rows.drop_front(iota.getDim() + 1))
    within *= size;
  Value index = row;
  if (within != 1)
    index = vb.div(index, within);
  if (iota.getDim() != 0)
    index = vb.rem(index, rows[iota.getDim()]);
  return vb.toI32(index);
}

/// The role of one id a sample.
static Role getSampleRole(nn::RandomBitsOp bits) {
  return {RoleKind::Row, bits.getRowsOfSample()};
}

Value KernelValues::drawBits(nn::RandomBitsOp bits, const Lanes &lanes) {
  Value sample, place = index(0);
  if (bits.getSamples()) {
    sample = evaluateRow(bits.getSamples(), getSampleRole(bits));
    place = vb.mul(vb.rem(row, bits.getRowsOfSample()), bits.getCallsOfRow());
  } else {
    sample = vb.toI32(row);
  }
  return emitRandomRow(vb, streams.lookup(bits.getStream()), vb.toI32(place),
                       sample, lanes.column);
}

void KernelValues::prepare(ArrayRef<Value> values) {
  DenseSet<Value> seen;
  SmallVector<std::pair<Value, Role>> work;
  for (Value value : values)
    work.push_back({value, {RoleKind::Full, 1}});
  while (!work.empty()) {
    auto [value, role] = work.pop_back_val();
    if (role.kind == RoleKind::Row || role.kind == RoleKind::Scalar) {
      evaluateRow(value, role);
      continue;
    }
    Operation *op = value.getDefiningOp();
    if (!op || !seen.insert(value).second ||
        isa<nn::ReduceOp, nn::SliceColumnsOp>(op))
      continue;
    if (auto iota = dyn_cast<nn::IotaOp>(op)) {
      ArrayRef<int64_t> shape = iota.getResult().getType().getShape();
      if (iota.getDim() + 1 != shape.size())
        rowValues[value] = getRowIndex(iota, shape.drop_back());
      continue;
    }
    if (auto gather = dyn_cast<nn::GatherOp>(op)) {
      evaluateRow(gather.getIndices(), {RoleKind::Row, 1});
      continue;
    }
    if (auto bits = dyn_cast<nn::RandomBitsOp>(op)) {
      if (bits.getSamples())
        evaluateRow(bits.getSamples(), getSampleRole(bits));
      continue;
    }
    auto broadcast = dyn_cast<nn::BroadcastOp>(op);
    for (Value operand : op->getOperands())
      work.push_back({operand, broadcast
                                   ? *getBroadcastRole(broadcast, space, role)
                                   : role});
  }
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

Value KernelValues::neutral(nn::ReduceOp reduce) {
  auto type = vectorType(reduce.getResult());
  auto element = cast<FloatType>(type.getElementType());
  APFloat value = reduce.getKind() == nn::Reduction::Sum
                      ? APFloat::getZero(element.getFloatSemantics())
                      : APFloat::getInf(element.getFloatSemantics(), true);
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, value));
}

Value KernelValues::combine(nn::ReduceOp reduce, Value a, Value b) {
  if (reduce.getKind() == nn::Reduction::Sum)
    return arith::AddFOp::create(builder, loc, a, b);
  // A NaN must come through, or a diverged run would look well.
  return arith::MaximumFOp::create(builder, loc, a, b);
}

Value KernelValues::evaluateOperand(nn::ReduceOp reduce, const Lanes &lanes) {
  Value value = evaluate(reduce.getInput(), {RoleKind::Full, 1}, lanes);
  if (!lanes.mask)
    return value;
  return arith::SelectOp::create(builder, loc, lanes.mask, value,
                                 neutral(reduce));
}

Value KernelValues::reduceLanes(nn::ReduceOp reduce, Value value) {
  for (int64_t width = vb.lanes / 2; width >= 1; width /= 2) {
    auto low = llvm::to_vector(llvm::seq<int64_t>(width));
    auto high = llvm::to_vector(llvm::seq<int64_t>(width, 2 * width));
    Value a = vector::ShuffleOp::create(builder, loc, value, value, low);
    Value b = vector::ShuffleOp::create(builder, loc, value, value, high);
    value = combine(reduce, a, b);
  }
  return vector::ExtractOp::create(builder, loc, value, 0);
}

void KernelValues::setRowResult(nn::ReduceOp reduce, Value scalar) {
  rowValues[reduce.getResult()] = round(reduce.getResult(), scalar);
}

void KernelValues::setColumnResult(nn::ReduceOp reduce, Value vector) {
  vectors[{reduce.getResult(), static_cast<unsigned>(RoleKind::Column)}] =
      round(reduce.getResult(), vector);
}

unsigned KernelValues::getDepth(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return 0;
  auto known = depths.find(value);
  if (known != depths.end())
    return known->second;
  unsigned depth = 0;
  for (Value operand : op->getOperands())
    depth = std::max(depth, getDepth(operand));
  depth += isa<nn::ReduceOp>(op);
  return depths[value] = depth;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

SmallVector<KernelValues::Part>
KernelValues::getParts(ArrayRef<unsigned> wanted) {
  SmallVector<Part> parts;
  for (unsigned i : wanted) {
    auto concat = results[i].getDefiningOp<nn::ConcatColumnsOp>();
    if (!concat) {
      parts.push_back({i, results[i], 0, columns});
      continue;
    }
    int64_t count = concat.getInputs().size();
    for (auto [place, part] : llvm::enumerate(concat.getInputs()))
      parts.push_back(
          {i, part, static_cast<int64_t>(place) * columns, count * columns});
  }
  return parts;
}

Value KernelValues::getPosition(const Part &part, const Lanes &lanes) {
  if (part.columns == columns)
    return getPosition({RoleKind::Full, 1}, lanes);
  return vb.add(vb.add(vb.mul(row, part.columns), part.offset), lanes.column);
}

Value KernelValues::getPosition(Role role, const Lanes &lanes) {
  if (role.kind == RoleKind::Full)
    return row ? vb.add(vb.mul(row, columns), lanes.column) : lanes.column;
  if (role.factor == 1)
    return lanes.column;
  Value index = role.group == 1 ? row : vb.div(row, role.group);
  return vb.add(vb.mul(vb.rem(index, role.factor), columns), lanes.column);
}

void KernelValues::store(unsigned result, Value value, Value position,
                         Value mask) {
  if (accumulates(result))
    value = vb.addf(vb.load(outputs[result], position, mask), value);
  vb.store(value, outputs[result], position, mask);
}

void KernelValues::storeScalar(unsigned result, Value value, Value position) {
  if (accumulates(result))
    value = vb.addf(vb.loadScalar(outputs[result], position), value);
  vb.storeScalar(value, outputs[result], position);
}
