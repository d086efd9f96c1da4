//===- NNVerifiers.cpp - Verifiers of nn operations -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/NN.h"

using namespace mlir;
using namespace tessera::nn;

static RankedTensorType tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// The axes that a reduction or broadcast names: ascending, within the rank.
static LogicalResult verifyDims(Operation *op, ArrayRef<int64_t> dims,
                                int64_t rank) {
  int64_t previous = -1;
  for (int64_t dim : dims) {
    if (dim < 0 || dim >= rank)
      return op->emitOpError("dim ")
             << dim << " is out of range for a tensor of rank " << rank;
    if (dim <= previous)
      return op->emitOpError("dims must ascend, but ")
             << dim << " follows " << previous;
    previous = dim;
  }
  return success();
}

static LogicalResult verifyParts(ParameterOp op) {
  auto names = op.getPartNames();
  auto rows = op.getPartRows();
  if (!names && !rows)
    return success();
  if (!names || !rows || names->size() != rows->size() || rows->empty())
    return op.emitOpError("parts need a name and a number of rows each");
  ArrayRef<int64_t> shape = op.getTensorType().getShape();
  if (shape.empty())
    return op.emitOpError("has parts, but no dimension that they are rows of");
  llvm::SmallDenseSet<StringAttr> seen;
  int64_t left = shape[0];
  for (auto [name, count] : llvm::zip(names->getAsRange<StringAttr>(), *rows)) {
    if (name.empty())
      return op.emitOpError("has a part without a name");
    if (!seen.insert(name).second)
      return op.emitOpError("has two parts named ") << name;
    if (count < 1 || count > left)
      return op.emitOpError("part ")
             << name << " has " << count << " rows, where " << left << " of "
             << shape[0] << " are left";
    left -= count;
  }
  if (left)
    return op.emitOpError("parts have ")
           << shape[0] - left << " of " << shape[0] << " rows";
  return success();
}

LogicalResult ParameterOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getType());
  if (!type || !type.hasStaticShape() || !isa<FloatType>(type.getElementType()))
    return emitOpError("type must be a floating-point tensor of static shape, "
                       "but is ")
           << getType();
  if (failed(verifyParts(*this)))
    return failure();
  if (getPacked() && type.getRank() != 2)
    return emitOpError("is packed and no matrix: ") << type;
  if (std::optional<uint64_t> along = getBlocksAlong()) {
    if (type.getRank() != 2 || *along > 1 || type.getNumElements() == 0)
      return emitOpError("has blocks along dimension ")
             << static_cast<int64_t>(*along)
             << ": a matrix has them along 0 or 1";
    if (getComputeType())
      return emitOpError("is read in blocks, and not as ") << *getComputeType();
    if (getPacked())
      return emitOpError("is read in blocks, and not in panels");
    if (getPartNames() && *along == 0)
      return emitOpError("has parts, which would cut blocks along dimension 0");
  }
  if (!getComputeType())
    return success();
  auto narrow = dyn_cast<FloatType>(*getComputeType());
  if (!narrow || narrow.getWidth() >= type.getElementTypeBitWidth())
    return emitOpError("computes as ")
           << *getComputeType() << ", which must be a floating-point type of "
           << "fewer bits than " << type.getElementType();
  return success();
}

/// A use of a parameter: the symbol exists and has one of its types, \p type.
static LogicalResult verifyParameterUse(Operation *op, FlatSymbolRefAttr symbol,
                                        Type type, bool isRead,
                                        SymbolTableCollection &symbolTable) {
  auto parameter = symbolTable.lookupNearestSymbolFrom<ParameterOp>(op, symbol);
  if (!parameter)
    return op->emitOpError("no nn.parameter is named ") << symbol;
  if (type != parameter.getValueType() &&
      (isRead || type != parameter.getType()))
    return op->emitOpError("parameter ")
           << symbol << " is " << parameter.getValueType() << ", not " << type;
  return success();
}

LogicalResult
GetParameterOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  return verifyParameterUse(*this, getParameterAttr(), getResult().getType(),
                            /*isRead=*/true, symbolTable);
}

LogicalResult UpdateOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  return verifyParameterUse(*this, getParameterAttr(), getGradient().getType(),
                            /*isRead=*/false, symbolTable);
}

/// True where \p result is \p expected, or as wide as fp32 where that is
/// narrower.
static bool isSameOrWider(RankedTensorType expected, Type result) {
  Type wide = Float32Type::get(expected.getContext());
  return result == expected || (expected.getElementTypeBitWidth() < 32 &&
                                result == expected.clone(wide));
}

LogicalResult BroadcastOp::verify() {
  auto input = tensorType(getInput()), result = tensorType(getResult());
  if (input.getElementType() != result.getElementType())
    return emitOpError("element types of operand and result differ");
  if (static_cast<int64_t>(getDims().size()) != input.getRank())
    return emitOpError("dims must name one dimension of the result for each "
                       "dimension of the operand");
  if (failed(verifyDims(*this, getDims(), result.getRank())))
    return failure();
  for (auto [i, dim] : llvm::enumerate(getDims()))
    if (input.getDimSize(i) != result.getDimSize(dim))
      return emitOpError("dimension ")
             << i << " of the operand has size " << input.getDimSize(i)
             << ", but dimension " << dim << " of the result has size "
             << result.getDimSize(dim);
  return success();
}

LogicalResult ReduceOp::verify() {
  auto input = tensorType(getInput());
  if (failed(verifyDims(*this, getDims(), input.getRank())))
    return failure();
  SmallVector<int64_t> shape;
  for (auto [i, size] : llvm::enumerate(input.getShape()))
    if (!llvm::is_contained(getDims(), static_cast<int64_t>(i)))
      shape.push_back(size);
  if (!isSameOrWider(input.clone(shape), getResult().getType()))
    return emitOpError("result must be ")
           << input.clone(shape) << ", but is " << getResult().getType();
  return success();
}

LogicalResult MatmulOp::verify() {
  auto a = tensorType(getA()), b = tensorType(getB());
  if (a.getRank() != 2 || b.getRank() != 2)
    return emitOpError("operands must be matrices");
  if (a.getElementType() != b.getElementType())
    return emitOpError("element types of the operands differ");
  int64_t m = a.getDimSize(getTransposeA()), k = a.getDimSize(!getTransposeA());
  int64_t kb = b.getDimSize(getTransposeB()),
          n = b.getDimSize(!getTransposeB());
  if (k != kb)
    return emitOpError("inner sizes differ: ") << k << " and " << kb;
  if (!isSameOrWider(a.clone({m, n}), getResult().getType()))
    return emitOpError("result must be ")
           << a.clone({m, n}) << ", but is " << getResult().getType();
  return success();
}

LogicalResult ReshapeOp::verify() {
  auto input = tensorType(getInput()), result = tensorType(getResult());
  if (input.getElementType() != result.getElementType())
    return emitOpError("element types of operand and result differ");
  if (input.getNumElements() != result.getNumElements())
    return emitOpError("operand has ")
           << input.getNumElements() << " elements, result has "
           << result.getNumElements();
  return success();
}

LogicalResult TransposeOp::verify() {
  auto input = tensorType(getInput());
  SmallVector<int64_t> shape, sorted(getPermutation());
  llvm::sort(sorted);
  for (auto [i, dim] : llvm::enumerate(sorted))
    if (dim != static_cast<int64_t>(i) ||
        i >= static_cast<size_t>(input.getRank()))
      return emitOpError("permutation must name each dimension once");
  if (static_cast<int64_t>(sorted.size()) != input.getRank())
    return emitOpError("permutation must name each dimension once");
  for (int64_t dim : getPermutation())
    shape.push_back(input.getDimSize(dim));
  if (input.clone(shape) != getResult().getType())
    return emitOpError("result must be ") << input.clone(shape);
  return success();
}

LogicalResult SliceOp::verify() {
  auto input = tensorType(getInput()), result = tensorType(getResult());
  if (input.getRank() == 0 || input.getRank() != result.getRank() ||
      input.getShape().drop_front() != result.getShape().drop_front() ||
      input.getElementType() != result.getElementType())
    return emitOpError("operand and result may differ in dimension 0 alone");
  int64_t offset = getOffset();
  if (offset < 0 || offset + result.getDimSize(0) > input.getDimSize(0))
    return emitOpError("rows ")
           << offset << " to " << offset + result.getDimSize(0)
           << " are out of range: the operand has " << input.getDimSize(0);
  return success();
}

LogicalResult ConcatOp::verify() {
  if (getInputs().empty())
    return emitOpError("needs at least one operand");
  auto result = tensorType(getResult());
  int64_t rows = 0;
  for (Value input : getInputs()) {
    auto type = tensorType(input);
    if (type.getRank() == 0 || type.getRank() != result.getRank() ||
        type.getShape().drop_front() != result.getShape().drop_front() ||
        type.getElementType() != result.getElementType())
      return emitOpError("operands and result may differ in dimension 0 alone");
    rows += type.getDimSize(0);
  }
  if (rows != result.getDimSize(0))
    return emitOpError("operands have ")
           << rows << " rows together, the result has " << result.getDimSize(0);
  return success();
}

/// That \p parts are the columns of \p whole, dealt evenly and in order.
static LogicalResult verifyColumns(Operation *op, Value whole,
                                   ValueRange parts) {
  auto type = tensorType(whole);
  if (type.getRank() == 0 || parts.empty())
    return op->emitOpError("needs a last dimension and at least one part");
  SmallVector<int64_t> shape(type.getShape());
  int64_t columns = shape.back(), count = parts.size();
  shape.back() = columns / count;
  if (columns % count || columns == 0)
    return op->emitOpError() << columns << " columns cannot be dealt to "
                             << count << " parts of one width";
  for (Value part : parts)
    if (part.getType() != type.clone(shape))
      return op->emitOpError("each part must be ") << type.clone(shape);
  return success();
}

LogicalResult SplitColumnsOp::verify() {
  return verifyColumns(*this, getInput(), getParts());
}

LogicalResult ConcatColumnsOp::verify() {
  return verifyColumns(*this, getResult(), getInputs());
}

LogicalResult SliceColumnsOp::verify() {
  auto input = tensorType(getInput()), result = tensorType(getResult());
  if (input.getRank() == 0 || input.getRank() != result.getRank() ||
      input.getShape().drop_back() != result.getShape().drop_back() ||
      input.getElementType() != result.getElementType())
    return emitOpError("operand and result may differ in the last dimension "
                       "alone");
  int64_t columns = input.getShape().back(), width = result.getShape().back();
  int64_t offset = getOffset();
  if (width == 0 || columns % width || offset % width)
    return emitOpError() << columns << " columns and offset " << offset
                         << " must be multiples of the result's width, "
                         << width;
  if (offset < 0 || offset + width > columns)
    return emitOpError("columns ")
           << offset << " to " << offset + width
           << " are out of range: the operand has " << columns;
  return success();
}

/// Indices are i32.
static LogicalResult verifyCount(Operation *op, int64_t count,
                                 const char *what) {
  if (count <= INT32_MAX)
    return success();
  return op->emitOpError("has ")
         << count << ' ' << what << "; 32-bit indices count 2147483647 at most";
}

/// A table of rows, one index per row, the rows: shared by gather and its
/// gradient.
static LogicalResult verifyRows(Operation *op, Value table, Value indices,
                                Value rows, bool mayBeNarrower) {
  auto tableType = tensorType(table), indexType = tensorType(indices),
       rowType = tensorType(rows);
  if (tableType.getRank() != 2)
    return op->emitOpError("the table must be a matrix");
  SmallVector<int64_t> shape(indexType.getShape());
  shape.push_back(tableType.getDimSize(1));
  bool isType =
      rowType.getElementType() == tableType.getElementType() ||
      (mayBeNarrower && isSameOrWider(rowType, tableType.clone(shape)));
  if (rowType.getShape() != ArrayRef<int64_t>(shape) || !isType)
    return op->emitOpError("rows must be ") << tableType.clone(shape);
  if (failed(verifyCount(op, tableType.getDimSize(0), "rows of the table")))
    return failure();
  return verifyCount(op, indexType.getNumElements(), "indices");
}

LogicalResult GatherOp::verify() {
  return verifyRows(*this, getTable(), getIndices(), getResult(),
                    /*mayBeNarrower=*/false);
}

LogicalResult PackedGatherOp::verify() {
  return verifyRows(*this, getTable(), getIndices(), getResult(),
                    /*mayBeNarrower=*/false);
}

LogicalResult ScatterAddOp::verify() {
  return verifyRows(*this, getInit(), getIndices(), getRows(),
                    /*mayBeNarrower=*/true);
}

LogicalResult IotaOp::verify() {
  int64_t dim = getDim(), rank = tensorType(getResult()).getRank();
  if (dim < 0 || dim >= rank)
    return emitOpError("dim ")
           << dim << " is out of range for a tensor of rank " << rank;
  return verifyCount(*this, tensorType(getResult()).getDimSize(dim),
                     "elements along its dimension");
}

/// What draws for each element of \p type: a stream, and ids among which the
/// rows are dealt evenly. Counters have 32 bits.
static LogicalResult verifyDraws(Operation *op, Value stream, Value samples,
                                 RankedTensorType type) {
  if (tensorType(stream).getShape() != ArrayRef<int64_t>{1, 4})
    return op->emitOpError("stream must be 1x4: step, draw and the key's two "
                           "words");
  if (type.getRank() == 0)
    return op->emitOpError("result must have a last dimension");
  int64_t columns = type.getShape().back();
  int64_t rows = columns ? type.getNumElements() / columns : 0;
  int64_t ofSample = 1;
  if (samples) {
    int64_t count = tensorType(samples).getNumElements();
    if (tensorType(samples).getRank() != 1 || count == 0 || rows % count)
      return op->emitOpError("samples must be a vector among whose elements "
                             "the ")
             << rows << " rows can be dealt evenly";
    ofSample = rows / count;
  }
  constexpr int64_t most = int64_t(1) << 32;
  if (columns > most || rows > most || (columns + 3) / 4 > most / ofSample)
    return op->emitOpError("a sample takes more than 2^32 counters");
  return success();
}

LogicalResult RandomBitsOp::verify() {
  return verifyDraws(*this, getStream(), getSamples(), tensorType(getResult()));
}

/// A share of elements to drop.
static LogicalResult verifyRate(Operation *op, const APFloat &rate) {
  double value = rate.convertToDouble();
  if (!(value >= 0 && value < 1))
    return op->emitOpError("rate must be from 0 to below 1, but is ") << value;
  return success();
}

LogicalResult DropoutOp::verify() {
  if (failed(verifyRate(*this, getRate())))
    return failure();
  return verifyDraws(*this, getStream(), getSamples(), tensorType(getResult()));
}

LogicalResult LayerNormOp::verify() {
  auto input = tensorType(getInput());
  if (input.getRank() == 0 ||
      tensorType(getWeight()).getShape() != input.getShape().take_back())
    return emitOpError(
        "weight and bias must have the size of the last dimension");
  if (tensorType(getMean()).getShape() != input.getShape().drop_back())
    return emitOpError("mean and rstd must have one element per row");
  return success();
}

LogicalResult RmsNormOp::verify() {
  auto input = tensorType(getInput());
  if (input.getRank() == 0 ||
      tensorType(getWeight()).getShape() != input.getShape().take_back())
    return emitOpError("weight must have the size of the last dimension");
  if (tensorType(getRstd()).getShape() != input.getShape().drop_back())
    return emitOpError("rstd must have one element per row");
  return success();
}

LogicalResult SoftmaxOp::verify() {
  if (tensorType(getInput()).getRank() == 0)
    return emitOpError("operand must have a last dimension");
  return success();
}

/// Which keys a query sees, and which heads share them.
template <typename Op> static LogicalResult verifyVisibility(Op op) {
  int64_t heads = op.getHeads(), kvHeads = op.getKvHeads();
  if (kvHeads < 1 || heads % kvHeads)
    return op.emitOpError()
           << heads << " heads are no multiple of " << kvHeads << " kv_heads";
  if (kvHeads != heads && op.getLayout() == QKVLayout::Interleaved)
    return op.emitOpError("kv_heads other than heads take layout blocked");
  if (!op.getWindow())
    return success();
  if (static_cast<int64_t>(*op.getWindow()) < 1)
    return op.emitOpError("window must hold at least one key");
  if (!op.getCausal())
    return op.emitOpError("a window takes causal");
  return success();
}

/// Sizes of packed queries, keys and values, and of \p out.
template <typename Op> static LogicalResult verifyPacked(Op op, Value out) {
  auto qkvType = tensorType(op.getQkv()), outType = tensorType(out),
       lseType = tensorType(op.getLse());
  int64_t batch = op.getBatch(), heads = op.getHeads();
  int64_t kvHeads = op.getKvHeads();
  if (qkvType.getRank() != 2 || batch < 1 || heads < 1)
    return op.emitOpError("needs a matrix of at least one batch row and head");
  if (failed(verifyVisibility(op)))
    return failure();
  int64_t rows = qkvType.getDimSize(0), columns = qkvType.getDimSize(1);
  if (rows % batch)
    return op.emitOpError()
           << rows << " rows are no multiple of batch " << batch;
  if (columns % (heads + 2 * kvHeads))
    return op.emitOpError() << columns << " columns are no multiple of "
                            << heads << " + 2 x " << kvHeads << " heads";
  int64_t width = heads * op.getHeadDim();
  if (outType.getShape() != ArrayRef<int64_t>{rows, width})
    return op.emitOpError("output must have shape ") << rows << "x" << width;
  if (lseType.getShape() != ArrayRef<int64_t>{batch * heads, rows / batch})
    return op.emitOpError("lse must have shape ")
           << batch * heads << "x" << rows / batch;
  return success();
}

/// Attention's draw, if it has one.
template <typename Op> static LogicalResult verifyAttentionDraw(Op op) {
  ValueRange draw = op.getDraw();
  if (draw.empty())
    return success();
  if (draw.size() != 2)
    return op.emitOpError("dropout takes a stream and samples");
  int64_t batch = op.getBatch(), sequence = op.getSequence();
  if (tensorType(draw[1]).getShape() != ArrayRef<int64_t>{batch})
    return op.emitOpError("samples must have one id per batch row");
  if (op.getHeads() > 1 << 16)
    return op.emitOpError("dropout has room for 65536 heads");
  if (failed(verifyRate(op, op.getRate())))
    return failure();
  return verifyDraws(op, draw[0], draw[1],
                     tensorType(draw[1]).clone({batch * sequence, sequence}));
}

LogicalResult AttentionOp::verify() {
  if (failed(verifyPacked(*this, getResult())))
    return failure();
  return verifyAttentionDraw(*this);
}

LogicalResult AttentionGradOp::verify() {
  if (failed(verifyPacked(*this, getOut())))
    return failure();
  return verifyAttentionDraw(*this);
}

/// The targets and the scale of a loss over \p rows rows.
static LogicalResult verifyLoss(Operation *op, int64_t rows, Value targets,
                                Value scale, Value loss) {
  if (tensorType(targets).getShape() != ArrayRef<int64_t>{rows})
    return op->emitOpError("needs one target per row: ") << rows;
  if (tensorType(scale).getRank() != 0 || tensorType(loss).getRank() != 0)
    return op->emitOpError("scale and loss must be scalars");
  return success();
}

LogicalResult CrossEntropyOp::verify() {
  auto logits = tensorType(getLogits());
  if (logits.getRank() != 2)
    return emitOpError("logits must be a matrix");
  return verifyLoss(*this, logits.getDimSize(0), getTargets(), getScale(),
                    getLoss());
}

LogicalResult LinearCrossEntropyOp::verify() {
  auto input = tensorType(getInput()), weight = tensorType(getWeight());
  if (input.getRank() != 2 || weight.getRank() != 2 ||
      input.getDimSize(1) != weight.getDimSize(1))
    return emitOpError(
        "input and weight must be matrices with equally many columns");
  if (!isSameOrWider(weight, getWeightGradient().getType()))
    return emitOpError("the weight's gradient must be ") << weight;
  return verifyLoss(*this, input.getDimSize(0), getTargets(), getScale(),
                    getLoss());
}

LogicalResult PartialSumSquaresOp::verify() {
  auto result = tensorType(getResult());
  int64_t blocks =
      llvm::divideCeil(tensorType(getInput()).getNumElements(), blockSize);
  if (result.getShape() != ArrayRef<int64_t>{blocks})
    return emitOpError("result must have one element for each ")
           << blockSize << " of the operand: " << blocks;
  return success();
}
