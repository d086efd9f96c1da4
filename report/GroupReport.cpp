//===- GroupReport.cpp - The groups of a plan -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/GroupReport.h"
#include "dialects/spec/Spec.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tessera;

SmallVector<GroupFacts> tessera::getGroupFacts(plan::ProgramOp program) {
  auto module = program->getParentOfType<ModuleOp>();
  int64_t limit = spec::getParallel(module).getBucketBytes();
  llvm::MapVector<StringAttr, GroupFacts> facts;
  for (auto group : module.getOps<zero::GroupOp>())
    facts[group.getSymNameAttr()].op = group;
  for (auto state : program.getBody().getOps<plan::StateOp>()) {
    GroupFacts &group = facts[state.getGroupAttr().getAttr()];
    int64_t bytes = state.getBuffer().getType().getNumElements();
    // On one rank nothing is reduced: the state is the bucket.
    if (state.getState() == zero::ZeroDialect::gradientState)
      group.bucketBytes = bytes;
    if (state.getState() != zero::ZeroDialect::parameterState)
      continue;
    group.parameterBytes = bytes;
    group.isSharded = state.getSharded();
  }
  for (auto start : program.getBody().getOps<plan::StartOp>())
    if (start.getGroup() && start.getKind() == plan::Collective::ReduceScatter)
      facts[start.getGroupAttr().getAttr()].bucketBytes =
          plan::getBytes(cast<ShapedType>(start.getSource().getType()));
  SmallVector<GroupFacts> result;
  for (auto &[name, group] : facts) {
    group.exceedsLimit = limit && group.bucketBytes > limit;
    result.push_back(group);
  }
  return result;
}
