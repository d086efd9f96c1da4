//===- IterationSpace.cpp - Rows, columns and roles -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/nn/IterationSpace.h"

#include <numeric>

using namespace mlir;
using namespace tessera;
using namespace tessera::nn;

static RankedTensorType tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// True if \p dims are the last ones of a tensor of \p rank.
static bool areTrailing(ArrayRef<int64_t> dims, int64_t rank) {
  return dims.empty() ||
         dims.front() == rank - static_cast<int64_t>(dims.size());
}

/// True if \p dims are the first ones.
static bool areLeading(ArrayRef<int64_t> dims) {
  return dims.empty() || dims.back() == static_cast<int64_t>(dims.size()) - 1;
}

bool nn::isFusible(Operation *op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return isa<SplatElementsAttr>(constant.getValue());
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return areLeading(reduce.getDims()) ||
           areTrailing(reduce.getDims(),
                       tensorType(reduce.getInput()).getRank());
  if (isa<BroadcastOp, SliceColumnsOp, ConcatColumnsOp, GatherOp, IotaOp,
          RandomBitsOp, AccumulateOp>(op))
    return true;
  return op->hasTrait<OpTrait::Elementwise>() && op->getNumResults() == 1 &&
         isa<RankedTensorType>(op->getResult(0).getType());
}

bool nn::isTransparent(Operation *op) { return isa<ReshapeOp>(op); }

bool nn::passesReductions(Operation *op) {
  return !isa<BroadcastOp, SliceColumnsOp, ConcatColumnsOp, GatherOp, IotaOp,
              RandomBitsOp>(op);
}

ReduceOp nn::findReduction(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || isa<arith::ConstantOp>(op) ||
      !(isFusible(op) || isTransparent(op)))
    return {};
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return reduce;
  if (!passesReductions(op))
    return {};
  for (Value operand : op->getOperands())
    if (ReduceOp reduce = findReduction(operand))
      return reduce;
  return {};
}

Role nn::getResultRole(const IterationSpace &space) {
  return {space.byColumns ? RoleKind::Column : RoleKind::Row, 1};
}

IterationSpace nn::getReductionSpace(ReduceOp reduce) {
  auto type = tensorType(reduce.getInput());
  int64_t kept = tensorType(reduce.getResult()).getNumElements();
  int64_t reduced = type.getNumElements() / kept;
  if (areTrailing(reduce.getDims(), type.getRank()))
    return {kept, reduced, false};
  return {reduced, kept, true};
}

IterationSpace nn::getElementwiseSpace(Value value) {
  if (auto concat = value.getDefiningOp<ConcatColumnsOp>())
    value = concat.getInputs().front();
  auto type = tensorType(value);
  if (type.getRank() < 2)
    return {1, type.getNumElements(), false};
  int64_t columns = type.getShape().back();
  return {type.getNumElements() / columns, columns, false};
}

std::optional<Role> nn::getBroadcastRole(BroadcastOp broadcast,
                                         const IterationSpace &space,
                                         Role role) {
  auto result = tensorType(broadcast.getResult());
  int64_t from = tensorType(broadcast.getInput()).getNumElements();
  if (from == 1)
    return Role{RoleKind::Scalar};
  if (role.kind != RoleKind::Full)
    return std::nullopt;
  if (areLeading(broadcast.getDims())) {
    int64_t repeats = result.getNumElements() / from;
    if (repeats % space.columns == 0)
      return Role{RoleKind::Row, repeats / space.columns};
    return std::nullopt;
  }
  if (areTrailing(broadcast.getDims(), result.getRank()) &&
      from % space.columns == 0)
    return Role{RoleKind::Column, from / space.columns};
  // Some rows, each for several that follow one another.
  ArrayRef<int64_t> dims = broadcast.getDims(), shape = result.getShape();
  if (dims.size() < 2)
    return std::nullopt;
  ArrayRef<int64_t> rows = dims.drop_back();
  if (dims.back() != result.getRank() - 1 || shape.back() != space.columns ||
      rows.back() - rows.front() + 1 != static_cast<int64_t>(rows.size()))
    return std::nullopt;
  ArrayRef<int64_t> within = shape.drop_back().drop_front(rows.back() + 1);
  return Role{RoleKind::Column, from / space.columns,
              std::accumulate(within.begin(), within.end(), int64_t(1),
                              std::multiplies<>())};
}

int64_t nn::getElements(const IterationSpace &space, Role role) {
  switch (role.kind) {
  case RoleKind::Full:
    return space.rows * space.columns;
  case RoleKind::Row:
    return space.rows / role.factor;
  case RoleKind::Column:
    return space.columns * role.factor;
  case RoleKind::Scalar:
    return 1;
  case RoleKind::Table:
    break;
  }
  return -1;
}
