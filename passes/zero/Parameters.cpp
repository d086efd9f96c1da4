//===- Parameters.cpp - Parameters as views of their groups -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/zero/Groups.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::zero;

namespace {

/// One place where a parameter is read.
struct Use {
  Operation *user;
  OpOperand *operand;
  unsigned group;
};

/// A range of the program over which a group is there as a whole.
struct Run {
  unsigned group;
  SmallVector<Use> uses = {};
};

class ParameterViews {
public:
  ParameterViews(func::FuncOp function, Groups &groups, bool gather)
      : function(function), block(function.getBody().front()), groups(groups),
        gather(gather) {}

  LogicalResult collectUses();
  void formRuns();
  void writeRuns(const Grid &grid);
  void eraseForms();
  int64_t getGatherCount();

private:
  /// Whether the group is whole only where it is used.
  bool isGathered(unsigned group) {
    return gather && !groups.groups[group].op.getPersistent();
  }
  LogicalResult collectUses(Value value, unsigned group);
  Value writeGather(OpBuilder &builder, Group &group, Value shard, Value &kept,
                    bool isLast, const Grid &grid);
  Value rebuild(OpBuilder &builder, Value value, Value whole,
                DenseMap<Value, Value> &made);

  func::FuncOp function;
  Block &block;
  Groups &groups;
  bool gather;
  SmallVector<Operation *> forms;
  SmallVector<Use> uses;
  SmallVector<Run> runs;
};

} // namespace

LogicalResult ParameterViews::collectUses(Value value, unsigned group) {
  forms.push_back(value.getDefiningOp());
  for (OpOperand &operand : value.getUses()) {
    Operation *user = operand.getOwner();
    if (isForm(user)) {
      if (failed(collectUses(user->getResult(0), group)))
        return failure();
      continue;
    }
    uses.push_back({user, &operand, group});
  }
  return success();
}

LogicalResult ParameterViews::collectUses() {
  DenseMap<StringAttr, Value> values;
  for (auto read :
       llvm::make_early_inc_range(block.getOps<nn::GetParameterOp>())) {
    Value &value = values[read.getParameterAttr().getAttr()];
    if (value) {
      read.replaceAllUsesWith(value);
      read.erase();
    } else {
      value = read;
    }
  }
  for (auto read : block.getOps<nn::GetParameterOp>()) {
    Place place = groups.places.at(read.getParameterAttr().getAttr());
    if (failed(collectUses(read.getResult(), place.group)))
      return failure();
  }
  llvm::sort(uses, [](const Use &a, const Use &b) {
    if (a.user == b.user)
      return a.operand->getOperandNumber() < b.operand->getOperandNumber();
    return a.user->isBeforeInBlock(b.user);
  });
  if (!gather)
    return success();
  auto sections = block.getOps<nn::SectionOp>();
  if (sections.empty() || uses.empty())
    return success();
  Operation *last = uses.back().user;
  if ((*sections.begin())->isBeforeInBlock(last))
    return last->emitOpError("reads a parameter after the first section: "
                             "parameters may be read in micro-batches alone");
  return success();
}

/// A layer's turn goes on until another layer is used; in it, each of the
/// layer's groups has one run.
void ParameterViews::formRuns() {
  constexpr int none = -1;
  SmallVector<int> open(groups.groups.size(), none);
  DenseMap<unsigned, Operation *> lastUser;
  Operation *previous = nullptr, *current = nullptr;
  for (const Use &use : uses) {
    if (isGathered(use.group)) {
      if (use.user != current) {
        previous = current;
        current = use.user;
      }
      unsigned layer = groups.groups[use.group].layer;
      Operation *&last = lastUser[layer];
      if (last != previous && last != current)
        for (auto [group, run] : llvm::zip(groups.groups, open))
          if (group.layer == layer)
            run = none;
      last = current;
    }
    int &run = open[use.group];
    if (run == none) {
      run = runs.size();
      runs.push_back({use.group});
    }
    runs[run].uses.push_back(use);
  }
}

int64_t ParameterViews::getGatherCount() {
  return llvm::count_if(runs,
                        [&](const Run &run) { return isGathered(run.group); });
}

/// \p value, a form of a parameter, made from the group's \p whole parameters
/// at the builder's place, or as \p made before.
Value ParameterViews::rebuild(OpBuilder &builder, Value value, Value whole,
                              DenseMap<Value, Value> &made) {
  if (Value known = made.lookup(value))
    return known;
  Operation *form = value.getDefiningOp();
  Value result;
  if (auto read = dyn_cast<nn::GetParameterOp>(form)) {
    Place place = groups.places.at(read.getParameterAttr().getAttr());
    auto type = cast<RankedTensorType>(value.getType());
    auto flat = type.clone({type.getNumElements()});
    result =
        nn::SliceOp::create(builder, read.getLoc(), flat, whole, place.offset);
    if (type != flat)
      result = nn::ReshapeOp::create(builder, read.getLoc(), type, result);
  } else {
    IRMapping mapping;
    mapping.map(form->getOperand(0),
                rebuild(builder, form->getOperand(0), whole, made));
    result = builder.clone(*form, mapping)->getResult(0);
  }
  made[value] = result;
  return result;
}

/// The whole \p group, gathered from what ranks have \p kept of it, or else
/// from the states' \p shard; then a part is kept unless the gather \p isLast.
Value ParameterViews::writeGather(OpBuilder &builder, Group &group, Value shard,
                                  Value &kept, bool isLast, const Grid &grid) {
  Location loc = group.op.getLoc();
  Value source = kept ? kept : shard;
  if (grid.quantized && !kept)
    source = QuantizeOp::create(builder, loc, shard);
  auto start = AllGatherOp::create(
      builder, loc, group.getName(), source,
      kept ? grid.secondary : grid.shards, /*in_place=*/false,
      kept ? Axis::Secondary : grid.getShardAxis());
  Value whole =
      WaitOp::create(builder, loc, start.getResult(), start.getToken());
  if (!isLast && grid.secondary && !kept) {
    auto type = cast<RankedTensorType>(whole.getType());
    kept = KeepOp::create(builder, loc,
                          type.clone({type.getNumElements() / grid.secondary}),
                          whole, Axis::Secondary);
  }
  if (grid.quantized)
    whole =
        DequantizeOp::create(builder, loc, group.getType(), whole, grid.shards);
  return whole;
}

void ParameterViews::writeRuns(const Grid &grid) {
  OpBuilder builder(function.getContext());
  builder.setInsertionPointToStart(&block);
  SmallVector<Value> states(groups.groups.size());
  for (const Run &run : runs) {
    Value &state = states[run.group];
    if (state)
      continue;
    Group &group = groups.groups[run.group];
    RankedTensorType type = group.getType();
    if (isGathered(run.group))
      type = type.clone({group.getPadded() / grid.shards});
    state = LoadOp::create(builder, group.op.getLoc(), type,
                           ZeroDialect::parameterState, group.getName());
  }

  SmallVector<int64_t> left(groups.groups.size(), 0);
  for (const Run &run : runs)
    ++left[run.group];
  // What each rank keeps from the first run for those that are left.
  SmallVector<Value> keeps(groups.groups.size());
  for (const Run &run : runs) {
    Group &group = groups.groups[run.group];
    Location loc = group.op.getLoc();
    Value whole = states[run.group];
    if (isGathered(run.group)) {
      builder.setInsertionPoint(run.uses.front().user);
      whole = writeGather(builder, group, whole, keeps[run.group],
                          /*isLast=*/--left[run.group] == 0, grid);
    }
    DenseMap<Value, Value> made;
    for (const Use &use : run.uses) {
      builder.setInsertionPoint(use.user);
      use.operand->set(rebuild(builder, use.operand->get(), whole, made));
    }
    if (isGathered(run.group)) {
      builder.setInsertionPointAfter(run.uses.back().user);
      ReleaseOp::create(builder, loc, whole);
    }
  }
}

void ParameterViews::eraseForms() {
  llvm::sort(forms,
             [](Operation *a, Operation *b) { return b->isBeforeInBlock(a); });
  for (Operation *form : forms)
    form->erase();
}

FailureOr<int64_t> zero::partitionParameters(func::FuncOp function,
                                             Groups &groups, int64_t stage,
                                             const Grid &grid) {
  ParameterViews views(function, groups, grid.world > 1 && stage == 3);
  if (failed(views.collectUses()))
    return failure();
  views.formRuns();
  views.writeRuns(grid);
  views.eraseForms();
  return views.getGatherCount();
}
