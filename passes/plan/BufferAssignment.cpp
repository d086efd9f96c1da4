//===- BufferAssignment.cpp - Which values share memory ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/plan/BufferAssignment.h"
#include "dialects/AttributeNames.h"
#include "dialects/nn/NN.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

SmallVector<int64_t>
tessera::plan::getPartOffsets(Operation *op, SymbolTableCollection &symbols) {
  SmallVector<int64_t> offsets;
  if (auto bucket = dyn_cast<zero::BucketOp>(op)) {
    auto group = symbols.lookupNearestSymbolFrom<zero::GroupOp>(
        op, bucket.getGroupAttr());
    int64_t size =
        getElementBytes(bucket.getResult().getType().getElementType());
    for (int64_t offset : group.getOffsets())
      offsets.push_back(offset * size);
    return offsets;
  }
  int64_t offset = 0;
  for (Value operand : op->getOperands()) {
    offsets.push_back(offset);
    offset += getBytes(cast<ShapedType>(operand.getType()));
  }
  return offsets;
}

int64_t BufferAssignment::getState(StringAttr state, FlatSymbolRefAttr group,
                                   ShapedType type) {
  auto [found, isNew] = states.insert({{state, group}, 0});
  if (isNew) {
    found->second = add(Value(), getBytes(type));
    Entry &entry = entries[found->second];
    entry.fixed = entry.facts.persistent = true;
    entry.facts.state = state;
    entry.facts.group = group;
    entry.facts.element = type.getElementType();
    // The memory itself is never in the way of what is put there.
    entry.first = INT64_MAX;
    entry.last = INT64_MIN;
    entry.reach = {entry};
  }
  return found->second;
}

/// The position up to which a use needs its operand.
int64_t BufferAssignment::endOfUse(OpOperand &use) {
  Operation *user = use.getOwner();
  if (auto start = dyn_cast<zero::CollectiveOpInterface>(user))
    for (Operation *waits : start.getStartToken().getUsers())
      return position(waits);
  return position(user);
}

void BufferAssignment::measureLifetimes() {
  llvm::DenseSet<std::pair<Attribute, Attribute>> stored;
  for (auto store : program.getOps<zero::StoreOp>())
    stored.insert({store.getStateAttr(), store.getGroupAttr()});
  for (Entry &entry : entries) {
    if (!entry.value)
      continue;
    Operation *op = entry.value.getDefiningOp();
    entry.first = op ? position(op) : -1;
    entry.last = op ? entry.first : end;
    for (OpOperand &use : entry.value.getUses())
      entry.last = std::max(entry.last, endOfUse(use));
    for (Operation *user : entry.value.getUsers())
      if (isa<zero::StoreOp, func::ReturnOp>(user))
        entry.last = end;
    if (auto load = dyn_cast_if_present<zero::LoadOp>(op)) {
      entry.first = -1;
      if (!stored.contains({load.getStateAttr(), load.getGroupAttr()}))
        entry.last = end;
    }
    if (entry.facts.accumulates)
      entry.first = -1;
  }
  for (Entry &entry : entries) {
    SmallVector<int64_t, 1> members = std::move(entry.members);
    entry.members.clear();
    entry.reach.clear();
    append(entry, members);
  }
}

static bool accumulates(Operation *op, unsigned result,
                        SymbolTableCollection &symbols) {
  if (auto gemm = dyn_cast<GemmOp>(op))
    return gemm.getAccumulate();
  if (auto reduce = dyn_cast<zero::ReduceScatterOp>(op))
    return result == 0 && reduce.getAccumulate();
  if (auto launch = dyn_cast<LaunchOp>(op)) {
    auto kernel = symbols.lookupNearestSymbolFrom<func::FuncOp>(
        op, launch.getKernelAttr());
    return kernel.getResultAttr(result, accumulateAttrName) != nullptr;
  }
  return false;
}

void BufferAssignment::addViews(Operation &op) {
  TypeSwitch<Operation *>(&op)
      .Case([&](nn::SliceOp slice) {
        auto type = slice.getInput().getType();
        int64_t row =
            type.getDimSize(0) ? getBytes(type) / type.getDimSize(0) : 0;
        makeView(slice.getResult(), slice.getInput(), slice.getOffset() * row,
                 {});
      })
      .Case<nn::ReshapeOp, nn::CheckpointOp>([&](auto view) {
        makeView(view.getResult(), view.getInput(), 0, {});
      })
      .Case([&](zero::AllSliceOp slice) {
        makeView(slice.getResult(), slice.getInput(), 0,
                 getPartStride(slice.getAxis(),
                               getBytes(slice.getResult().getType())));
      })
      .Case([&](zero::WaitOp wait) {
        makeView(wait.getResult(), wait.getInput(), 0, {});
      })
      .Case([&](zero::ReduceScatterOp reduce) {
        if (reduce.getInPlace())
          makeView(reduce.getResult(), reduce.getInput(), 0,
                   getPartStride(reduce.getAxis(),
                                 getBytes(reduce.getResult().getType())));
      })
      .Case([&](zero::LoadOp load) {
        int64_t number = numbers.lookup(load.getResult());
        unite(number, {getState(load.getStateAttr(), load.getGroupAttr(),
                                load.getResult().getType()),
                       0});
      });
}

LogicalResult BufferAssignment::pinStates() {
  for (auto store : program.getOps<zero::StoreOp>()) {
    Value value = store.getValue();
    int64_t state = getState(store.getStateAttr(), store.getGroupAttr(),
                             cast<ShapedType>(value.getType()));
    putOrCopy(store.getValueMutable(), {state, 0}, Value());
    if (!needsCopy(store.getValueMutable()))
      continue;
    for (int64_t member : entries[state].members)
      if (entries[member].last > position(store))
        return store.emitOpError("would overwrite the state while its previous "
                                 "content is still needed");
  }
  return success();
}

/// Whether parts at \p stride lie as \p part has them along its axis.
static bool isAlong(Stride stride, Stride part) {
  return (part.shard == 0 || stride.shard == part.shard) &&
         (part.replica == 0 || stride.replica == part.replica) &&
         (part.secondary == 0 || stride.secondary == part.secondary);
}

/// Puts what \p gather puts together around its source, if that is a part.
bool BufferAssignment::putAround(zero::AllGatherOp gather) {
  Stride part =
      getPartStride(gather.getAxis(),
                    getBytes(cast<ShapedType>(gather.getInput().getType())));
  Place place = getPlace(gather.getInput());
  if (!isAlong(place.stride, part))
    return false;
  place.stride = place.stride - part;
  return tryPut(gather.getResult(), place, gather.getInput());
}

/// Parts before wholes are merged from the last operation backwards, so that
/// a bucket has its place when its parts look for theirs.
void BufferAssignment::pinParts() {
  // Where the source is a rank's part already, the result is around it; so it
  // is a part itself where the next gather, along another axis, begins.
  for (auto gather : program.getOps<zero::AllGatherOp>())
    if (gather.getInPlace())
      (void)putAround(gather);
  for (Operation &op : llvm::reverse(program.getBody().front())) {
    if (auto gather = dyn_cast<zero::AllGatherOp>(op)) {
      if (!gather.getInPlace() || putAround(gather))
        continue;
      Stride part = getPartStride(
          gather.getAxis(),
          getBytes(cast<ShapedType>(gather.getInput().getType())));
      Place place = getPlace(gather.getResult());
      place.stride = place.stride + part;
      putOrCopy(gather.getInputMutable(), place, gather.getResult());
    } else if (isa<nn::ConcatOp, zero::BucketOp>(op)) {
      Value whole = op.getResult(0);
      SmallVector<int64_t> offsets = getPartOffsets(&op, symbols);
      for (OpOperand &part : op.getOpOperands()) {
        Place place = getPlace(whole);
        place.offset += offsets[part.getOperandNumber()];
        putOrCopy(part, place, whole);
      }
    }
  }
}

bool BufferAssignment::tryShare(Value result, Value operand, bool always) {
  auto number = numbers.find(operand);
  if (number == numbers.end())
    return false;
  Place mine = getPlace(result), other = find(number->second);
  if (mine.set == other.set)
    return mine.offset == other.offset && mine.stride == other.stride;
  // The result moves to the operand, where that keeps no larger buffer alive.
  if (entries[other.set].bytes == entries[number->second].bytes &&
      tryPut(result, other, Value()))
    return true;
  // Or the operand is computed where the result is wanted, where that makes
  // no buffer live longer, spares a copy, or lets most of the buffer do
  // without a second one: a tied table's gradient lies in its bucket from the
  // head on, rather than beside it.
  Entry &target = entries[mine.set];
  bool lives = target.facts.persistent ||
               2 * entries[number->second].bytes >= target.bytes ||
               target.reach.back().first <= entries[number->second].first;
  return (always || lives) && tryPut(operand, mine, Value());
}

void BufferAssignment::shareDying(Operation &op) {
  if (auto gemm = dyn_cast<GemmOp>(op)) {
    if (gemm.getAddend())
      numInPlace += tryShare(gemm.getResult(), gemm.getAddend(), true);
    return;
  }
  auto launch = dyn_cast<LaunchOp>(op);
  if (!launch)
    return;
  auto kernel = symbols.lookupNearestSymbolFrom<func::FuncOp>(
      &op, launch.getKernelAttr());
  for (OpResult result : launch.getResults()) {
    SmallVector<int64_t> arguments =
        getInPlaceArguments(kernel, result.getResultNumber());
    numInPlace += llvm::any_of(arguments, [&](int64_t argument) {
      return tryShare(result, launch.getOperand(argument), false);
    });
  }
}

LogicalResult BufferAssignment::run() {
  Block &body = program.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    Entry &entry =
        entries[add(argument, getBytes(cast<ShapedType>(argument.getType())))];
    entry.fixed = entry.facts.port = true;
    // What no step reads is memory for the time before the first one.
    entry.facts.persistent =
        !argument.use_empty() ||
        !program.getArgAttr(argument.getArgNumber(), filledOnceAttrName);
  }
  for (Operation &op : body) {
    positions[&op] = end++;
    if (isa<arith::ConstantOp>(op)) {
      for (Operation *user : op.getUsers())
        if (!isa<nn::ConcatOp, zero::BucketOp>(user))
          return op.emitOpError("is read by ")
                 << user->getName()
                 << ": a plan has no constants, compute it in a kernel";
      continue;
    }
    if (!isa<LaunchOp, GemmOp, nn::SectionOp, nn::SliceOp, nn::ReshapeOp,
             nn::ConcatOp, nn::CheckpointOp, func::ReturnOp>(op) &&
        !isa_and_nonnull<zero::ZeroDialect>(op.getDialect()))
      return op.emitOpError("does not belong in the phase kernels: outline it "
                            "into a kernel first");
    for (OpResult result : op.getResults()) {
      auto type = dyn_cast<ShapedType>(result.getType());
      if (!type)
        continue;
      Entry &entry = entries[add(result, getBytes(type))];
      entry.facts.communicates = isa<zero::CollectiveOpInterface>(op);
      entry.facts.accumulates = entry.facts.persistent =
          accumulates(&op, result.getResultNumber(), symbols);
    }
    // A group that has travelled as bytes is a gathered one too.
    if (isa<zero::CollectiveOpInterface, zero::ReleaseOp>(op)) {
      int64_t source = numbers.lookup(op.getOperand(0));
      entries[find(source).set].facts.communicates = true;
    }
    addViews(op);
  }
  for (Value result : body.getTerminator()->getOperands()) {
    BufferFacts &facts = entries[getPlace(result).set].facts;
    facts.persistent = facts.port = true;
  }
  measureLifetimes();
  if (failed(pinStates()))
    return failure();
  pinParts();
  for (Operation &op : body)
    shareDying(op);
  return success();
}
