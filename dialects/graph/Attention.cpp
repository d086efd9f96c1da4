//===- Attention.cpp - Attention over a graph's edges -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::graph;

/// The type of \p value if it is a matrix, else null.
static RankedTensorType getMatrix(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() == 2 ? type : RankedTensorType();
}

LogicalResult AttentionOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  RankedTensorType input = getMatrix(adaptor.getInput());
  RankedTensorType target = getMatrix(adaptor.getTarget());
  if (!input || !target)
    return emitOptionalError(loc, "'graph.attention' op rows and scores must "
                                  "be matrices");
  Type rows = input.clone({target.getDimSize(0), input.getDimSize(1)});
  types.append({rows, target, rows, target});
  return success();
}

LogicalResult AttentionGradOp::inferReturnTypes(MLIRContext *,
                                                std::optional<Location> loc,
                                                Adaptor adaptor,
                                                SmallVectorImpl<Type> &types) {
  RankedTensorType input = getMatrix(adaptor.getInput());
  RankedTensorType source = getMatrix(adaptor.getSource());
  if (!input || !source)
    return emitOptionalError(loc, "'graph.attention_grad' op rows and scores "
                                  "must be matrices");
  Type rows = input.clone({source.getDimSize(0), input.getDimSize(1)});
  types.append({rows, rows, source});
  return success();
}

/// Checks what both operations have in common; \p inputRows are the rows that
/// `input` must have.
template <typename Op> static LogicalResult verify(Op op, int64_t inputRows) {
  CSRType graph = op.getGraph().getType();
  RankedTensorType input = op.getInput().getType();
  RankedTensorType source = op.getSource().getType();
  RankedTensorType target = op.getTarget().getType();
  if (source.getRank() != 2 || target.getRank() != 2)
    return op.emitOpError("scores must be matrices");
  int64_t heads = source.getDimSize(1);
  if (heads < 1 || source.getDimSize(0) != graph.getColumns() ||
      target.getDimSize(0) != graph.getRows() || target.getDimSize(1) != heads)
    return op.emitOpError("scores must have a column per head, the same in "
                          "both, and as many rows as the graph has columns (")
           << graph.getColumns() << ", of sources) and rows ("
           << graph.getRows() << ", of targets)";
  if (input.getDimSize(0) != inputRows || input.getDimSize(1) % heads != 0)
    return op.emitOpError("input must have ")
           << inputRows << " rows, and columns that are a multiple of its "
           << heads << " heads";
  if (!isa<Float32Type, Float64Type>(source.getElementType()) ||
      source.getElementType() != target.getElementType())
    return op.emitOpError("scores must be f32");
  double rate = op.getRate().convertToDouble();
  if (!(rate >= 0 && rate < 1))
    return op.emitOpError("dropout must be from 0 to below 1, but is ") << rate;
  Value stream = op.getStream();
  if (stream && cast<RankedTensorType>(stream.getType()).getShape() !=
                    ArrayRef<int64_t>{1, 4})
    return op.emitOpError("dropout's stream must be 1x4: see nn.random_bits");
  Value ids = op.getIds();
  if (ids && (!stream || cast<RankedTensorType>(ids.getType()).getShape() !=
                             ArrayRef<int64_t>{graph.getColumns()}))
    return op.emitOpError("ids are of dropout, one for each column of the "
                          "graph: ")
           << graph.getColumns();
  double slope = op.getSlope().convertToDouble();
  if (!(slope >= 0 && slope <= 1))
    return op.emitOpError("slope must lie between 0 and 1, but is ") << slope;
  return success();
}

LogicalResult AttentionOp::verify() {
  return ::verify(*this, getGraph().getType().getColumns());
}

LogicalResult AttentionGradOp::verify() {
  return ::verify(*this, getGraph().getType().getRows());
}

void AttentionOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                 MutableArrayRef<Value> operands) {
  Value gradient = gradients[0];
  if (!gradient)
    return;
  Location loc = getLoc();
  int64_t heads = getHeads(), width = getHeadWidth();
  /// The sum over each head's columns of \p a times \p b.
  auto dot = [&](Value a, Value b, Type type) -> Value {
    Value product = arith::MulFOp::create(builder, loc, a, b);
    auto rows = cast<RankedTensorType>(product.getType());
    Value split = nn::ReshapeOp::create(
        builder, loc, rows.clone({rows.getDimSize(0), heads, width}), product);
    return nn::ReduceOp::create(builder, loc, type, nn::Reduction::Sum, split,
                                ArrayRef<int64_t>{2});
  };
  auto minus = [&](Value a, Value b) -> Value {
    return arith::SubFOp::create(builder, loc, a, b);
  };
  Type ofSource = getSource().getType(), ofTarget = getTarget().getType();
  Value delta = dot(gradient, getResult(), ofTarget);
  auto sums = AttentionGradOp::create(
      builder, loc, getGraph(), gradient, getSource(), getTarget(), getLse(),
      delta, getStream(), getIds(), getSlope(), getRate());
  operands[1] = sums.getResult();
  operands[2] =
      minus(dot(getInput(), sums.getSloped(), ofSource), sums.getCorrections());
  operands[3] = minus(
      dot(gradient, getSloped(), ofTarget),
      arith::MulFOp::create(builder, loc, delta, getSlopes()).getResult());
}
