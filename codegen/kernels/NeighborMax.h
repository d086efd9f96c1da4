//===- NeighborMax.h - graph.max and its gradient, per edge -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// graph.max, graph.max_ties and graph.max_gradient go over a row's edges alike:
// what they do with the numbers of one edge is the same on all targets.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_KERNELS_NEIGHBORMAX_H
#define TESSERA_CODEGEN_KERNELS_NEIGHBORMAX_H

#include "codegen/kernels/VectorBuilder.h"
#include "dialects/graph/Graph.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

#include <limits>

namespace tessera::codegen {

/// One of the operations. Its inputs are a graph's six arrays, and tensors
/// whose rows are a node's own or its neighbours'.
class NeighborMax {
public:
  explicit NeighborMax(mlir::Operation *op)
      : kind(llvm::isa<graph::MaxOp>(op)       ? Kind::Max
             : llvm::isa<graph::MaxTiesOp>(op) ? Kind::Ties
                                               : Kind::Gradient) {}

  /// The first of the arrays that say a node's neighbours.
  unsigned arrays() const { return kind == Kind::Gradient ? 3 : 0; }
  /// Which inputs are read at the neighbour's row, and which at the node's.
  llvm::SmallVector<unsigned> neighbors() const {
    if (kind == Kind::Gradient)
      return {7, 8};
    return {6};
  }
  llvm::SmallVector<unsigned> own() const {
    if (kind == Kind::Max)
      return {};
    return {kind == Kind::Ties ? 7u : 6u};
  }

  /// Before the first edge.
  mlir::Value begin(VectorBuilder &vb) const {
    return vb.splat(kind == Kind::Max ? -std::numeric_limits<double>::infinity()
                                      : 0.0);
  }
  /// With one edge more, of the numbers that neighbors() and own() name.
  mlir::Value next(VectorBuilder &vb, mlir::Value before,
                   llvm::ArrayRef<mlir::Value> neighbors,
                   llvm::ArrayRef<mlir::Value> own) const {
    if (kind == Kind::Max)
      return vb.maxf(before, neighbors[0]);
    mlir::Value equal = mlir::arith::CmpFOp::create(
        vb.builder, vb.loc, mlir::arith::CmpFPredicate::OEQ, neighbors[0],
        own[0]);
    mlir::Value term = kind == Kind::Ties ? vb.splat(1.0) : neighbors[1];
    return vb.addf(before, mlir::arith::SelectOp::create(
                               vb.builder, vb.loc, equal, term, vb.splat(0.0)));
  }
  /// After the last edge, where the node has any.
  mlir::Value end(VectorBuilder &vb, mlir::Value last,
                  mlir::Value hasEdges) const {
    if (kind != Kind::Max)
      return last;
    return mlir::arith::SelectOp::create(vb.builder, vb.loc, hasEdges, last,
                                         vb.splat(0.0));
  }

private:
  enum class Kind { Max, Ties, Gradient } kind;
};

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_KERNELS_NEIGHBORMAX_H
