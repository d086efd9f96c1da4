//===- ProgramVerifier.cpp - What a planned program must keep to *- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/plan/Plan.h"
#include <map>
#include <vector>

using namespace mlir;
using namespace tessera::plan;

namespace {

/// Checks one program; see the constraints in ProgramOp's description.
class ProgramVerifier {
public:
  explicit ProgramVerifier(ProgramOp program) : program(program) {}

  LogicalResult verify() {
    return failure(failed(verifyOperands()) || failed(verifyBody()) ||
                   failed(verifyOverlap()) || failed(verifyCollectives()) ||
                   failed(verifyUses()));
  }

private:
  /// Steps from `first` to `last` use a buffer.
  struct Use {
    Operation *op;
    int64_t first, last;
  };

  /// Steps work on views, views are of buffers; each is declared here.
  LogicalResult verifyOperands() {
    Block &body = program.getBody().front();
    if (body.getNumArguments())
      return program.emitOpError("has arguments: what a program works on are "
                                 "its buffers");
    for (Operation &op : body)
      for (OpOperand &operand : op.getOpOperands())
        if (failed(verifyOperand(operand)))
          return failure();
    for (Operation &op : body) {
      if (isa<LaunchOp, GemmOp>(op) && op.getNumResults())
        return op.emitOpError("has a result: in a program it writes a view, "
                              "its last operand");
      auto state = dyn_cast<StateOp>(op);
      if (state && !state.getElementType().isIntOrFloat())
        return state.emitOpError("has elements of ")
               << state.getElementType() << ": numbers are wanted";
    }
    return success();
  }

  LogicalResult verifyOperand(OpOperand &operand) {
    Operation *op = operand.getOwner(), *source = operand.get().getDefiningOp();
    bool isBuffer = isa<ViewOp, StateOp, ScratchOp, FetchOp, EvictOp>(op);
    bool isToken = isa<WaitOp, FenceOp>(op);
    if (isBuffer  ? isa_and_nonnull<BufferOp>(source)
        : isToken ? isa_and_nonnull<StartOp>(source)
                  : isa_and_nonnull<ViewOp>(source))
      return success();
    return op->emitOpError("needs ")
           << (isBuffer  ? "a plan.buffer"
               : isToken ? "the token of a plan.start"
                         : "a plan.view")
           << " as operand #" << operand.getOperandNumber();
  }

  LogicalResult verifyBody() {
    std::array<int64_t, categoryCount> persistent = {};
    for (Operation &op : program.getBody().front()) {
      if (!isa_and_nonnull<PlanDialect>(op.getDialect()))
        return op.emitOpError("does not belong in a plan");
      if (isStep(&op)) {
        number[&op] = number.size();
        section[&op] = current;
      } else if (auto next = dyn_cast<SectionOp>(op)) {
        current = next;
      } else if (auto buffer = dyn_cast<BufferOp>(op)) {
        buffers.push_back(buffer);
        int64_t end = buffer.getOffset() + buffer.getBytes();
        int64_t room = buffer.isInFile() ? program.getOffloadBytes()
                                         : program.getArenaBytes();
        if (end > room)
          return buffer.emitOpError("ends at byte ")
                 << end << " of " << (buffer.isInFile() ? "a file" : "an arena")
                 << " of " << room;
        if (buffer.getPersistent() && !buffer.isInFile())
          persistent[static_cast<int>(buffer.getCategory())] +=
              buffer.getBytes();
      }
    }
    for (int64_t i = 0; i < categoryCount; ++i) {
      auto category = static_cast<Category>(i);
      if (persistent[i] > program.getMemory(category))
        return program.emitOpError("persistent buffers of category ")
               << stringifyCategory(category) << " have " << persistent[i]
               << " bytes, the plan says " << program.getMemory(category);
    }
    return success();
  }

  /// A buffer's bytes and steps, [begin, end) and [first, last].
  struct Extent {
    int64_t begin, end, first, last;
    BufferOp buffer;
  };

  /// Walks through time with the set of buffers that live, by offset.
  LogicalResult verifyOverlap() {
    std::vector<Extent> byFirst;
    for (BufferOp buffer : buffers) {
      int64_t begin = buffer.getPlace();
      byFirst.push_back({begin, begin + buffer.getBytes(), buffer.getFirst(),
                         buffer.getLast(), buffer});
    }
    std::vector<Extent> byLast(byFirst);
    llvm::sort(byFirst, [](const Extent &a, const Extent &b) {
      return std::pair(a.first, a.begin) < std::pair(b.first, b.begin);
    });
    llvm::sort(byLast, [](const Extent &a, const Extent &b) {
      return a.last < b.last;
    });
    std::map<int64_t, const Extent *> living;
    auto dying = byLast.begin();
    for (const Extent &extent : byFirst) {
      for (; dying->last < extent.first; ++dying)
        living.erase(dying->begin);
      auto above = living.lower_bound(extent.begin);
      if (above != living.end() && above->first < extent.end)
        return overlap(extent.buffer, above->second->buffer);
      if (above != living.begin()) {
        const Extent &below = *std::prev(above)->second;
        if (below.end > extent.begin)
          return overlap(extent.buffer, below.buffer);
      }
      if (extent.begin != extent.end)
        living.emplace_hint(above, extent.begin, &extent);
    }
    return success();
  }

  LogicalResult overlap(BufferOp buffer, BufferOp other) {
    InFlightDiagnostic diagnostic =
        buffer.emitOpError() << "overlaps the buffer " << other.getNameAttr()
                             << ", which lives at the same time";
    diagnostic.attachNote(other.getLoc()) << "the other buffer";
    return diagnostic;
  }

  LogicalResult verifyCollectives() {
    for (auto start : program.getBody().getOps<StartOp>()) {
      WaitOp wait;
      FenceOp fence;
      auto users = llvm::to_vector(start.getToken().getUsers());
      for (Operation *user : llvm::reverse(users)) {
        Operation *earlier = isa<WaitOp>(user) ? wait.getOperation() : fence;
        if (earlier)
          return user->emitOpError(
              "ends a collective that has ended this way before");
        if (auto op = dyn_cast<WaitOp>(user))
          wait = op;
        else
          fence = cast<FenceOp>(user);
      }
      if (!wait || !fence)
        return start.emitOpError("has no ") << (wait ? "fence" : "wait");
      if (number[fence] < number[wait])
        return fence.emitOpError("stands before the collective's wait");
      SectionOp where = section[start];
      if (program.getAccumulation() > 1 && where && where.isOfMicroBatch() &&
          section[fence] != where)
        return start.emitOpError("starts in each micro-batch and must end in "
                                 "section \"micro\"");
      if (failed(verifySizes(start)))
        return failure();
      ends[start] = {number[wait], number[fence]};
    }
    return success();
  }

  LogicalResult verifySizes(StartOp start) {
    for (Value side : {start.getSource(), start.getDestination()})
      if (side.getDefiningOp<ViewOp>().getBufferOp().isInFile())
        return start.emitOpError("uses a buffer of the file, which only this "
                                 "rank may");
    auto source = cast<MemRefType>(start.getSource().getType()),
         destination = cast<MemRefType>(start.getDestination().getType());
    Type element = source.getElementType(), sum = destination.getElementType();
    bool isShort = element.isF16() || element.isBF16();
    bool isBytes =
        element.isInteger(8) && start.getKind() == Collective::AllGather;
    if (!isShort && !isBytes && !element.isF32() && !element.isF64())
      return start.emitOpError("needs elements of f32, f64, bf16 or f16; only "
                               "an all_gather may have bytes, i8");
    bool widens = start.getKind() == Collective::ReduceScatter &&
                  !start.getInPlace() && isShort && sum.isF32();
    if (element != sum && !widens)
      return start.emitOpError("needs one element type: only a reduce_scatter "
                               "out of place may sum bf16 or f16 into f32");
    for (Value side : {start.getSource(), start.getDestination()})
      if (!start.getInPlace() && side.getDefiningOp<ViewOp>().isRankDependent())
        return start.emitOpError(
            "is not in place, so its views must be the same on all ranks");
    int64_t members = start.getMembers(program.getWorld());
    int64_t step = start.getStep().value_or(1);
    if (members < 1 || step < 1 || program.getWorld() % (members * step))
      return start.emitOpError("is over ")
             << members << " ranks, step " << step
             << ", which do not divide the world of " << program.getWorld();
    int64_t want = source.getNumElements();
    if (start.getKind() == Collective::AllGather)
      want *= members;
    int64_t have = destination.getNumElements();
    if (start.getKind() == Collective::ReduceScatter)
      have *= members;
    if (have != want)
      return start.emitOpError("has ")
             << source.getNumElements() << " elements as source and "
             << destination.getNumElements() << " as destination in a world of "
             << members;
    return success();
  }

  LogicalResult verifyUses() {
    for (auto view : program.getBody().getOps<ViewOp>()) {
      BufferOp buffer = view.getBufferOp();
      for (OpOperand &operand : view.getResult().getUses()) {
        Operation *user = operand.getOwner();
        if (isa<InputOp, OutputOp>(user)) {
          auto input = dyn_cast<InputOp>(user);
          bool isForLoading =
              input && input.getWhen() == "load" && view->hasOneUse();
          if (!buffer.getPersistent() && !isForLoading)
            return user->emitOpError("needs a persistent buffer");
          continue;
        }
        Use use = getUse(operand);
        if (use.first < buffer.getFirst() || use.last > buffer.getLast())
          return (user->emitOpError("uses buffer ")
                  << buffer.getNameAttr() << " in steps " << use.first << " to "
                  << use.last << ", outside its lifetime")
                     .attachNote(buffer.getLoc())
                 << "the buffer";
      }
    }
    for (auto buffer : buffers)
      for (Operation *user : buffer->getUsers())
        if (isa<StateOp, ScratchOp>(user) && !buffer.getPersistent())
          return user->emitOpError("needs a persistent buffer");
        else if (isa<FetchOp, EvictOp>(user) && !buffer.isInFile())
          return user->emitOpError("needs buffers of the file");
    return success();
  }

  Use getUse(OpOperand &operand) {
    Operation *op = operand.getOwner();
    int64_t at = number.lookup(op);
    auto start = dyn_cast<StartOp>(op);
    if (!start)
      return {op, at, at};
    auto [wait, fence] = ends[start];
    return {op, at, operand.get() == start.getSource() ? fence : wait};
  }

  ProgramOp program;
  SectionOp current;
  SmallVector<BufferOp> buffers;
  llvm::DenseMap<Operation *, int64_t> number;
  llvm::DenseMap<Operation *, SectionOp> section;
  llvm::DenseMap<Operation *, std::pair<int64_t, int64_t>> ends;
};

} // namespace

LogicalResult ProgramOp::verify() {
  // Views divide by these numbers, so they come before the body.
  int64_t world = getWorld(), shards = getShards(), secondary = getSecondary();
  if (world < 1 || world > maxRanks)
    return emitOpError("cannot have a world of ")
           << world << ": from 1 to " << maxRanks << " ranks are possible";
  if (shards < 1 || world % shards)
    return emitOpError("cannot have shards of ")
           << shards << " in a world of " << world;
  if (secondary < 1 || shards % secondary)
    return emitOpError("cannot keep parameters among ")
           << secondary << " of " << shards << " ranks";
  int64_t sum = 0;
  for (int64_t i = 0; i < categoryCount; ++i) {
    int64_t bytes = getMemory(static_cast<Category>(i));
    if (bytes < 0 || bytes > maxBytes)
      return emitOpError("cannot have ")
             << bytes << " bytes of " << stringifyCategory(Category(i));
    sum += bytes;
  }
  if (sum != static_cast<int64_t>(getArenaBytes()))
    return emitOpError("categories sum to ")
           << sum << " bytes, the arena has " << getArenaBytes();
  if (static_cast<int64_t>(getOffloadBytes()) < 0 ||
      static_cast<int64_t>(getOffloadBytes()) > maxBytes ||
      static_cast<int64_t>(getAccumulation()) < 1)
    return emitOpError("cannot have ")
           << getOffloadBytes() << " bytes of a file or " << getAccumulation()
           << " micro-batches";
  return success();
}

LogicalResult ProgramOp::verifyRegions() {
  return ProgramVerifier(*this).verify();
}
