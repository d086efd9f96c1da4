//===- Schedule.cpp - Start collectives early, await them late --*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Contracts.h"
#include "dialects/spec/Spec.h"
#include "passes/BlockOrder.h"
#include "passes/zero/Passes.h"

namespace tessera::zero {
#define GEN_PASS_DEF_ZEROSCHEDULE
#include "passes/zero/Passes.h.inc"
} // namespace tessera::zero

using namespace mlir;
using namespace tessera;
using namespace tessera::zero;

/// What moves along with a wait: views of its result, what makes it a state,
/// and what a collective does with it next.
static bool followsWait(Operation *op) {
  return isa<StoreOp, AllSliceOp, nn::SliceOp, nn::ReshapeOp, WaitOp>(op) ||
         isa<CollectiveOpInterface>(op);
}

namespace {

/// A block with its sections, while operations of it move.
class MovingBlock {
public:
  explicit MovingBlock(Block &block)
      : block(block), order(block), sections(block.getOps<nn::SectionOp>()) {}

  bool isBefore(Operation *a, Operation *b) const {
    return order.isBefore(a, b);
  }
  void moveBefore(Operation *op, Operation *next) {
    order.moveBefore(op, next);
  }
  /// Where the section around \p op ends.
  Operation *getSectionEnd(Operation *op) const {
    for (nn::SectionOp section : sections)
      if (isBefore(op, section))
        return section;
    return block.getTerminator();
  }
  /// Moves \p wait to the last place where it may stand. Returns whether it
  /// moved.
  bool sink(WaitOp wait);

private:
  void collectFollowers(Value value, SmallVectorImpl<Operation *> &result,
                        Operation *&limit) const;
  bool isSentOn(WaitOp wait) const;

  Block &block;
  BlockOrder order;
  SmallVector<nn::SectionOp> sections;
};

} // namespace

/// The users of \p value that move along with it, in program order. Lowers
/// \p limit to the first other user.
void MovingBlock::collectFollowers(Value value,
                                   SmallVectorImpl<Operation *> &result,
                                   Operation *&limit) const {
  for (Operation *user : value.getUsers()) {
    if (!isBefore(user, limit))
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

/// The reduce-scatter along the same axis that starts next in \p start's
/// section, or null.
static Operation *getNextReduceScatter(ReduceScatterOp start) {
  for (Operation *op = start->getNextNode(); op; op = op->getNextNode()) {
    auto next = dyn_cast<ReduceScatterOp>(op);
    if (next && next.getAxis() == start.getAxis())
      return op;
    if (isa<nn::SectionOp>(op))
      break;
  }
  return nullptr;
}

/// Whether a collective of its section takes \p wait's result next.
bool MovingBlock::isSentOn(WaitOp wait) const {
  Operation *end = getSectionEnd(wait);
  return llvm::any_of(wait.getResult().getUsers(), [&](Operation *user) {
    return isa<CollectiveOpInterface>(user) && isBefore(user, end);
  });
}

bool MovingBlock::sink(WaitOp wait) {
  Operation *limit = getSectionEnd(wait);
  if (auto scatter = dyn_cast<ReduceScatterOp>(wait.getStart().getOperation()))
    if (!scatter.getInPlace() || isSentOn(wait))
      if (Operation *next = getNextReduceScatter(scatter))
        if (isBefore(next, limit))
          limit = next->getNextNode();
  // The last one waited for already stands there.
  if (!isBefore(wait, limit))
    return false;
  SmallVector<Operation *> followers;
  collectFollowers(wait.getResult(), followers, limit);
  // A follower behind the limit stays.
  llvm::erase_if(followers,
                 [&](Operation *op) { return !isBefore(op, limit); });
  llvm::sort(followers,
             [&](Operation *a, Operation *b) { return isBefore(a, b); });
  bool moved = wait->getNextNode() != limit;
  moveBefore(wait, limit);
  for (Operation *follower : followers)
    moveBefore(follower, limit);
  return moved;
}

/// How many collectives in a row give \p wait's result.
static int64_t getDepth(WaitOp wait) {
  int64_t depth = 0;
  while (wait) {
    ++depth;
    wait = wait.getStart()->getOperand(0).getDefiningOp<WaitOp>();
  }
  return depth;
}

namespace {

/// Starts the gathers of micro-batches early.
class Prefetcher {
public:
  Prefetcher(MovingBlock &block, Operation *front, ArrayRef<WaitOp> waits,
             int64_t ahead, int64_t budget);

  /// Moves the starts. Each comes when the one `ahead` gathers before is
  /// complete, and when `budget` bytes have room for it beside what is gathered
  /// then; at the latest where it is used.
  void run();

  /// Gathers that start earlier, and those that the budget has no room for.
  int64_t numHoisted = 0, numOverBudget = 0;

private:
  /// What is whole from its start to its release. Of bytes it is the
  /// parameters made of them that are released; both are counted.
  struct Gather {
    /// The first operation that moves: what quantizes, or else the start.
    Operation *first;
    Operation *start;
    WaitOp wait;
    Operation *release;
    int64_t bytes;
  };

  /// Bytes that the gathers so far have at \p place.
  int64_t getLiveBytes(Operation *place) const;
  Operation *findPlace(const Gather &gather, Operation *earliest) const;

  MovingBlock &block;
  SmallVector<Gather> gathers;
  /// Those of the gathers so far that are not released before the last of them
  /// starts, where no later one can be.
  SmallVector<const Gather *> living;
  Operation *front;
  int64_t ahead, budget;
};

} // namespace

Prefetcher::Prefetcher(MovingBlock &block, Operation *front,
                       ArrayRef<WaitOp> waits, int64_t ahead, int64_t budget)
    : block(block), front(front), ahead(ahead), budget(budget) {
  while (isa<LoadOp>(this->front))
    this->front = this->front->getNextNode();
  for (WaitOp wait : waits) {
    Operation *start = wait.getStart();
    Operation *quantize = start->getOperand(0).getDefiningOp<QuantizeOp>();
    Gather gather = {quantize ? quantize : start, start, wait,
                     block.getSectionEnd(wait), 0};
    SmallVector<Value> whole = {wait.getResult()};
    for (Operation *user : wait.getResult().getUsers())
      if (auto dequantize = dyn_cast<DequantizeOp>(user))
        whole.push_back(dequantize.getResult());
    for (Value value : whole) {
      auto type = cast<RankedTensorType>(value.getType());
      gather.bytes += type.getNumElements() * type.getElementTypeBitWidth() / 8;
      for (Operation *user : value.getUsers())
        if (isa<ReleaseOp>(user))
          gather.release = user;
    }
    gathers.push_back(gather);
  }
}

int64_t Prefetcher::getLiveBytes(Operation *place) const {
  int64_t bytes = 0;
  for (const Gather *gather : living)
    if (!block.isBefore(gather->release, place))
      bytes += gather->bytes;
  return bytes;
}

/// The first place from \p earliest on where the budget has room for \p gather:
/// there, or behind a release. Its own place where none has.
Operation *Prefetcher::findPlace(const Gather &gather,
                                 Operation *earliest) const {
  if (!budget)
    return earliest;
  for (Operation *place = earliest; place != gather.first;
       place = place->getNextNode())
    if ((place == earliest || isa<ReleaseOp>(place->getPrevNode())) &&
        getLiveBytes(place) + gather.bytes <= budget)
      return place;
  return gather.first;
}

void Prefetcher::run() {
  if (ahead == 0)
    return;
  for (size_t i = 0; i < gathers.size(); ++i) {
    auto [first, start, wait, release, bytes] = gathers[i];
    bool isFirst = static_cast<int64_t>(i) < ahead;
    Operation *place = isFirst ? front : gathers[i - ahead].wait->getNextNode();
    // Not before what it gathers, nor before the gather before it.
    SmallVector<Operation *> earlier;
    if (Operation *source = first->getOperand(0).getDefiningOp())
      earlier.push_back(source);
    if (i > 0) {
      earlier.push_back(gathers[i - 1].start);
      llvm::erase_if(living, [&](const Gather *gather) {
        return block.isBefore(gather->release, gathers[i - 1].start);
      });
    }
    for (Operation *op : earlier)
      if (!block.isBefore(op, place))
        place = op->getNextNode();
    if (block.isBefore(place, first))
      place = findPlace(gathers[i], place);
    if (block.isBefore(place, first)) {
      block.moveBefore(start, place);
      if (first != start)
        block.moveBefore(first, start);
      ++numHoisted;
    }
    numOverBudget += budget && getLiveBytes(first) + bytes > budget;
    living.push_back(&gathers[i]);
  }
}

namespace {

struct ZeroSchedule : zero::impl::ZeroScheduleBase<ZeroSchedule> {
  using ZeroScheduleBase::ZeroScheduleBase;

  void runOnOperation() override {
    if (failed(verifyPrograms(getOperation())))
      return signalPassFailure();
    ModuleOp module = getOperation();
    spec::ParallelAttr parallel = spec::getParallel(module);
    int64_t ahead = prefetch < 0 ? parallel.getPrefetch() : prefetch;
    int64_t budget =
        prefetchBytes < 0 ? parallel.getPrefetchBytes() : prefetchBytes;
    for (auto function : module.getOps<func::FuncOp>()) {
      if (getWorld(function).value_or(1) == 1)
        continue;
      Block &block = function.getBody().front();
      SmallVector<WaitOp> gathers, others;
      bool microBatch = true;
      for (Operation &op : block) {
        microBatch &= !isa<nn::SectionOp>(op);
        auto wait = dyn_cast<WaitOp>(op);
        if (!wait)
          continue;
        auto gather = dyn_cast<AllGatherOp>(wait.getStart().getOperation());
        bool prefetched = microBatch && gather && !gather.getInPlace();
        (prefetched ? gathers : others).push_back(wait);
      }
      // What takes a result next moves along, and so comes later.
      llvm::sort(others, [](WaitOp a, WaitOp b) {
        int64_t depthA = getDepth(a), depthB = getDepth(b);
        return depthA == depthB ? a->isBeforeInBlock(b) : depthA < depthB;
      });
      MovingBlock moving(block);
      for (WaitOp wait : others)
        numSunk += moving.sink(wait);
      Prefetcher prefetcher(moving, &block.front(), gathers, ahead, budget);
      prefetcher.run();
      numHoisted += prefetcher.numHoisted;
      numOverBudget += prefetcher.numOverBudget;
    }
  }
};

} // namespace
