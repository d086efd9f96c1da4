//===- Generation.cpp - Operations that generate text -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/AttentionParts.h"

using namespace mlir;
using namespace tessera::nn;

#define GET_OP_CLASSES
#include "dialects/nn/AttentionParts.cpp.inc"

static RankedTensorType tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

LogicalResult CacheOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getType());
  if (!type || !type.hasStaticShape() ||
      !(isa<FloatType>(type.getElementType()) ||
        type.getElementType().isInteger(8)) ||
      type.getRank() != 5 || type.getDimSize(0) != 2 ||
      type.getNumElements() == 0)
    return emitOpError("type must be a tensor of floating-point numbers or "
                       "bytes of shape [2, slots, key heads, context, head "
                       "dim], but is ")
           << getType();
  return success();
}

/// The symbol \p cache exists and holds \p type.
static LogicalResult verifyCacheUse(Operation *op, FlatSymbolRefAttr cache,
                                    Type type,
                                    SymbolTableCollection &symbolTable) {
  auto definition = symbolTable.lookupNearestSymbolFrom<CacheOp>(op, cache);
  if (!definition)
    return op->emitOpError("no nn.cache is named ") << cache;
  if (type != definition.getTensorType())
    return op->emitOpError("cache ")
           << cache << " is " << definition.getTensorType() << ", not " << type;
  return success();
}

LogicalResult GetCacheOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  return verifyCacheUse(*this, getCacheAttr(), getResult().getType(),
                        symbolTable);
}

LogicalResult SetCacheOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  return verifyCacheUse(*this, getCacheAttr(), getValue().getType(),
                        symbolTable);
}

static LogicalResult verifyCount(Operation *op, Value count) {
  if (tensorType(count).getShape() != ArrayRef<int64_t>{1})
    return op->emitOpError("count must have one element");
  return success();
}

/// What operations on a cache have in common.
template <typename Op> static LogicalResult verifyCached(Op op) {
  RankedTensorType qkv = op.getQkv().getType(), cache = op.getCache().getType();
  if (cache.getRank() != 5 || cache.getDimSize(0) != 2 ||
      cache.getNumElements() == 0)
    return op.emitOpError("cache must be [2, slots, key heads, context, head "
                          "dim], but is ")
           << cache;
  int64_t heads = op.getHeads(), keyHeads = op.getKeyHeads();
  if (heads < 1 || heads % keyHeads != 0)
    return op.emitOpError("has ") << heads << " heads, which " << keyHeads
                                  << " key heads cannot share evenly";
  if (op.getLayout() == QKVLayout::Interleaved && heads != keyHeads)
    return op.emitOpError("interleaved columns have as many key heads as "
                          "heads: ")
           << heads << ", not " << keyHeads;
  int64_t columns = (heads + 2 * keyHeads) * op.getHeadDim();
  if (qkv.getRank() != 2 || qkv.getDimSize(1) != columns)
    return op.emitOpError("qkv must have ") << columns << " columns";
  bool isBytes = cache.getElementType().isInteger(8);
  if (!isBytes && qkv.getElementType() != cache.getElementType())
    return op.emitOpError("element types of qkv and cache differ");
  if (isBytes != static_cast<bool>(op.getScales()))
    return op.emitOpError(
        "has scales where the cache has bytes, and only there");
  if (isBytes) {
    SmallVector<int64_t> perPosition(cache.getShape());
    perPosition.back() = 1;
    if (tensorType(op.getScales()).getShape() != ArrayRef(perPosition))
      return op.emitOpError("scales must have one number a position: ")
             << cache.clone(perPosition);
  }
  for (Value numbers : {op.getSlots(), op.getPositions()})
    if (tensorType(numbers).getShape() != ArrayRef<int64_t>{qkv.getDimSize(0)})
      return op.emitOpError("slots and positions must have one number a row: ")
             << qkv.getDimSize(0);
  return verifyCount(op, op.getCount());
}

LogicalResult CacheWriteOp::verify() {
  if (failed(verifyCached(*this)))
    return failure();
  Type given = getScales() ? getScales().getType() : Type();
  if (given != (getNextScales() ? getNextScales().getType() : Type()))
    return emitOpError("gives scales as it takes them");
  return success();
}

bool CacheWriteOp::staysWide(Value value) {
  return value == getScales() || value == getNextScales();
}
bool CachedAttentionOp::staysWide(Value value) { return value == getScales(); }

LogicalResult CachedAttentionOp::verify() {
  if (failed(verifyCached(*this)))
    return failure();
  RankedTensorType expected = getQkv().getType().clone(
      {getRows(), static_cast<int64_t>(getHeads()) * getHeadDim()});
  if (getResult().getType() != expected)
    return emitOpError("result must be ")
           << expected << ", but is " << getResult().getType();
  if (getWindow() && static_cast<int64_t>(*getWindow()) < 1)
    return emitOpError("window must be at least 1, but is ")
           << static_cast<int64_t>(*getWindow());
  return success();
}

int64_t CachedAttentionPartsOp::countParts(int64_t context,
                                           std::optional<uint64_t> window,
                                           int64_t length) {
  auto count = static_cast<int64_t>(llvm::divideCeil(context, length));
  if (!window)
    return count;
  auto ofWindow = static_cast<int64_t>(llvm::divideCeil(*window - 1, length));
  return std::min(count, ofWindow + 1);
}

bool CachedAttentionPartsOp::staysWide(Value value) {
  return value == getScales() || value.getDefiningOp() == *this;
}

/// What operations on parts of a slot have in common.
template <typename Op> static LogicalResult verifyParts(Op op) {
  auto length = static_cast<int64_t>(op.getPartLength());
  if (length < 1)
    return op.emitOpError("parts must have at least 1 position, but have ")
           << length;
  if (op.getWindow() && static_cast<int64_t>(*op.getWindow()) < 1)
    return op.emitOpError("window must be at least 1, but is ")
           << static_cast<int64_t>(*op.getWindow());
  return success();
}

LogicalResult CachedAttentionPartsOp::verify() {
  if (failed(verifyCached(*this)) || failed(verifyParts(*this)))
    return failure();
  SmallVector<int64_t> shape = {getRows(), static_cast<int64_t>(getHeads()),
                                getPartCount()};
  auto perPart = RankedTensorType::get(shape, Float32Type::get(getContext()));
  for (Value value : {getMaxima(), getTotals()})
    if (value.getType() != perPart)
      return emitOpError("maxima and totals must be ")
             << perPart << ", but are " << value.getType();
  shape.push_back(getHeadDim());
  if (getSums().getType() != perPart.clone(shape))
    return emitOpError("sums must be ")
           << perPart.clone(shape) << ", but are " << getSums().getType();
  return success();
}

bool MergeAttentionPartsOp::staysWide(Value value) {
  return value != getResult();
}

LogicalResult MergeAttentionPartsOp::verify() {
  RankedTensorType sums = getSums().getType();
  if (sums.getRank() != 4)
    return emitOpError("sums must be [rows, heads, parts, head dim], but are ")
           << sums;
  auto perPart = sums.clone(sums.getShape().drop_back());
  if (getMaxima().getType() != perPart)
    return emitOpError("maxima and totals must be ")
           << perPart << ", but are " << getMaxima().getType();
  if (tensorType(getPositions()).getShape() != ArrayRef<int64_t>{getRows()})
    return emitOpError("positions must have one number a row: ") << getRows();
  if (tensorType(getResult()).getShape() !=
      ArrayRef<int64_t>{getRows(), getHeads() * getHeadDim()})
    return emitOpError("result must have shape [")
           << getRows() << ", " << getHeads() * getHeadDim() << "]";
  if (failed(verifyParts(*this)))
    return failure();
  return verifyCount(*this, getCount());
}

LogicalResult RowMatmulOp::verify() {
  auto a = tensorType(getA()), b = tensorType(getB());
  if (a.getRank() != 2 || b.getRank() != 2)
    return emitOpError("operands must be matrices");
  int64_t inner = b.getDimSize(getTransposeB()),
          columns = b.getDimSize(!getTransposeB());
  if (a.getDimSize(1) != inner)
    return emitOpError("inner sizes differ: ")
           << a.getDimSize(1) << " and " << inner;
  if (tensorType(getResult()).getShape() !=
      ArrayRef<int64_t>{a.getDimSize(0), columns})
    return emitOpError("result must have shape [")
           << a.getDimSize(0) << ", " << columns << "]";
  if (getBias() &&
      tensorType(getBias()).getShape() != ArrayRef<int64_t>{columns})
    return emitOpError("bias must have one element a column: ") << columns;
  return verifyCount(*this, getCount());
}
