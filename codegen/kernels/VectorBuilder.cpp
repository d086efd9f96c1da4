//===- VectorBuilder.cpp - Writes vectorised loops --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/VectorBuilder.h"

using namespace mlir;
using namespace tessera::codegen;

VectorType VectorBuilder::vectorType() const {
  return vectorType(builder.getF32Type());
}

VectorType VectorBuilder::vectorType(Type element) const {
  return VectorType::get({lanes}, element);
}

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

Value VectorBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value VectorBuilder::add(Value a, Value b) {
  return arith::AddIOp::create(builder, loc, a, b);
}

Value VectorBuilder::add(Value a, int64_t b) {
  return b == 0 ? a : add(a, index(b));
}

Value VectorBuilder::sub(Value a, Value b) {
  return arith::SubIOp::create(builder, loc, a, b);
}

Value VectorBuilder::mul(Value a, int64_t b) {
  return b == 1 ? a : arith::MulIOp::create(builder, loc, a, index(b));
}

Value VectorBuilder::div(Value a, int64_t b) {
  return arith::DivUIOp::create(builder, loc, a, index(b));
}

Value VectorBuilder::rem(Value a, int64_t b) {
  return arith::RemUIOp::create(builder, loc, a, index(b));
}

Value VectorBuilder::min(Value a, Value b) {
  return arith::MinSIOp::create(builder, loc, a, b);
}

Value VectorBuilder::max(Value a, Value b) {
  return arith::MaxSIOp::create(builder, loc, a, b);
}

Value VectorBuilder::toI32(Value position) {
  return arith::IndexCastOp::create(builder, loc, builder.getI32Type(),
                                    position);
}

Value VectorBuilder::toIndex(Value integer) {
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                    integer);
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

Value VectorBuilder::number(double value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getF32FloatAttr(value));
}

Value VectorBuilder::splat(double value) {
  auto number = builder.getF32FloatAttr(value);
  return arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(vectorType(), Attribute(number)));
}

Value VectorBuilder::splat(Value scalar) {
  return vector::BroadcastOp::create(builder, loc, vectorType(scalar.getType()),
                                     scalar);
}

Value VectorBuilder::addf(Value a, Value b) {
  return arith::AddFOp::create(builder, loc, a, b);
}

Value VectorBuilder::subf(Value a, Value b) {
  return arith::SubFOp::create(builder, loc, a, b);
}

Value VectorBuilder::mulf(Value a, Value b) {
  return arith::MulFOp::create(builder, loc, a, b);
}

Value VectorBuilder::divf(Value a, Value b) {
  return arith::DivFOp::create(builder, loc, a, b);
}

Value VectorBuilder::maxf(Value a, Value b) {
  // One instruction where maximumf's rules for NaN and -0 take several.
  Value greater =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, a, b);
  return arith::SelectOp::create(builder, loc, greater, a, b);
}

Value VectorBuilder::fma(Value a, Value b, Value c) {
  return math::FmaOp::create(builder, loc, a, b, c);
}

Value VectorBuilder::toF32(Value integer) {
  Type type = builder.getF32Type();
  if (auto vector = dyn_cast<VectorType>(integer.getType()))
    type = vector.clone(type);
  return arith::SIToFPOp::create(builder, loc, type, integer);
}

Value VectorBuilder::exp2(Value x) {
  // x = n + f with n whole and |f| <= 1/2. Adding and taking away 1.5 * 2^23
  // rounds, and leaves n in the low bits of the first sum, from where a shift
  // brings it into the exponent of 2^f. The polynomial is the minimax one of
  // degree 6 with constant term 1, so that 2^0 = 1 exactly.
  static constexpr double roundingShift = 12582912.0;
  static constexpr double coefficients[] = {0.00015353360887835778,
                                            0.0013398874405374038,
                                            0.009618437361367513,
                                            0.0555033247115951,
                                            0.24022647913598333,
                                            0.6931472028550363,
                                            1.0};
  auto bits = vectorType(builder.getI32Type());
  Value shifted = addf(x, splat(roundingShift));
  Value fraction = subf(x, subf(shifted, splat(roundingShift)));
  Value power = splat(coefficients[0]);
  for (double coefficient : llvm::drop_begin(coefficients))
    power = fma(power, fraction, splat(coefficient));
  Value count = arith::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::get(bits, builder.getI32IntegerAttr(23)));
  Value exponent = arith::ShLIOp::create(
      builder, loc, arith::BitcastOp::create(builder, loc, bits, shifted),
      count);
  Value scaled = arith::AddIOp::create(
      builder, loc, arith::BitcastOp::create(builder, loc, bits, power),
      exponent);
  // True for NaN too.
  Value kept = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UGE, x,
                                     splat(smallestExponent));
  Value none =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(bits));
  return arith::BitcastOp::create(
      builder, loc, vectorType(),
      arith::SelectOp::create(builder, loc, kept, scaled, none));
}

Value VectorBuilder::sum(Value vector) {
  return vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD,
                                     vector, arith::FastMathFlags::reassoc);
}

static bool isNarrow(Type type) {
  auto number = dyn_cast<FloatType>(getElementTypeOrSelf(type));
  return number && number.getWidth() < 32;
}

static Type withElement(Type type, Type element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(element);
  return element;
}

Value VectorBuilder::widen(Value value) {
  if (!isNarrow(value.getType()))
    return value;
  Type type = withElement(value.getType(), builder.getF32Type());
  return arith::ExtFOp::create(builder, loc, type, value);
}

Value VectorBuilder::narrow(Value value, Type element) {
  if (!isNarrow(element) || isNarrow(value.getType()))
    return value;
  return arith::TruncFOp::create(builder, loc,
                                 withElement(value.getType(), element), value);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static Type getElementType(Value buffer) {
  return cast<MemRefType>(buffer.getType()).getElementType();
}

Value VectorBuilder::flatten(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  if (type.getRank() == 1)
    return buffer;
  if (type.getRank() == 0)
    return memref::ExpandShapeOp::create(
        builder, loc, MemRefType::get({1}, type.getElementType()), buffer,
        ArrayRef<ReassociationIndices>{});
  ReassociationIndices all =
      llvm::to_vector<2>(llvm::seq<int64_t>(type.getRank()));
  return memref::CollapseShapeOp::create(builder, loc, buffer,
                                         ArrayRef<ReassociationIndices>{all});
}

Value VectorBuilder::carve(Value bytes, int64_t &offset, int64_t count,
                           Type type) {
  if (!type)
    type = builder.getF32Type();
  Value position = index(offset);
  offset = roundUp(offset + count * (type.getIntOrFloatBitWidth() / 8), 64);
  return memref::ViewOp::create(builder, loc, MemRefType::get({count}, type),
                                bytes, position, ValueRange{});
}

/// The alignment of a vector of \p type in memory.
static llvm::MaybeAlign getAlignment(const VectorBuilder &vb, VectorType type) {
  if (!vb.alignment)
    return {};
  int64_t bits = type.getNumElements() * type.getElementTypeBitWidth();
  return llvm::Align(std::min(vb.alignment, std::max<int64_t>(bits / 8, 1)));
}

Value VectorBuilder::loadRaw(Value buffer, Value position) {
  VectorType type = vectorType(getElementType(buffer));
  return vector::LoadOp::create(builder, loc, type, buffer, position,
                                /*nontemporal=*/false,
                                getAlignment(*this, type));
}

Value VectorBuilder::load(Value buffer, Value position) {
  return widen(loadRaw(buffer, position));
}

Value VectorBuilder::load(Value buffer, Value position, Value mask) {
  if (!mask)
    return load(buffer, position);
  auto type = vectorType(getElementType(buffer));
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  return widen(vector::MaskedLoadOp::create(builder, loc, type, buffer,
                                            position, mask, zero));
}

Value VectorBuilder::loadScalar(Value buffer, Value position) {
  return widen(memref::LoadOp::create(builder, loc, buffer, position));
}

void VectorBuilder::store(Value vector, Value buffer, Value position) {
  Value value = narrow(vector, getElementType(buffer));
  vector::StoreOp::create(
      builder, loc, value, buffer, position, /*nontemporal=*/false,
      getAlignment(*this, cast<VectorType>(value.getType())));
}

void VectorBuilder::store(Value vector, Value buffer, Value position,
                          Value mask) {
  if (!mask)
    return store(vector, buffer, position);
  vector::MaskedStoreOp::create(builder, loc, buffer, position, mask,
                                narrow(vector, getElementType(buffer)));
}

void VectorBuilder::storeScalar(Value scalar, Value buffer, Value position) {
  memref::StoreOp::create(builder, loc, narrow(scalar, getElementType(buffer)),
                          buffer, position);
}

Value VectorBuilder::clampToLanes(Value count) {
  return max(min(count, index(lanes)), index(0));
}

Value VectorBuilder::mask(Value count) {
  // Its lowering compares 32 bits.
  return vector::CreateMaskOp::create(
      builder, loc, vectorType(builder.getI1Type()), clampToLanes(count));
}

Value VectorBuilder::mask(int64_t count) {
  if (count >= vectorLanes)
    return {};
  return vector::ConstantMaskOp::create(
      builder, loc, vectorType(builder.getI1Type()),
      ArrayRef<int64_t>{std::max<int64_t>(count, 0)});
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

void VectorBuilder::loop(Value begin, Value end, int64_t step, Body body) {
  auto op = scf::ForOp::create(builder, loc, begin, end, index(step));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}

void VectorBuilder::loop(int64_t begin, int64_t end, int64_t step, Body body) {
  if (begin < end && begin + step >= end)
    return body(index(begin));
  loop(index(begin), index(end), step, body);
}

SmallVector<Value> VectorBuilder::loop(Value begin, Value end, int64_t step,
                                       ValueRange initial, ReducingBody body) {
  auto op = scf::ForOp::create(builder, loc, begin, end, index(step), initial);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(op.getBody());
  SmallVector<Value> next = body(op.getInductionVar(), op.getRegionIterArgs());
  // Without values the loop's end is there already.
  if (!initial.empty())
    scf::YieldOp::create(builder, loc, next);
  return llvm::to_vector(llvm::map_range(
      op.getResults(), [](OpResult result) -> Value { return result; }));
}

void VectorBuilder::vectors(int64_t count,
                            function_ref<void(Value, Value)> body) {
  int64_t whole = count / vectorLanes * vectorLanes;
  if (whole)
    loop(0, whole, vectorLanes, [&](Value position) { body(position, {}); });
  if (whole < count)
    body(index(whole), mask(count - whole));
}

SmallVector<Value> VectorBuilder::transpose(SmallVector<Value> rows) {
  // Four rounds exchange blocks of 8, 4, 2 and 1 between rows that lie as far
  // apart: element (r, c) moves to (c, r) bit by bit of its coordinates.
  for (int64_t block = vectorLanes / 2; block; block /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < vectorLanes; ++lane) {
      bool second = lane & block;
      low.push_back(second ? vectorLanes + lane - block : lane);
      high.push_back(second ? vectorLanes + lane : lane + block);
    }
    for (int64_t row = 0; row < vectorLanes; ++row) {
      if (row & block)
        continue;
      Value a = rows[row], b = rows[row + block];
      rows[row] = vector::ShuffleOp::create(builder, loc, a, b, low);
      rows[row + block] = vector::ShuffleOp::create(builder, loc, a, b, high);
    }
  }
  return rows;
}
