//===- Anchors.h - What kernels compute, and from what ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An anchor is a reduction or a value that must be stored. All other fusible
// operations belong to the anchors that need them, and are repeated where
// several do.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_KERNELS_ANCHORS_H
#define TESSERA_PASSES_KERNELS_ANCHORS_H

#include "passes/kernels/Fusion.h"
#include "llvm/ADT/SetVector.h"

namespace tessera::kernels {

/// What one anchor takes to compute. Most cones are small, and searched faster
/// than hashed.
struct Cone {
  llvm::SmallSetVector<mlir::Operation *, 8> body;
  llvm::SmallSetVector<mlir::Value, 4> leaves;
};

struct Anchor {
  mlir::Value value;
  nn::IterationSpace space;
  nn::Role role;
  Cone cone;
  unsigned group = 0; ///< of Fusion
};

/// The anchors of one block.
class Anchors {
protected:
  explicit Anchors(mlir::Block &block);

  /// Finds the values that are sure to be stored.
  void findRoots();
  /// Finds all anchors anew from the roots, which grow by what cones cannot
  /// express. Fails where a value cannot be computed over rows and columns.
  mlir::LogicalResult formAnchors();

  bool isAnchor(mlir::Value value) const {
    return roots.contains(value) || value.getDefiningOp<nn::ReduceOp>();
  }
  /// The reduction that \p value comes from, if it does.
  nn::ReduceOp findReduction(mlir::Value value) const {
    return reductions.lookup(value);
  }
  static bool isInside(mlir::Operation *op);
  /// What \p value is a view of: itself, if it is none.
  static mlir::Value getViewed(mlir::Value value);
  /// True if something other than a kernel uses \p value.
  bool isUsedOutside(mlir::Value value);
  /// Tensors as large as \p value that must be read to compute it.
  unsigned countReads(mlir::Value value);
  /// When a gathered parameter is released, if \p value is a view of one.
  uint64_t getDeadline(mlir::Value value);

  // Operations that stay where they are run at multiples of a tick, groups
  // between them, as early as their inputs allow.
  static constexpr unsigned tick = 20;
  uint64_t fixedTime(mlir::Operation *op) const {
    return order.lookup(op) << tick;
  }

  mlir::Block &block;
  llvm::DenseMap<mlir::Operation *, uint64_t> order; ///< from 1
  llvm::DenseSet<mlir::Value> roots;
  std::vector<Anchor> anchors;
  llvm::DenseMap<mlir::Value, unsigned> anchorOf;

private:
  void rememberReduction(mlir::Operation *op);
  bool isLongSum(mlir::Operation *op);
  bool formCone(Anchor &anchor);
  bool visitOperands(mlir::Operation *op, const nn::IterationSpace &space,
                     nn::Role role, Cone &cone);
  void addLeaf(mlir::Value value, mlir::Operation *user, Cone &cone);
  bool visit(mlir::Value value, mlir::Operation *user,
             const nn::IterationSpace &space, nn::Role role, Cone &cone);

  /// Operations of one result, and whether they are reductions.
  std::vector<std::pair<mlir::Operation *, bool>> single;
  /// What nn::findReduction finds from each value, known from its operands': a
  /// residual stream goes back to the first layer.
  llvm::DenseMap<mlir::Value, nn::ReduceOp> reductions;
  mlir::Operation *current = nullptr; ///< the anchor whose cone is being formed
  llvm::SetVector<mlir::Value> pending;
};

} // namespace tessera::kernels

#endif // TESSERA_PASSES_KERNELS_ANCHORS_H
