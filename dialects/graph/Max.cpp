//===- Max.cpp - The largest of neighbours ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/graph/Graph.h"
#include "dialects/nn/Formula.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::graph;

LogicalResult MaxOp::inferReturnTypes(MLIRContext *,
                                      std::optional<Location> loc,
                                      Adaptor adaptor,
                                      SmallVectorImpl<Type> &types) {
  auto graph = dyn_cast<CSRType>(adaptor.getGraph().getType());
  auto type = dyn_cast<RankedTensorType>(adaptor.getInput().getType());
  if (!graph || !type)
    return failure();
  if (type.getRank() != 2 || type.getDimSize(0) != graph.getColumns())
    return emitOptionalError(loc,
                             "'graph.max' op input must be a matrix with one "
                             "row per column of the graph: ",
                             graph.getColumns());
  types.push_back(type.clone({graph.getRows(), type.getDimSize(1)}));
  return success();
}

/// Checks that \p largest is a result of graph.max of \p input.
template <typename Op> static LogicalResult verify(Op op) {
  CSRType graph = op.getGraph().getType();
  RankedTensorType input = op.getInput().getType();
  if (input.getRank() != 2 || input.getDimSize(0) != graph.getColumns())
    return op.emitOpError("input must be a matrix with one row per column of "
                          "the graph: ")
           << graph.getColumns();
  if (op.getLargest().getType() !=
      input.clone({graph.getRows(), input.getDimSize(1)}))
    return op.emitOpError("the largest numbers must have one row per row of "
                          "the graph, ")
           << graph.getRows() << ", and else the input's type";
  return success();
}

LogicalResult MaxTiesOp::verify() { return ::verify(*this); }
LogicalResult MaxGradientOp::verify() { return ::verify(*this); }

void MaxOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                           MutableArrayRef<Value> operands) {
  nn::Formula f{builder, getLoc()};
  Value ties = MaxTiesOp::create(builder, getLoc(), getResult().getType(),
                                 getGraph(), getInput(), getResult());
  // A node without edges has none, and nobody asks for its share.
  ties = f.wide(ties);
  Value one = f.splat(nn::Formula::typeOf(ties), 1);
  Value count = arith::MaximumFOp::create(builder, getLoc(), ties, one);
  Value share = f.as(getResult(), f.div(gradients[0], count));
  operands[1] =
      MaxGradientOp::create(builder, getLoc(), getInput().getType(), getGraph(),
                            getInput(), getResult(), share);
}
