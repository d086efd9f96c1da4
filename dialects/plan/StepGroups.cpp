//===- StepGroups.cpp - Whose parameters a step works on --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/plan/StepGroups.h"

using namespace mlir;
using namespace tessera::plan;

/// A buffer belongs to the group whose state or message it is.
StepGroups::StepGroups(ProgramOp program) {
  for (auto state : program.getBody().getOps<StateOp>())
    groups[state.getBuffer().getDefiningOp()] = state.getGroup();
  for (auto start : program.getBody().getOps<StartOp>())
    if (start.getGroup())
      for (Value view : {start.getSource(), start.getDestination()})
        groups[view.getDefiningOp<ViewOp>().getBufferOp()] = *start.getGroup();
  // What a launch makes of gathered bytes is the group that they stand for.
  for (auto launch : program.getBody().getOps<LaunchOp>()) {
    auto buffers = llvm::map_to_vector(launch->getOperands(), [](Value view) {
      return view.getDefiningOp<ViewOp>().getBufferOp().getOperation();
    });
    if (buffers.size() != 2)
      continue;
    auto type = cast<ShapedType>(launch->getOperand(0).getType());
    if (type.getElementType().isInteger(8))
      groups.try_emplace(buffers[1], groups.lookup(buffers[0]));
  }
}

StringRef StepGroups::getGroup(Operation *step) const {
  if (isa<WaitOp, FenceOp>(step))
    step = step->getOperand(0).getDefiningOp();
  for (Value operand : step->getOperands())
    if (auto view = operand.getDefiningOp<ViewOp>())
      if (StringRef group = groups.lookup(view.getBufferOp()); !group.empty())
        return group;
  return "";
}

SmallVector<StringRef>
StepGroups::getLayers(ArrayRef<Operation *> steps) const {
  SmallVector<StringRef> layers;
  // Collectives of other layers go on beside one.
  StringRef computed;
  for (Operation *step : steps) {
    StringRef group = getGroup(step);
    if (!group.empty() && !isa<StartOp, WaitOp, FenceOp>(step))
      computed = group;
    layers.push_back(group.empty() ? computed : group);
  }
  return layers;
}
