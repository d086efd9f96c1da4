//===- Dropout.cpp - Dropout of sparse matrices ---------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tessera::graph;

LogicalResult DropoutOp::verify() {
  RankedTensorType weight = getWeight().getType();
  if (weight.getRank() != 1 || getRowPtr().getType().getRank() != 1 ||
      getCol().getType().getShape() != weight.getShape())
    return emitOpError("arrays must have one dimension, and as many columns as "
                       "weights");
  double rate = getRate().convertToDouble();
  if (!(rate >= 0 && rate < 1))
    return emitOpError("rate must be from 0 to below 1, but is ") << rate;
  if (getStream().getType().getShape() != ArrayRef<int64_t>{1, 4})
    return emitOpError("stream must be 1x4: see nn.random_bits");
  return success();
}
