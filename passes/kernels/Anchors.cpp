//===- Anchors.cpp - What kernels compute, and from what --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/Anchors.h"
#include "dialects/zero/Zero.h"
#include "target/KernelInterface.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::kernels;
using namespace tessera::nn;

static RankedTensorType tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

Anchors::Anchors(Block &block) : block(block) {
  uint64_t index = 0;
  for (Operation &op : block) {
    order[&op] = ++index;
    rememberReduction(&op);
    if (op.getNumResults() == 1)
      single.push_back({&op, isa<nn::ReduceOp>(op)});
  }
}

//===----------------------------------------------------------------------===//
// Values that must be stored
//===----------------------------------------------------------------------===//

void Anchors::rememberReduction(Operation *op) {
  if (op->getNumResults() != 1 || isa<arith::ConstantOp>(op) || !isInside(op))
    return;
  auto reduce = dyn_cast<nn::ReduceOp>(op);
  if (!reduce && passesReductions(op))
    for (Value operand : op->getOperands())
      if ((reduce = reductions.lookup(operand)))
        break;
  if (reduce)
    reductions[op->getResult(0)] = reduce;
}

bool Anchors::isInside(Operation *op) {
  return op && (isFusible(op) || isTransparent(op));
}

bool Anchors::isUsedOutside(Value value) {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    if (isTransparent(user))
      return isUsedOutside(user->getResult(0));
    return !isFusible(user);
  });
}

/// A residual stream is a sum over all layers, and each layer reads it. What
/// is sure to be stored is so from the start, or every cone would reach back
/// to the first layer.
bool Anchors::isLongSum(Operation *op) {
  return isa<arith::AddFOp>(op) && !op->hasOneUse() &&
         countReads(op->getResult(0)) > 3;
}

/// Whether the user of a constant reads it from memory.
static bool readsMemory(OpOperand &use) {
  Operation *user = use.getOwner();
  if (auto kernel = dyn_cast<KernelOpInterface>(user))
    return !kernel.takesConstant(use.getOperandNumber());
  return isa<nn::ConcatOp, zero::BucketOp, zero::StoreOp, func::ReturnOp>(user);
}

void Anchors::findRoots() {
  for (Operation &op : block) {
    if (!isFusible(&op))
      continue;
    Value value = op.getResult(0);
    if (isa<arith::ConstantOp>(op)) {
      if (llvm::any_of(op.getUses(), readsMemory))
        roots.insert(value);
      continue;
    }
    if (isa<nn::AccumulateOp, nn::ConcatColumnsOp>(op) ||
        isUsedOutside(value) || (isa<nn::GatherOp>(op) && !value.hasOneUse()) ||
        isLongSum(&op))
      roots.insert(value);
  }
}

//===----------------------------------------------------------------------===//
// Anchors and their cones
//===----------------------------------------------------------------------===//

LogicalResult Anchors::formAnchors() {
  bool again;
  do {
    again = false;
    anchors.clear();
    anchorOf.clear();
    for (auto [op, reduces] : single) {
      if (!reduces && !roots.contains(op->getResult(0)))
        continue;
      Anchor anchor{op->getResult(0), {}, {}, {}, 0};
      current = op;
      if (!formCone(anchor))
        return op->emitOpError("cannot be computed over rows and columns: "
                               "reshape or transpose its operands so that it "
                               "broadcasts or reduces leading or trailing "
                               "dimensions");
      again |= !pending.empty();
      for (Value value : pending)
        roots.insert(value);
      pending.clear();
      anchorOf[anchor.value] = anchors.size();
      anchors.push_back(std::move(anchor));
    }
  } while (again);
  return success();
}

/// Finds a space in which \p anchor can be computed: beside the reduction it
/// comes from, or its own.
bool Anchors::formCone(Anchor &anchor) {
  Operation *op = anchor.value.getDefiningOp();
  if (nn::ReduceOp reduce = findReduction(anchor.value)) {
    anchor.space = getReductionSpace(reduce);
    anchor.role = getResultRole(anchor.space);
    if (visitOperands(op, anchor.space, anchor.role, anchor.cone))
      return true;
    anchor.cone = {};
  }
  anchor.space = getElementwiseSpace(anchor.value);
  anchor.role = {RoleKind::Full, 1};
  return visitOperands(op, anchor.space, anchor.role, anchor.cone);
}

/// Adds what \p op, whose result has role \p role, is computed from. False
/// where the space cannot express an operand.
bool Anchors::visitOperands(Operation *op, const IterationSpace &space,
                            Role role, Cone &cone) {
  auto finish = [&](bool valid) {
    if (valid)
      cone.body.insert(op);
    return valid;
  };
  if (isa<arith::ConstantOp>(op))
    return finish(true);
  if (auto reduce = dyn_cast<nn::ReduceOp>(op)) {
    if (getReductionSpace(reduce) != space || role != getResultRole(space))
      return false;
    return finish(
        visit(reduce.getInput(), op, space, {RoleKind::Full, 1}, cone));
  }
  if (auto broadcast = dyn_cast<nn::BroadcastOp>(op)) {
    auto from = getBroadcastRole(broadcast, space, role);
    return finish(from && visit(broadcast.getInput(), op, space, *from, cone));
  }
  if (auto gather = dyn_cast<nn::GatherOp>(op)) {
    if (role.kind != RoleKind::Full ||
        tensorType(gather.getTable()).getDimSize(1) != space.columns)
      return false;
    addLeaf(gather.getTable(), op, cone);
    return finish(
        visit(gather.getIndices(), op, space, {RoleKind::Row, 1}, cone));
  }
  if (auto slice = dyn_cast<nn::SliceColumnsOp>(op)) {
    if (role.kind != RoleKind::Full ||
        tensorType(slice.getResult()).getShape().back() != space.columns)
      return false;
    addLeaf(slice.getInput(), op, cone);
    return finish(true);
  }
  if (auto iota = dyn_cast<nn::IotaOp>(op)) {
    auto type = tensorType(iota.getResult());
    if (role.kind == RoleKind::Row)
      return finish(role.factor == 1 && type.getNumElements() == space.rows);
    return finish(role.kind == RoleKind::Full &&
                  type.getShape().back() == space.columns);
  }
  if (auto bits = dyn_cast<nn::RandomBitsOp>(op)) {
    auto type = tensorType(bits.getResult());
    if (role.kind != RoleKind::Full || type.getShape().back() != space.columns)
      return false;
    addLeaf(bits.getStream(), op, cone);
    return finish(!bits.getSamples() ||
                  visit(bits.getSamples(), op, space,
                        {RoleKind::Row, bits.getRowsOfSample()}, cone));
  }
  for (Value operand : op->getOperands())
    if (!visit(operand, op, space, role, cone))
      return false;
  return finish(true);
}

Value Anchors::getViewed(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isTransparent(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

void Anchors::addLeaf(Value value, Operation *user, Cone &cone) {
  cone.leaves.insert(value);
  Value source = getViewed(value);
  Operation *op = source.getDefiningOp();
  if (op && isFusible(op) && !isAnchor(source))
    pending.insert(source);
  // A gathered parameter may be gone by then: what is made of it must be
  // stored.
  if (user != current && getDeadline(value) <= fixedTime(current))
    pending.insert(user->getResult(0));
}

uint64_t Anchors::getDeadline(Value value) {
  uint64_t deadline = ~uint64_t(0);
  while (Operation *op = value.getDefiningOp()) {
    for (Operation *user : value.getUsers())
      if (isa<zero::ReleaseOp>(user))
        deadline = std::min(deadline, fixedTime(user));
    if (!isa<nn::SliceOp, nn::ReshapeOp>(op))
      break;
    value = op->getOperand(0);
  }
  return deadline;
}

/// Adds \p value, read with role \p role.
bool Anchors::visit(Value value, Operation *user, const IterationSpace &space,
                    Role role, Cone &cone) {
  Operation *op = value.getDefiningOp();
  // A constant is not worth reading.
  if (isa_and_present<arith::ConstantOp>(op)) {
    cone.body.insert(op);
    return true;
  }
  if (!isInside(op) || isAnchor(value)) {
    addLeaf(value, user, cone);
    return true;
  }
  if (cone.body.contains(op))
    return true;
  // A table of rows or one value per group of rows is read, not computed.
  if (role.factor != 1) {
    addLeaf(value, user, cone);
    return true;
  }
  if (visitOperands(op, space, role, cone))
    return true;
  if (isTransparent(op))
    return false;
  addLeaf(value, user, cone);
  return true;
}

unsigned Anchors::countReads(Value value) {
  int64_t size = tensorType(value).getNumElements();
  SmallVector<Value> work = {value};
  DenseSet<Value> seen, reads;
  while (!work.empty()) {
    Value current = work.pop_back_val();
    if (!seen.insert(current).second)
      continue;
    Operation *op = current.getDefiningOp();
    if (current != value && (!isInside(op) || isAnchor(current))) {
      if (tensorType(current).getNumElements() == size)
        reads.insert(current);
      continue;
    }
    if (op)
      llvm::append_range(work, op->getOperands());
  }
  return reads.size();
}
