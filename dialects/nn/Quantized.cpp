//===- Quantized.cpp - Products of 8-bit integers ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/NN.h"
#include "dialects/nn/WeightBlocks.h"

using namespace mlir;
using namespace tessera::nn;

RankedTensorType ParameterOp::getValueType() {
  RankedTensorType type = getTensorType();
  if (std::optional<uint64_t> along = getBlocksAlong()) {
    WeightBlocks blocks = {type.getDimSize(*along),
                           type.getDimSize(1 - *along)};
    return RankedTensorType::get({blocks.getBytes()},
                                 IntegerType::get(getContext(), 8));
  }
  return getComputeType() ? type.clone(*getComputeType()) : type;
}

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

static LogicalResult verifyCount(Operation *op, Value count) {
  if (count && shapeOf(count) != ArrayRef<int64_t>{1})
    return op->emitOpError("count must have one element");
  return success();
}

bool QuantizeRowsOp::staysWide(Value value) { return value == getScales(); }
bool QuantizedMatmulOp::staysWide(Value value) { return value == getScales(); }

void QuantizeRowsOp::build(OpBuilder &builder, OperationState &state,
                           Value input, Value count) {
  ArrayRef<int64_t> shape = shapeOf(input);
  int64_t rows = shape[0], blocks = WeightBlocks{shape[1], 0}.getBlocks();
  auto type = [&](int64_t columns, Type element) {
    return RankedTensorType::get({rows, columns}, element);
  };
  build(builder, state,
        type(blocks * WeightBlocks::blockInner, builder.getI8Type()),
        type(blocks, builder.getF32Type()), type(blocks, builder.getI32Type()),
        input, count);
}

LogicalResult QuantizeRowsOp::verify() {
  ArrayRef<int64_t> shape = shapeOf(getInput());
  if (shape.size() != 2)
    return emitOpError("input must be a matrix");
  int64_t rows = shape[0], blocks = WeightBlocks{shape[1], 0}.getBlocks();
  if (shapeOf(getResult()) !=
      ArrayRef<int64_t>{rows, blocks * WeightBlocks::blockInner})
    return emitOpError("result must have shape [")
           << rows << ", " << blocks * WeightBlocks::blockInner << "]";
  for (Value each : {Value(getScales()), Value(getOffsets())})
    if (shapeOf(each) != ArrayRef<int64_t>{rows, blocks})
      return emitOpError("scales and offsets must have one number a block: [")
             << rows << ", " << blocks << "]";
  return verifyCount(*this, getCount());
}

LogicalResult QuantizedMatmulOp::verify() {
  ArrayRef<int64_t> rows = shapeOf(getRows()), result = shapeOf(getResult());
  if (rows.size() != 2 || rows[1] % WeightBlocks::blockInner != 0)
    return emitOpError("rows must be a matrix of whole blocks");
  WeightBlocks blocks = {rows[1], 0};
  for (Value each : {Value(getScales()), Value(getOffsets())})
    if (shapeOf(each) != ArrayRef<int64_t>{rows[0], blocks.getBlocks()})
      return emitOpError("scales and offsets must have one number a block: [")
             << rows[0] << ", " << blocks.getBlocks() << "]";
  if (result.size() != 2 || result[0] != rows[0])
    return emitOpError("result must be a matrix of ") << rows[0] << " rows";
  blocks.columns = result[1];
  if (shapeOf(getWeight()) != ArrayRef<int64_t>{blocks.getBytes()})
    return emitOpError("weight of ")
           << blocks.columns << " columns of " << blocks.getBlocks()
           << " blocks must have " << blocks.getBytes() << " bytes";
  if (getBias() && shapeOf(getBias()) != ArrayRef<int64_t>{blocks.columns})
    return emitOpError("bias must have one element a column: ")
           << blocks.columns;
  return verifyCount(*this, getCount());
}

LogicalResult QuantizedGatherOp::verify() {
  ArrayRef<int64_t> result = shapeOf(getResult()),
                    indices = shapeOf(getIndices());
  if (result.size() != 2 || indices.size() != 1 || result[0] != indices[0])
    return emitOpError("result must be a matrix with a row for each index");
  WeightBlocks blocks = {result[1], static_cast<int64_t>(getColumns())};
  if (blocks.columns < 1 ||
      shapeOf(getTable()) != ArrayRef<int64_t>{blocks.getBytes()})
    return emitOpError("table of ")
           << blocks.columns << " columns of " << blocks.inner
           << " numbers must have " << blocks.getBytes() << " bytes";
  return success();
}
