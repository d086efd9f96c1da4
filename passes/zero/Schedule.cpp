//===- Schedule.cpp - Start collectives early, await them late --*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/Spec.h"
#include "passes/zero/Passes.h"

namespace tessera::zero {
#define GEN_PASS_DEF_ZEROSCHEDULE
#include "passes/zero/Passes.h.inc"
} // namespace tessera::zero

using namespace mlir;
using namespace tessera;
using namespace tessera::zero;

/// What moves along with a wait: views of its result, and what makes it a
/// state.
static bool followsWait(Operation *op) {
  return isa<StoreOp, AllSliceOp, nn::SliceOp, nn::ReshapeOp>(op);
}

/// Where the section around \p op ends.
static Operation *getSectionEnd(Operation *op) {
  while (!isa<nn::SectionOp>(op) && op != op->getBlock()->getTerminator())
    op = op->getNextNode();
  return op;
}

/// The users of \p value that move along with it, in program order. Lowers
/// \p limit to the first other user.
static void collectFollowers(Value value, SmallVectorImpl<Operation *> &result,
                             Operation *&limit) {
  for (Operation *user : value.getUsers()) {
    if (user->getBlock() != limit->getBlock())
      user = limit->getBlock()->findAncestorOpInBlock(*user);
    if (!user->isBeforeInBlock(limit))
      continue;
    if (!followsWait(user)) {
      limit = user;
      continue;
    }
    result.push_back(user);
    for (Value view : user->getResults())
      collectFollowers(view, result, limit);
  }
}

/// The reduce-scatter that starts next in \p start's section, or null.
static Operation *getNextReduceScatter(Operation *start) {
  for (Operation *op = start->getNextNode(); op; op = op->getNextNode()) {
    if (isa<ReduceScatterOp>(op))
      return op;
    if (isa<nn::SectionOp>(op))
      break;
  }
  return nullptr;
}

/// Moves \p wait to the last place where it may stand. Returns whether it
/// moved.
static bool sink(WaitOp wait) {
  Operation *limit = getSectionEnd(wait);
  if (auto scatter = dyn_cast<ReduceScatterOp>(wait.getStart().getOperation()))
    if (!scatter.getInPlace())
      if (Operation *next = getNextReduceScatter(scatter))
        if (next->isBeforeInBlock(limit))
          limit = next->getNextNode();
  // The last one waited for already stands there.
  if (!wait->isBeforeInBlock(limit))
    return false;
  SmallVector<Operation *> followers;
  collectFollowers(wait.getResult(), followers, limit);
  // A follower behind the limit stays.
  llvm::erase_if(followers,
                 [&](Operation *op) { return !op->isBeforeInBlock(limit); });
  llvm::sort(followers,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  bool moved = wait->getNextNode() != limit;
  wait->moveBefore(limit);
  for (Operation *follower : followers)
    follower->moveBefore(limit);
  return moved;
}

/// Starts each gather of a micro-batch, whose waits are \p waits, when the one
/// \p prefetch before it is complete. Returns how many start earlier.
static int64_t prefetchGathers(Block &block, MutableArrayRef<WaitOp> waits,
                               int64_t prefetch) {
  if (prefetch == 0)
    return 0;
  Operation *front = &block.front();
  while (isa<LoadOp>(front))
    front = front->getNextNode();
  int64_t hoisted = 0;
  for (auto [i, wait] : llvm::enumerate(waits)) {
    Operation *start = wait.getStart();
    int64_t before = static_cast<int64_t>(i) - prefetch;
    Operation *place = before < 0 ? front : waits[before]->getNextNode();
    // Not before what it gathers.
    if (Operation *source = start->getOperand(0).getDefiningOp())
      if (!source->isBeforeInBlock(place))
        place = source->getNextNode();
    if (!place->isBeforeInBlock(start)) {
      // Later starts keep their order.
      if (place == start && place == front)
        front = front->getNextNode();
      continue;
    }
    start->moveBefore(place);
    ++hoisted;
  }
  return hoisted;
}

namespace {

struct ZeroSchedule : zero::impl::ZeroScheduleBase<ZeroSchedule> {
  using ZeroScheduleBase::ZeroScheduleBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (prefetch < 0)
      prefetch = getSpecInt(module, "training.prefetch", 1);
    if (prefetch < 0) {
      module.emitError("the number of gathers in flight must not be negative, "
                       "but is ")
          << prefetch.getValue();
      return signalPassFailure();
    }
    for (auto function : module.getOps<func::FuncOp>()) {
      if (function.isExternal() || getWorld(function).value_or(1) == 1)
        continue;
      Block &block = function.getBody().front();
      SmallVector<WaitOp> gathers, others;
      bool microBatch = true;
      for (Operation &op : block) {
        microBatch &= !isa<nn::SectionOp>(op);
        auto wait = dyn_cast<WaitOp>(op);
        if (!wait)
          continue;
        bool gather = isa<AllGatherOp>(wait.getStart().getOperation());
        (microBatch && gather ? gathers : others).push_back(wait);
      }
      for (WaitOp wait : others)
        numSunk += sink(wait);
      numHoisted += prefetchGathers(block, gathers, prefetch);
    }
  }
};

} // namespace
