//===- Layout.cpp - Lay out the arena ---------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Contracts.h"
#include "dialects/plan/Within.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/BlockOrder.h"
#include "passes/plan/Packing.h"
#include "passes/plan/Passes.h"
#include <map>
#include <numeric>

namespace tessera::plan {
#define GEN_PASS_DEF_LAYOUT
#include "passes/plan/Passes.h.inc"
} // namespace tessera::plan

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

namespace {

struct ByteRange {
  int64_t begin, end;
  bool overlaps(ByteRange other) const {
    return begin < other.end && other.begin < end;
  }
};

static bool isFilledOnce(InputOp input) { return input.getWhen() == "load"; }

static BufferOp getBuffer(InputOp input) {
  return input.getView().getDefiningOp<ViewOp>().getBufferOp();
}

/// What a program that runs within another finds in its arena.
class Host {
public:
  explicit Host(ProgramOp program) : arenaBytes(program.getArenaBytes()) {
    for (auto buffer : program.getBody().getOps<BufferOp>())
      if (buffer.getPersistent() && !buffer.isInFile()) {
        memory[static_cast<int>(buffer.getCategory())] += buffer.getBytes();
        end = std::max<int64_t>(end, buffer.getOffset() + buffer.getBytes());
      }
    for (auto state : program.getBody().getOps<StateOp>())
      places[getKey(state)] = state.getBuffer().getDefiningOp<BufferOp>();
    for (auto input : program.getBody().getOps<InputOp>())
      if (isFilledOnce(input))
        places[getKey(input)] = getBuffer(input);
    for (auto op : program.getBody().getOps<ScratchOp>())
      scratch = op.getBuffer().getDefiningOp<BufferOp>();
  }

  /// The buffers of \p guest that have the content of the host's, and those.
  DenseMap<Operation *, BufferOp> share(ProgramOp guest);

  /// Bytes of each category that the host keeps, and where they end.
  std::array<int64_t, categoryCount> memory = {};
  int64_t end = 0;
  int64_t arenaBytes;

private:
  using Key = std::tuple<Attribute, Attribute, Type>;
  static Key getKey(StateOp state) {
    return {state.getStateAttr(), state.getGroupAttr(),
            state.getBuffer().getType()};
  }
  static Key getKey(InputOp input) {
    return {input.getNameAttr(), Attribute(), input.getView().getType()};
  }

  DenseMap<Key, BufferOp> places;
  BufferOp scratch;
};

} // namespace

DenseMap<Operation *, BufferOp> Host::share(ProgramOp guest) {
  DenseMap<Operation *, BufferOp> shared;
  auto add = [&](const Key &key, BufferOp buffer) {
    BufferOp place = places.lookup(key);
    // What no step of the host reads does not last there.
    if (!place || !place.getPersistent())
      return;
    shared[buffer] = place;
    buffer.setPersistent(true);
    buffer.removeLiveAttr();
  };
  for (auto state : guest.getBody().getOps<StateOp>())
    add(getKey(state), state.getBuffer().getDefiningOp<BufferOp>());
  for (auto input : guest.getBody().getOps<InputOp>())
    if (isFilledOnce(input))
      add(getKey(input), getBuffer(input));
  // Nothing lasts there.
  for (auto op : guest.getBody().getOps<ScratchOp>())
    if (auto own = op.getBuffer().getDefiningOp<BufferOp>();
        scratch && own.getBytes() <= scratch.getBytes())
      shared[own] = scratch;
  return shared;
}

namespace {

class ProgramLayout {
public:
  /// \p host: what the program runs within; null for none.
  ProgramLayout(ProgramOp program, StringRef heuristic, Host *host)
      : program(program), heuristic(heuristic), host(host),
        buffers(program.getBody().getOps<BufferOp>()) {}

  void run();

  int64_t lowerBound = 0, numMovedWaits = 0;

private:
  void removeFences();
  void boundBuckets();
  void numberSteps();
  void measureLifetimes(bool withFences);
  void packBuffers();
  void placeFences();
  SmallVector<Value> getWritten(Operation *step);
  bool disturbs(Value written, Value source);

  ProgramOp program;
  StringRef heuristic;
  Host *host;
  SmallVector<BufferOp> buffers;
  SmallVector<Operation *> steps;
  SymbolTableCollection symbols;
  DenseMap<Operation *, int64_t> number;
  /// Wait and, where they are placed, fence of each collective.
  DenseMap<Operation *, std::pair<Operation *, Operation *>> ends;
};

} // namespace

void ProgramLayout::removeFences() {
  for (auto fence :
       llvm::make_early_inc_range(program.getBody().getOps<FenceOp>()))
    fence.erase();
}

/// Keeps at most two buckets of gradients: one that is filled and one on its
/// way. A wait that comes later than the first write to a third one moves
/// before it.
void ProgramLayout::boundBuckets() {
  struct Bucket {
    Operation *first, *start, *wait;
  };
  SmallVector<Bucket> buckets;
  for (auto start : program.getBody().getOps<StartOp>()) {
    auto buffer = start.getSource().getDefiningOp<ViewOp>().getBufferOp();
    if (start.getKind() != Collective::ReduceScatter || buffer.getPersistent())
      continue;
    Bucket bucket = {start, start, nullptr};
    for (Operation *view : buffer->getUsers())
      for (Operation *step : view->getUsers())
        if (step->isBeforeInBlock(bucket.first))
          bucket.first = step;
    for (Operation *user : start.getToken().getUsers())
      if (isa<WaitOp>(user))
        bucket.wait = user;
    buckets.push_back(bucket);
  }
  llvm::sort(buckets, [](const Bucket &a, const Bucket &b) {
    return a.first->isBeforeInBlock(b.first);
  });
  if (buckets.size() < 3)
    return;
  BlockOrder order(program.getBody().front());
  SmallVector<Bucket> living = {buckets[0]};
  for (size_t third = 2; third < buckets.size(); ++third) {
    Operation *first = buckets[third].first;
    living.push_back(buckets[third - 1]);
    llvm::erase_if(living, [&](const Bucket &bucket) {
      return !order.isBefore(first, bucket.wait);
    });
    for (const Bucket &bucket : ArrayRef(living).drop_back(!living.empty()))
      if (order.isBefore(bucket.start, first)) {
        order.moveBefore(bucket.wait, first);
        ++numMovedWaits;
      }
  }
}

void ProgramLayout::numberSteps() {
  steps = program.getSteps();
  number.clear();
  for (auto [index, step] : llvm::enumerate(steps))
    number[step] = index;
  ends.clear();
  for (Operation *step : steps) {
    if (auto wait = dyn_cast<WaitOp>(step))
      ends[wait.getToken().getDefiningOp()].first = wait;
    else if (auto fence = dyn_cast<FenceOp>(step))
      ends[fence.getToken().getDefiningOp()].second = fence;
  }
}

void ProgramLayout::measureLifetimes(bool withFences) {
  for (BufferOp buffer : buffers) {
    if (buffer.getPersistent())
      continue;
    int64_t first = INT64_MAX, last = -1;
    for (Operation *view : buffer->getUsers())
      for (OpOperand &use : view->getUses()) {
        Operation *step = use.getOwner();
        auto found = number.find(step);
        if (found == number.end())
          continue;
        first = std::min(first, found->second);
        last = std::max(last, found->second);
        auto start = dyn_cast<StartOp>(step);
        if (!start)
          continue;
        auto [wait, fence] = ends[start];
        bool isRead = use.getOperandNumber() == 0;
        last = std::max(last, number[withFences && isRead ? fence : wait]);
      }
    if (last < 0)
      first = last = 0;
    buffer.setLive(ArrayRef<int64_t>{first, last});
  }
}

/// Bytes of each category at the step at which \p buffers need most together.
static std::array<int64_t, categoryCount>
getMostNeeded(ArrayRef<BufferOp> buffers) {
  std::map<int64_t, std::array<int64_t, categoryCount>> changes;
  for (BufferOp buffer : buffers) {
    auto category = static_cast<int>(buffer.getCategory());
    changes[buffer.getFirst()][category] += buffer.getBytes();
    changes[buffer.getLast() + 1][category] -= buffer.getBytes();
  }
  std::array<int64_t, categoryCount> now = {}, most = {};
  for (const auto &[step, change] : changes) {
    for (auto [bytes, more] : llvm::zip(now, change))
      bytes += more;
    if (std::reduce(now.begin(), now.end()) >
        std::reduce(most.begin(), most.end()))
      most = now;
  }
  return most;
}

/// Persistent memory comes first, then what is used for a while. Within a host
/// the first is what the host keeps, and what the program itself keeps comes
/// last, where the host writes nothing.
void ProgramLayout::packBuffers() {
  DenseMap<Operation *, BufferOp> shared;
  if (host)
    shared = host->share(program);
  DenseSet<Operation *> filledOnce;
  for (auto input : program.getBody().getOps<InputOp>())
    if (isFilledOnce(input))
      filledOnce.insert(getBuffer(input));
  std::array<SmallVector<BufferOp>, categoryCount> persistent;
  SmallVector<BufferOp> kept;
  SmallVector<BufferOp> temporary;
  SmallVector<plan::Block> blocks;
  for (BufferOp buffer : buffers) {
    if (buffer.isInFile())
      continue;
    if (BufferOp place = shared.lookup(buffer)) {
      buffer.setOffset(place.getOffset());
      continue;
    }
    if (host && buffer.getPersistent() && filledOnce.contains(buffer)) {
      kept.push_back(buffer);
      continue;
    }
    if (buffer.getPersistent()) {
      persistent[static_cast<int>(buffer.getCategory())].push_back(buffer);
      continue;
    }
    temporary.push_back(buffer);
    blocks.push_back({buffer.getBytes(), buffer.getFirst(), buffer.getLast()});
  }
  std::array<int64_t, categoryCount> memory = getMostNeeded(temporary);
  int64_t end = host ? host->end : 0;
  for (int64_t category = 0; host && category < categoryCount; ++category)
    memory[category] += host->memory[category];
  auto place = [&](BufferOp buffer) {
    buffer.setOffset(end);
    end += buffer.getBytes();
    memory[static_cast<int>(buffer.getCategory())] += buffer.getBytes();
  };
  // What programs share has one place in all of them.
  constexpr auto parameters = static_cast<int64_t>(Category::Parameters),
                 cache = static_cast<int64_t>(Category::Cache);
  llvm::for_each(persistent[parameters], place);
  llvm::for_each(persistent[cache], place);
  for (int64_t category = 0; category < categoryCount; ++category)
    if (category != parameters && category != cache)
      llvm::for_each(persistent[category], place);
  if (!blocks.empty()) {
    Packing packing = pack(blocks, heuristic);
    for (auto [buffer, block] : llvm::zip(temporary, blocks))
      buffer.setOffset(end + block.offset);
    lowerBound = end + packing.lowerBound;
    end += packing.bytes;
  } else {
    lowerBound = end;
  }
  if (!kept.empty())
    end = std::max(end, host->arenaBytes);
  llvm::for_each(kept, place);
  // What the packing leaves empty belongs to no buffer.
  memory[static_cast<int>(Category::Activations)] +=
      end - std::reduce(memory.begin(), memory.end());
  program.setMemory(memory);
  program.setArenaBytes(end);
}

SmallVector<Value> ProgramLayout::getWritten(Operation *step) {
  return TypeSwitch<Operation *, SmallVector<Value>>(step)
      .Case([](ClearOp op) -> SmallVector<Value> { return {op.getView()}; })
      .Case(
          [](CopyOp op) -> SmallVector<Value> { return {op.getDestination()}; })
      .Case([](GemmOp op) {
        SmallVector<Value> written = {op.getOut()};
        if (op.getEpilogue() == Epilogue::GeluSaved)
          written.push_back(op.getAux());
        return written;
      })
      .Case([](StartOp op) -> SmallVector<Value> {
        return {op.getDestination()};
      })
      .Case([&](LaunchOp op) -> SmallVector<Value> {
        auto kernel = symbols.lookupNearestSymbolFrom<func::FuncOp>(
            op, op.getKernelAttr());
        return llvm::to_vector(
            op->getOperands().drop_front(kernel.getNumArguments()));
      })
      .Default([](Operation *) { return SmallVector<Value>(); });
}

/// True where a write to \p written may touch what peers read of \p source:
/// parts of one buffer by their bytes, two buffers as wholes, since a buffer's
/// life begins with its first write.
bool ProgramLayout::disturbs(Value written, Value source) {
  auto getRange = [&](ViewOp view) -> ByteRange {
    int64_t begin = view.getOffset();
    return {begin, begin + view.getSpan()};
  };
  auto getWhole = [](BufferOp buffer) -> ByteRange {
    int64_t begin = buffer.getOffset();
    return {begin, begin + buffer.getBytes()};
  };
  auto a = written.getDefiningOp<ViewOp>(), b = source.getDefiningOp<ViewOp>();
  if (a.getBuffer() == b.getBuffer())
    return getRange(a).overlaps(getRange(b));
  return getWhole(a.getBufferOp()).overlaps(getWhole(b.getBufferOp()));
}

/// Whether all ranks that \p start is among take part in \p later.
static bool involvesPeers(StartOp later, StartOp start) {
  return !later.getRanks() || (later.getRanks() == start.getRanks() &&
                               later.getStep() == start.getStep());
}

/// A collective is over for all peers once a collective among them that started
/// behind its wait is complete: each peer starts that one behind its own wait.
void ProgramLayout::placeFences() {
  for (Operation *op : steps) {
    auto start = dyn_cast<StartOp>(op);
    if (!start)
      continue;
    Operation *wait = ends[start].first;
    OpBuilder builder(program.getContext());
    Operation *next = wait->getNextNode();
    for (; next && !isa<SectionOp>(next); next = next->getNextNode()) {
      if (llvm::any_of(getWritten(next), [&](Value view) {
            return disturbs(view, start.getSource());
          }))
        break;
      auto later = dyn_cast<WaitOp>(next);
      auto laterStart =
          later ? later.getToken().getDefiningOp<StartOp>() : StartOp();
      if (later && number[laterStart] > number[wait] &&
          involvesPeers(laterStart, start)) {
        next = later->getNextNode();
        break;
      }
    }
    if (next)
      builder.setInsertionPoint(next);
    else
      builder.setInsertionPointToEnd(&program.getBody().front());
    FenceOp::create(builder, wait->getLoc(), start.getToken());
  }
}

void ProgramLayout::run() {
  removeFences();
  boundBuckets();
  numberSteps();
  measureLifetimes(/*withFences=*/false);
  packBuffers();
  placeFences();
  numberSteps();
  measureLifetimes(/*withFences=*/true);
}

namespace {
struct LayoutPass : plan::impl::LayoutBase<LayoutPass> {
  using LayoutBase::LayoutBase;

  void runOnOperation() override {
    if (!heuristic.empty() &&
        !llvm::is_contained(getHeuristics(), StringRef(heuristic))) {
      emitError(getOperation().getLoc())
          << "no heuristic is named '" << heuristic << "': use one of "
          << llvm::join(getHeuristics(), ", ");
      return signalPassFailure();
    }
    if (failed(verifyLaunches(getOperation())))
      return signalPassFailure();
    SmallVector<ProgramOp> guests;
    for (auto program : getOperation().getOps<ProgramOp>())
      if (getWithin(program))
        guests.push_back(program);
      else
        layOut(program, /*host=*/nullptr);
    for (ProgramOp guest : guests) {
      ProgramOp program = getHost(guest);
      if (!program)
        return signalPassFailure();
      Host host(program);
      layOut(guest, &host);
    }
  }

  void layOut(ProgramOp program, Host *host) {
    ProgramLayout layout(program, heuristic, host);
    layout.run();
    arenaBytes += program.getArenaBytes();
    lowerBound += layout.lowerBound;
    numMovedWaits += layout.numMovedWaits;
  }
};
} // namespace
