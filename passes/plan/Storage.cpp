//===- Storage.cpp - Which values share memory ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/plan/Storage.h"
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

SmallVector<int64_t> tessera::plan::getInPlaceArguments(func::FuncOp kernel,
                                                        int64_t result) {
  SmallVector<int64_t> arguments;
  Attribute attribute = kernel.getResultAttr(result, "plan.inplace");
  if (auto array = dyn_cast_if_present<DenseI64ArrayAttr>(attribute))
    llvm::append_range(arguments, array.asArrayRef());
  else if (auto array = dyn_cast_if_present<ArrayAttr>(attribute))
    for (auto argument : array.getAsRange<IntegerAttr>())
      arguments.push_back(argument.getInt());
  return arguments;
}

Storages::Storages(func::FuncOp program, int64_t world)
    : program(program), world(world),
      shards(zero::getShardRanks(program).value_or(world)),
      secondary(zero::getRanks(program, zero::Axis::Secondary).value_or(1)) {}

Stride Storages::getPartStride(zero::Axis axis, int64_t bytes) {
  switch (axis) {
  case zero::Axis::World:
    return {bytes, shards == world ? 0 : shards * bytes};
  case zero::Axis::Shards:
    return {bytes, 0};
  case zero::Axis::Replicas:
    return {0, bytes};
  case zero::Axis::Secondary:
    return {0, 0, bytes};
  }
  llvm_unreachable("all axes are named");
}

//===----------------------------------------------------------------------===//
// Storages as sets of values
//===----------------------------------------------------------------------===//

int64_t Storages::add(Value value, int64_t bytes) {
  int64_t number = entries.size();
  Entry &entry = entries.emplace_back();
  entry.value = value;
  entry.bytes = entry.facts.bytes = bytes;
  entry.parent = entry.data = number;
  append(entry, {number});
  if (value)
    numbers[value] = number;
  return number;
}

Place Storages::find(int64_t number) {
  // From the entry up to its root, then from there down again: each gets its
  // place in the root.
  SmallVector<int64_t> path;
  while (entries[number].parent != number) {
    path.push_back(number);
    number = entries[number].parent;
  }
  Place place = {number, 0};
  for (int64_t below : llvm::reverse(path)) {
    Entry &entry = entries[below];
    if (entry.parent != number) {
      entry.parent = number;
      entry.offset += place.offset;
      entry.stride = entry.stride + place.stride;
    }
    place = {number, entry.offset, entry.stride};
  }
  return place;
}

int64_t Storages::findData(int64_t number) {
  while (entries[number].data != number)
    number = entries[number].data = entries[entries[number].data].data;
  return number;
}

void Storages::append(Entry &root, ArrayRef<int64_t> members) {
  for (int64_t member : members) {
    Lifetime lifetime = entries[member];
    if (!root.reach.empty()) {
      lifetime.first = std::min(lifetime.first, root.reach.back().first);
      lifetime.last = std::max(lifetime.last, root.reach.back().last);
    }
    root.members.push_back(member);
    root.reach.push_back(lifetime);
  }
}

void Storages::unite(int64_t child, Place where) {
  Entry &from = entries[child], &into = entries[where.storage];
  from.parent = where.storage;
  from.offset = where.offset;
  from.stride = where.stride;
  append(into, from.members);
  from.members.clear();
  from.reach.clear();
  into.facts.persistent |= from.facts.persistent;
  into.facts.accumulates |= from.facts.accumulates;
  into.facts.port |= from.facts.port;
  into.facts.communicates |= from.facts.communicates;
  from.facts.bytes = 0;
}

Place Storages::getPlace(Value value) { return find(numbers.lookup(value)); }

Place Storages::getTarget(OpOperand &operand) {
  auto [number, where] = copies.lookup(&operand);
  Place base = find(number);
  return {base.storage, base.offset + where.offset, base.stride + where.stride};
}

Place Storages::getKept(zero::KeepOp keep) {
  Place place = getPlace(keep.getInput());
  place.stride =
      place.stride +
      getPartStride(keep.getAxis(), getBytes(keep.getResult().getType()));
  return place;
}

void Storages::makeView(Value view, Value of, int64_t offset, Stride stride) {
  int64_t child = numbers.lookup(view), parent = numbers.lookup(of);
  Place place = find(parent);
  entries[findData(child)].data = findData(parent);
  unite(child, {place.storage, place.offset + offset, place.stride + stride});
}

//===----------------------------------------------------------------------===//
// When values may share bytes
//===----------------------------------------------------------------------===//

/// True where the operation that makes `next` may write it over `previous`,
/// which it reads last: each operand with that data must be one that the
/// kernel lets be overwritten.
bool Storages::mayOverwrite(const Entry &next, const Entry &previous) {
  Operation *op = next.value ? next.value.getDefiningOp() : nullptr;
  if (!op || !previous.value || next.bytes != previous.bytes)
    return false;
  SmallVector<int64_t> allowed;
  if (auto launch = dyn_cast<LaunchOp>(op)) {
    auto kernel = symbols.lookupNearestSymbolFrom<func::FuncOp>(
        op, launch.getKernelAttr());
    allowed = getInPlaceArguments(kernel,
                                  cast<OpResult>(next.value).getResultNumber());
  } else if (auto gemm = dyn_cast<GemmOp>(op)) {
    if (gemm.getAddend())
      allowed.push_back(gemm->getNumOperands() - 1);
  }
  int64_t data = findData(numbers.lookup(previous.value));
  bool reads = false;
  for (OpOperand &operand : op->getOpOperands()) {
    auto number = numbers.find(operand.get());
    if (number == numbers.end() || findData(number->second) != data)
      continue;
    reads = true;
    if (!llvm::is_contained(allowed, operand.getOperandNumber()) ||
        entries[number->second].bytes != next.bytes)
      return false;
  }
  return reads;
}

bool Storages::conflicts(const Entry &a, int64_t aBegin, const Entry &b,
                         int64_t bBegin, Stride aStride, Stride bStride) {
  // A rank's part is taken for all the ranks' parts.
  int64_t aEnd = aBegin + getSpan(aStride) + a.bytes,
          bEnd = bBegin + getSpan(bStride) + b.bytes;
  if (aEnd <= bBegin || bEnd <= aBegin || a.last < b.first || b.last < a.first)
    return false;
  bool exact = aBegin == bBegin && aStride == bStride;
  if (a.last == b.first)
    return !(exact && mayOverwrite(b, a));
  if (b.last == a.first)
    return !(exact && mayOverwrite(a, b));
  return true;
}

bool Storages::collides(int64_t storage, Place where, int64_t data,
                        int64_t same) {
  auto areApart = [&](int64_t a, int64_t b) {
    int64_t aData = findData(a), bData = findData(b);
    if (aData == bData || (aData == data && bData == same))
      return true;
    Place aPlace = find(a), bPlace = find(b);
    return !conflicts(entries[a], where.offset + aPlace.offset, entries[b],
                      bPlace.offset, where.stride + aPlace.stride,
                      bPlace.stride);
  };
  // A stream of activations is written over layer by layer: of the larger
  // storage those are looked at, from the last one put there, before which some
  // may matter at the same time.
  const Entry &moved = entries[storage], &there = entries[where.storage];
  bool movesLess = moved.members.size() <= there.members.size();
  const Entry &small = movesLess ? moved : there,
              &large = movesLess ? there : moved;
  for (int64_t one : small.members)
    for (size_t i = large.members.size();
         i > 0 && large.reach[i - 1].overlaps(entries[one]); --i) {
      int64_t other = large.members[i - 1];
      if (movesLess ? !areApart(one, other) : !areApart(other, one))
        return true;
    }
  return false;
}

bool Storages::tryPut(Value value, Place where, Value same) {
  int64_t number = numbers.lookup(value);
  Place from = find(number);
  Entry &root = entries[from.storage];
  if (from.storage == where.storage)
    return from.offset == where.offset && from.stride == where.stride;
  if (root.fixed || from.offset || from.stride != Stride() ||
      root.bytes != entries[number].bytes)
    return false;
  int64_t data = findData(number),
          sameData = same ? findData(numbers.lookup(same)) : -1;
  if (collides(from.storage, where, data, sameData))
    return false;
  if (same)
    entries[data].data = sameData;
  unite(from.storage, where);
  return true;
}

void Storages::putOrCopy(OpOperand &operand, Place where, Value same) {
  if (numbers.contains(operand.get()) && tryPut(operand.get(), where, same))
    return;
  copies[&operand] = {where.storage, where};
}

//===----------------------------------------------------------------------===//
// The analysis
//===----------------------------------------------------------------------===//

int64_t Storages::getState(State state, FlatSymbolRefAttr group,
                           ShapedType type) {
  auto [found, isNew] =
      states.insert({{static_cast<int64_t>(state), group}, 0});
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
int64_t Storages::endOfUse(OpOperand &use) {
  Operation *user = use.getOwner();
  if (auto start = dyn_cast<zero::CollectiveOpInterface>(user))
    for (Operation *waits : start.getStartToken().getUsers())
      return position(waits);
  return position(user);
}

void Storages::measureLifetimes() {
  llvm::DenseSet<std::pair<int64_t, Attribute>> stored;
  for (auto store : program.getOps<zero::StoreOp>())
    stored.insert(
        {static_cast<int64_t>(store.getState()), store.getGroupAttr()});
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
      if (!stored.contains(
              {static_cast<int64_t>(load.getState()), load.getGroupAttr()}))
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
    return kernel.getResultAttr(result, "plan.accumulate") != nullptr;
  }
  return false;
}

void Storages::addViews(Operation &op) {
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
        State state = static_cast<State>(load.getState());
        unite(number,
              {getState(state, load.getGroupAttr(), load.getResult().getType()),
               0});
      });
}

LogicalResult Storages::pinStates() {
  for (auto store : program.getOps<zero::StoreOp>()) {
    Value value = store.getValue();
    int64_t state =
        getState(static_cast<State>(store.getState()), store.getGroupAttr(),
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
bool Storages::putAround(zero::AllGatherOp gather) {
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
void Storages::pinParts() {
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

bool Storages::tryShare(Value result, Value operand, bool always) {
  auto number = numbers.find(operand);
  if (number == numbers.end())
    return false;
  Place mine = getPlace(result), other = find(number->second);
  if (mine.storage == other.storage)
    return mine.offset == other.offset && mine.stride == other.stride;
  // The result moves to the operand, where that keeps no larger storage alive.
  if (entries[other.storage].bytes == entries[number->second].bytes &&
      tryPut(result, other, Value()))
    return true;
  // Or the operand is computed where the result is wanted, where that makes
  // no storage live longer, spares a copy, or lets most of the storage do
  // without a second one: a tied table's gradient lies in its bucket from the
  // head on, rather than beside it.
  Entry &target = entries[mine.storage];
  bool lives = target.facts.persistent ||
               2 * entries[number->second].bytes >= target.bytes ||
               target.reach.back().first <= entries[number->second].first;
  return (always || lives) && tryPut(operand, mine, Value());
}

void Storages::shareDying(Operation &op) {
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

LogicalResult Storages::run() {
  Block &body = program.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    Entry &entry =
        entries[add(argument, getBytes(cast<ShapedType>(argument.getType())))];
    entry.fixed = entry.facts.persistent = entry.facts.port = true;
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
      entries[find(source).storage].facts.communicates = true;
    }
    addViews(op);
  }
  for (Value result : body.getTerminator()->getOperands()) {
    StorageFacts &facts = entries[getPlace(result).storage].facts;
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
