//===- ValueSets.cpp - Values at places of buffers --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/plan/ValueSets.h"
#include "dialects/AttributeNames.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

SmallVector<int64_t> tessera::plan::getInPlaceArguments(func::FuncOp kernel,
                                                        int64_t result) {
  SmallVector<int64_t> arguments;
  Attribute attribute = kernel.getResultAttr(result, inPlaceAttrName);
  if (auto array = dyn_cast_if_present<DenseI64ArrayAttr>(attribute))
    llvm::append_range(arguments, array.asArrayRef());
  else if (auto array = dyn_cast_if_present<ArrayAttr>(attribute))
    for (auto argument : array.getAsRange<IntegerAttr>())
      arguments.push_back(argument.getInt());
  return arguments;
}

ValueSets::ValueSets(func::FuncOp program, int64_t world)
    : program(program), world(world),
      shards(zero::getShardRanks(program).value_or(world)),
      secondary(zero::getRanks(program, zero::Axis::Secondary).value_or(1)) {}

Stride ValueSets::getPartStride(zero::Axis axis, int64_t bytes) {
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
// Buffers as sets of values
//===----------------------------------------------------------------------===//

int64_t ValueSets::add(Value value, int64_t bytes) {
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

Place ValueSets::find(int64_t number) {
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

int64_t ValueSets::findData(int64_t number) {
  while (entries[number].data != number)
    number = entries[number].data = entries[entries[number].data].data;
  return number;
}

void ValueSets::append(Entry &root, ArrayRef<int64_t> members) {
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

void ValueSets::unite(int64_t child, Place where) {
  Entry &from = entries[child], &into = entries[where.set];
  from.parent = where.set;
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

Place ValueSets::getPlace(Value value) { return find(numbers.lookup(value)); }

Place ValueSets::getTarget(OpOperand &operand) {
  auto [number, where] = copies.lookup(&operand);
  Place base = find(number);
  return {base.set, base.offset + where.offset, base.stride + where.stride};
}

Place ValueSets::getKept(zero::KeepOp keep) {
  Place place = getPlace(keep.getInput());
  place.stride =
      place.stride +
      getPartStride(keep.getAxis(), getBytes(keep.getResult().getType()));
  return place;
}

void ValueSets::makeView(Value view, Value of, int64_t offset, Stride stride) {
  int64_t child = numbers.lookup(view), parent = numbers.lookup(of);
  Place place = find(parent);
  entries[findData(child)].data = findData(parent);
  unite(child, {place.set, place.offset + offset, place.stride + stride});
}

//===----------------------------------------------------------------------===//
// When values may share bytes
//===----------------------------------------------------------------------===//

/// True where the operation that makes `next` may write it over `previous`,
/// which it reads last: each operand with that data must be one that the
/// kernel lets be overwritten.
bool ValueSets::mayOverwrite(const Entry &next, const Entry &previous) {
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

bool ValueSets::conflicts(const Entry &a, int64_t aBegin, const Entry &b,
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

bool ValueSets::collides(int64_t set, Place where, int64_t data, int64_t same) {
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
  // set those are looked at, from the last one put there, before which some
  // may matter at the same time.
  const Entry &moved = entries[set], &there = entries[where.set];
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

bool ValueSets::tryPut(Value value, Place where, Value same) {
  int64_t number = numbers.lookup(value);
  Place from = find(number);
  Entry &root = entries[from.set];
  if (from.set == where.set)
    return from.offset == where.offset && from.stride == where.stride;
  if (root.fixed || from.offset || from.stride != Stride() ||
      root.bytes != entries[number].bytes)
    return false;
  int64_t data = findData(number),
          sameData = same ? findData(numbers.lookup(same)) : -1;
  if (collides(from.set, where, data, sameData))
    return false;
  if (same)
    entries[data].data = sameData;
  unite(from.set, where);
  return true;
}

void ValueSets::putOrCopy(OpOperand &operand, Place where, Value same) {
  if (numbers.contains(operand.get()) && tryPut(operand.get(), where, same))
    return;
  copies[&operand] = {where.set, where};
}
