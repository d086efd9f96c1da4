//===- PackedHeads.cpp - What changes packed queries and keys ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/Formula.h"

using namespace mlir;
using namespace tessera::nn;

/// The elements of \p value in the same order as \p type.
static Value reshape(Formula &f, Value value, RankedTensorType type) {
  if (value.getType() == type)
    return value;
  return ReshapeOp::create(f.builder, f.loc, type, value);
}

/// Whether an element's index along dimension \p dim of \p type is below
/// \p count.
static Value isBelow(Formula &f, RankedTensorType type, int64_t dim,
                     int64_t count) {
  auto integers = type.clone(f.builder.getI32Type());
  Value index = IotaOp::create(f.builder, f.loc, integers, dim);
  return f.compare(arith::CmpIPredicate::slt, index, f.splat(integers, count));
}

/// That \p op's columns are heads of queries, keys and values.
template <typename Op> static LogicalResult verifyHeads(Op op) {
  auto type = Formula::typeOf(op.getQkv());
  if (type.getRank() != 2 || op.getHeads() < 1 || op.getKvHeads() < 1)
    return op.emitOpError(
        "needs a matrix, at least one head of queries and one "
        "of keys");
  if (type.getDimSize(1) % op.getAllHeads())
    return op.emitOpError()
           << type.getDimSize(1) << " columns are no multiple of "
           << op.getHeads() << " heads of queries and 2 x " << op.getKvHeads()
           << " of keys and values";
  return success();
}

//===----------------------------------------------------------------------===//
// Rotary positions
//===----------------------------------------------------------------------===//

LogicalResult RotaryOp::verify() {
  if (failed(verifyHeads(*this)))
    return failure();
  auto table = Formula::typeOf(getTable());
  if (table.getRank() != 3 || table.getDimSize(0) != 2 ||
      2 * table.getDimSize(2) != getHeadDim())
    return emitOpError("table must be 2 x positions x half of a head's ")
           << getHeadDim() << " columns";
  int64_t rows = Formula::typeOf(getQkv()).getDimSize(0);
  if (table.getDimSize(1) == 0 || rows % table.getDimSize(1))
    return emitOpError() << rows << " rows are no multiple of the table's "
                         << table.getDimSize(1) << " positions";
  return success();
}

void RotaryOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                              MutableArrayRef<Value> operands) {
  operands[0] = RotaryOp::create(builder, getLoc(), gradients[0], getTable(),
                                 getHeads(), getKvHeads(), !getBack());
}

SmallVector<Value> RotaryOp::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  auto table = Formula::typeOf(getTable());
  int64_t positions = table.getDimSize(1), half = table.getDimSize(2);
  auto packed = Formula::typeOf(getQkv());
  // Batch rows, positions, heads, columns of half a head.
  SmallVector<int64_t> shape = {packed.getDimSize(0) / positions, positions,
                                getAllHeads(), half};
  auto wide = packed.clone(shape, table.getElementType());
  SmallVector<int64_t> whole(shape);
  whole.back() = 2 * half;
  Value x = reshape(f, getQkv(), packed.clone(whole));
  auto part = [&](int64_t which) {
    return f.wide(SliceColumnsOp::create(builder, f.loc, packed.clone(shape), x,
                                         which * half));
  };
  Value changes = isBelow(f, wide, 2, getChangedHeads());
  auto factor = [&](int64_t which, double otherwise) {
    Value rows = SliceOp::create(
        builder, f.loc, table.clone({1, positions, half}), getTable(), which);
    rows = reshape(f, rows, table.clone({positions, half}));
    Value each = createBroadcast(builder, f.loc, rows, shape, {1, 3});
    return f.select(changes, each, f.splat(wide, otherwise));
  };
  Value a = part(0), b = part(1), cosine = factor(0, 1), sine = factor(1, 0);
  Value ac = f.mul(a, cosine), bs = f.mul(b, sine);
  Value bc = f.mul(b, cosine), as = f.mul(a, sine);
  Value first = getBack() ? f.add(ac, bs) : f.sub(ac, bs);
  Value second = getBack() ? f.sub(bc, as) : f.add(bc, as);
  SmallVector<Value> parts = {f.as(getResult(), first),
                              f.as(getResult(), second)};
  Value result =
      ConcatColumnsOp::create(builder, f.loc, packed.clone(whole), parts);
  return {reshape(f, result, packed)};
}

//===----------------------------------------------------------------------===//
// Norms of heads
//===----------------------------------------------------------------------===//

LogicalResult HeadNormOp::verify() {
  if (failed(verifyHeads(*this)))
    return failure();
  if (Formula::typeOf(getQueryWeight()).getShape() !=
      ArrayRef<int64_t>{getHeadDim()})
    return emitOpError("weights must have a head's ")
           << getHeadDim() << " columns";
  if (Formula::typeOf(getRstd()).getShape() !=
      ArrayRef<int64_t>{Formula::typeOf(getQkv()).getDimSize(0), getAllHeads()})
    return emitOpError("rstd must have one element per row and head");
  return success();
}

namespace {

/// The packed columns as [tokens, heads, head dim].
struct PackedHeads {
  PackedHeads(Formula &f, HeadNormOp op)
      : f(f), op(op), packed(Formula::typeOf(op.getQkv())),
        type(packed.clone(
            {packed.getDimSize(0), op.getAllHeads(), op.getHeadDim()})),
        rows(Formula::typeOf(op.getRstd())) {}

  Value split(Value value) { return reshape(f, value, type); }
  Value join(Value value) {
    return reshape(f, value, packed.clone(getElementTypeOrSelf(value)));
  }
  RankedTensorType wideType() { return type.clone(rows.getElementType()); }
  /// \p a for the first \p count heads, \p b for the others.
  Value choose(int64_t count, Value a, Value b) {
    return f.select(isBelow(f, Formula::typeOf(a), 1, count), a, b);
  }
  /// Each head's weight: 1 for values.
  Value weights() {
    Value query = f.alongRows(f.wide(op.getQueryWeight()), type);
    Value key = f.alongRows(f.wide(op.getKeyWeight()), type);
    return choose(op.getHeads(), query,
                  choose(op.getChangedHeads(), key, f.splat(wideType(), 1)));
  }

  Formula &f;
  HeadNormOp op;
  RankedTensorType packed, type, rows;
};

} // namespace

void HeadNormOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                MutableArrayRef<Value> operands) {
  if (!gradients[0])
    return;
  Formula f{builder, getLoc()};
  PackedHeads heads(f, *this);
  RankedTensorType type = heads.wideType();
  Value dy = f.wide(heads.split(gradients[0]));
  Value rstd = f.alongColumns(getRstd(), type);
  Value normalized = f.mul(heads.split(getQkv()), rstd);
  // See RmsNormOp: of values neither the mean nor rstd counts.
  Value g = f.mul(dy, heads.weights());
  Value meanGX = f.scale(f.rowSum(f.mul(g, normalized)), 1.0 / getHeadDim());
  meanGX = heads.choose(getChangedHeads(), meanGX, f.splat(heads.rows, 0));
  Value dx = f.sub(g, f.mul(normalized, f.alongColumns(meanGX, type)));
  // Rounded before it is joined: what follows a kernel's last reshape would be
  // computed over rows of all heads, and read all of this from memory.
  operands[0] = heads.join(f.as(getQkv(), f.mul(dx, rstd)));
  Value zero = f.splat(type, 0), each = f.mul(dy, normalized);
  Value ofQueries = heads.choose(getHeads(), each, zero);
  Value ofKeys = heads.choose(getHeads(), zero,
                              heads.choose(getChangedHeads(), each, zero));
  operands[1] = f.as(getQueryWeight(), f.columnSum(ofQueries));
  operands[2] = f.as(getKeyWeight(), f.columnSum(ofKeys));
}

SmallVector<Value> HeadNormOp::decompose(OpBuilder &builder) {
  Formula f{builder, getLoc()};
  PackedHeads heads(f, *this);
  Value x = f.wide(heads.split(getQkv()));
  Value square = f.scale(f.rowSum(f.mul(x, x)), 1.0 / getHeadDim());
  Value rstd = f.rsqrt(f.offset(square, getEpsilon().convertToDouble()));
  rstd = heads.choose(getChangedHeads(), rstd, f.splat(heads.rows, 1));
  Value normalized =
      f.as(getResult(), f.mul(x, f.alongColumns(rstd, heads.type)));
  Value result = f.as(getResult(), f.mul(normalized, heads.weights()));
  return {heads.join(result), rstd};
}
