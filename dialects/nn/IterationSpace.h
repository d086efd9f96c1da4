//===- IterationSpace.h - Rows, columns and roles ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A fused kernel iterates over rows and columns. Every value in it plays a role
// with respect to that space, which says at which element it is read:
//
//   role      element for (row, column)      example
//   full      row · columns + column         activations
//   row       row / factor                   a row's mean
//   column    (row / group mod factor)       a bias (factor 1), a table of
//             · columns + column             positions (factor = positions)
//   scalar    0                              a clipping factor
//   table     chosen by an index, or a       an embedding, half of the columns
//             part of the row

#ifndef TESSERA_DIALECTS_NN_ITERATIONSPACE_H
#define TESSERA_DIALECTS_NN_ITERATIONSPACE_H

#include "dialects/nn/NN.h"

namespace tessera::nn {

/// Rows times columns, and which of them the kernel's parallel loop runs over.
struct IterationSpace {
  int64_t rows = 0;
  int64_t columns = 0;
  /// False: a loop over rows, with reductions along each row. True: a loop over
  /// strips of columns, with reductions along the rows.
  bool byColumns = false;

  bool operator==(const IterationSpace &) const = default;
};

enum class RoleKind { Full, Row, Column, Scalar, Table };

struct Role {
  RoleKind kind = RoleKind::Full;
  int64_t factor = 1;
  /// Of columns: rows that follow one another and share an element.
  int64_t group = 1;

  bool operator==(const Role &) const = default;
};

/// True if the general emitter can compute \p op: elementwise arithmetic,
/// splat constants, broadcasts, reductions along leading or trailing
/// dimensions, parts of columns, gathers, indices, random bits and
/// accumulation.
bool isFusible(mlir::Operation *op);

/// A reshape is nothing but another name inside of a kernel.
bool isTransparent(mlir::Operation *op);

/// False for what reads its operands elsewhere than at the element that it
/// computes.
bool passesReductions(mlir::Operation *op);

/// The reduction that a value is computed from elementwise, if any: the value
/// then has one element per row or column of that reduction's space.
ReduceOp findReduction(mlir::Value value);

/// The role of a reduction's result in its own space.
Role getResultRole(const IterationSpace &space);

/// The space that a reduction runs over.
IterationSpace getReductionSpace(ReduceOp reduce);

/// The space of an elementwise value by itself: of a concatenation along
/// columns that of its parts.
IterationSpace getElementwiseSpace(mlir::Value value);

/// The role of a broadcast's operand where its result has role \p role, or
/// nothing where the space cannot express it.
std::optional<Role> getBroadcastRole(BroadcastOp broadcast,
                                     const IterationSpace &space, Role role);

/// Elements of a value with that role.
int64_t getElements(const IterationSpace &space, Role role);

} // namespace tessera::nn

#endif // TESSERA_DIALECTS_NN_ITERATIONSPACE_H
