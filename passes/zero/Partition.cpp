//===- Partition.cpp - Partition the training step --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "dialects/nn/WhileTraining.h"
#include "dialects/plan/Within.h"
#include "dialects/spec/Spec.h"
#include "passes/zero/Groups.h"
#include "passes/zero/Passes.h"
#include "runtime/program/SlotNames.h"
#include "target/Target.h"

namespace tessera::zero {
#define GEN_PASS_DEF_ZEROPARTITION
#include "passes/zero/Passes.h.inc"
} // namespace tessera::zero

using namespace mlir;
using namespace tessera;
using namespace tessera::zero;

namespace {

/// Rewrites `@train`, whose parameters are views already.
class StepPartitioner {
public:
  StepPartitioner(func::FuncOp step, Groups &groups, int64_t stage,
                  const Grid &grid, optimizer::OptimizerAttrInterface optimizer,
                  bool sumsByKernel)
      : step(step), block(step.getBody().front()), groups(groups),
        stage(grid.world == 1 ? 0 : stage), grid(grid), optimizer(optimizer),
        builder(step.getContext()), sumsByKernel(sumsByKernel) {}

  LogicalResult run();

private:
  LogicalResult collect();
  LogicalResult collectGradients();
  void reduceGradients();
  Value reduceOverReplicas(Group &group, Value shard);
  void reduceLoss();
  void reduceNorm();
  Value addClassEnds();
  void update();

  /// The place behind the definitions of all \p values.
  void setInsertionPointAfter(ArrayRef<Value> values);
  /// The awaited result of the collective \p start.
  Value await(CollectiveOpInterface start) {
    return WaitOp::create(builder, start.getLoc(), start.getDestination(),
                          start.getStartToken());
  }
  /// \p type, of a whole group, or the type of one rank's part of it.
  RankedTensorType partType(RankedTensorType type, bool sharded) {
    return sharded ? type.clone({type.getNumElements() / grid.shards}) : type;
  }

  func::FuncOp step;
  Block &block;
  Groups &groups;
  int64_t stage;
  Grid grid;
  optimizer::OptimizerAttrInterface optimizer;
  OpBuilder builder;
  /// A running sum is a kernel's, not a collective's.
  bool sumsByKernel;

  nn::SectionOp reduce, updates;
  nn::SumSquaresOp squares;
  unsigned lossIndex = 0;
  /// A group's gradients, in the order of its parameters.
  SmallVector<SmallVector<Value>> gradients;
  /// The reduced gradient of each group: this rank's part of it, and what the
  /// optimizer takes.
  SmallVector<Value> parts, reduced;
  bool accumulates = false;
  Value clip, hyper;
};

} // namespace

static nn::SectionOp findSection(Block &block, StringRef name) {
  for (auto section : block.getOps<nn::SectionOp>())
    if (section.getName() == name)
      return section;
  return nullptr;
}

LogicalResult StepPartitioner::collect() {
  reduce = findSection(block, "reduce");
  updates = findSection(block, "update");
  if (!reduce || !updates || updates->isBeforeInBlock(reduce))
    return step.emitOpError(
        "must have a section \"reduce\" and after it a section \"update\"");
  std::optional<unsigned> index;
  for (unsigned i = 0; i < step.getNumResults(); ++i) {
    auto name = step.getResultAttrOfType<StringAttr>(i, outputAttrName);
    if (name && name.getValue() == runtime::slotNames::loss)
      index = i;
  }
  if (!index)
    return step.emitOpError("must return its loss: a result with nn.output = "
                            "\"loss\"");
  lossIndex = *index;
  return collectGradients();
}

/// The gradient of each parameter, from its update.
LogicalResult StepPartitioner::collectGradients() {
  DenseMap<StringAttr, nn::UpdateOp> byName;
  for (auto update : block.getOps<nn::UpdateOp>()) {
    if (clip && (clip != update.getClip() || hyper != update.getHyper()))
      return update.emitOpError("has another clip or hyper than the updates "
                                "before it");
    clip = update.getClip();
    hyper = update.getHyper();
    if (!byName.try_emplace(update.getParameterAttr().getAttr(), update).second)
      return update.emitOpError("updates ")
             << update.getParameterAttr() << " a second time";
  }
  SmallVector<Value> all;
  bool whole = false;
  for (Group &group : groups.groups) {
    SmallVector<Value> &values = gradients.emplace_back();
    for (nn::ParameterOp parameter : group.parameters) {
      nn::UpdateOp update = byName.lookup(parameter.getSymNameAttr());
      if (!update)
        return parameter.emitOpError("has no update in @train");
      Value gradient = update.getGradient();
      bool sum = gradient.getDefiningOp<nn::AccumulateOp>() != nullptr;
      (sum ? accumulates : whole) = true;
      if (accumulates && whole)
        return update.emitOpError(
            "takes its gradient from one micro-batch, while another takes it "
            "from all: nn.accumulate must be on each or on none");
      values.push_back(gradient);
      all.push_back(gradient);
    }
  }
  auto sorted = [](ValueRange values) {
    SmallVector<void *> result;
    for (Value value : values)
      result.push_back(value.getAsOpaquePointer());
    llvm::sort(result);
    return result;
  };
  for (auto op : block.getOps<nn::SumSquaresOp>()) {
    if (squares || op->isBeforeInBlock(reduce) ||
        updates->isBeforeInBlock(op) || sorted(op.getInputs()) != sorted(all))
      return op.emitOpError("must be the only one, in section \"reduce\", and "
                            "take each gradient once and nothing else");
    squares = op;
  }
  return success();
}

void StepPartitioner::setInsertionPointAfter(ArrayRef<Value> values) {
  Operation *last = nullptr;
  for (Value value : values)
    if (Operation *op = value.getDefiningOp())
      if (!last || last->isBeforeInBlock(op))
        last = op;
  if (last)
    builder.setInsertionPointAfter(last);
  else
    builder.setInsertionPointToStart(&block);
}

/// Buckets, and their sums over the ranks. Where the gradient is whole a
/// micro-batch's is summed before it is sent; where it is sharded each
/// micro-batch's is sent, and the parts are summed.
void StepPartitioner::reduceGradients() {
  bool sharded = stage >= 2;
  if (accumulates && !sharded)
    builder.setInsertionPointAfter(reduce);
  for (auto [index, group] : llvm::enumerate(groups.groups)) {
    Location loc = group.op.getLoc();
    SmallVector<Value> values = gradients[index];
    if (accumulates && sharded)
      for (Value &value : values)
        value = value.getDefiningOp<nn::AccumulateOp>().getInput();
    if (!accumulates || sharded)
      setInsertionPointAfter(values);
    auto bucket = BucketOp::create(
        builder, loc,
        group.getType().clone(getElementTypeOrSelf(values.front())),
        group.getName(), values);
    if (!sharded)
      StoreOp::create(builder, loc, ZeroDialect::gradientState, group.getName(),
                      bucket);
    Value part = bucket;
    bool sums = sharded && accumulates;
    if (grid.world > 1)
      part = await(ReduceScatterOp::create(
          builder, loc, group.getName(), bucket, grid.shards,
          /*in_place=*/!sharded, /*accumulate=*/sums && !sumsByKernel,
          grid.getShardAxis()));
    if (sums && sumsByKernel)
      part = nn::AccumulateOp::create(builder, loc, part);
    if (sharded)
      StoreOp::create(builder, loc, ZeroDialect::gradientState, group.getName(),
                      part);
    // A running sum goes to the other replicas once it is complete.
    if (!sharded || !accumulates)
      part = reduceOverReplicas(group, part);
    parts.push_back(part);
  }
  if (sharded && accumulates) {
    builder.setInsertionPointAfter(reduce);
    for (auto [group, part] : llvm::zip(groups.groups, parts))
      part = reduceOverReplicas(group, part);
  }

  reduced = parts;
  if (grid.world == 1 || stage > 0)
    return;
  // Stage 0 updates the whole group on each rank.
  if (!accumulates)
    builder.setInsertionPointAfter(reduce);
  for (auto [group, whole] : llvm::zip(groups.groups, reduced))
    whole = await(AllGatherOp::create(builder, group.op.getLoc(),
                                      group.getName(), whole, grid.shards,
                                      /*in_place=*/true, grid.getShardAxis()));
}

/// The sum of \p shard over the replicas, in its place: each sums a part of it
/// and gathers the others' parts.
Value StepPartitioner::reduceOverReplicas(Group &group, Value shard) {
  int64_t replicas = grid.getReplicas();
  if (replicas == 1)
    return shard;
  Location loc = group.op.getLoc();
  Value part = await(ReduceScatterOp::create(
      builder, loc, group.getName(), shard, replicas, /*in_place=*/true,
      /*accumulate=*/false, Axis::Replicas));
  return await(AllGatherOp::create(builder, loc, group.getName(), part,
                                   replicas, /*in_place=*/true,
                                   Axis::Replicas));
}

void StepPartitioner::reduceLoss() {
  Operation *end = block.getTerminator();
  if (grid.world == 1)
    return;
  builder.setInsertionPointAfter(reduce);
  Value loss = end->getOperand(lossIndex);
  end->setOperand(lossIndex,
                  await(AllReduceOp::create(builder, loss.getLoc(), loss)));
}

void StepPartitioner::reduceNorm() {
  if (!squares)
    return;
  builder.setInsertionPoint(squares);
  Value sum = nn::SumSquaresOp::create(builder, squares.getLoc(),
                                       squares.getResult().getType(), parts);
  if (grid.world > 1)
    sum = await(AllReduceOp::create(builder, squares.getLoc(), sum,
                                    grid.getShardAxis()));
  squares.replaceAllUsesWith(sum);
  squares.erase();
}

/// The input that says where each class of each group ends on this rank.
Value StepPartitioner::addClassEnds() {
  int64_t count = groups.groups.size() * (groups.classes.size() - 1);
  unsigned argument = step.getNumArguments();
  (void)step.insertArgument(
      argument, RankedTensorType::get({count}, builder.getI64Type()),
      builder.getDictionaryAttr(builder.getNamedAttr(
          inputAttrName, builder.getStringAttr(runtime::slotNames::classEnds))),
      NameLoc::get(builder.getStringAttr(runtime::slotNames::classEnds)));
  return step.getArgument(argument);
}

void StepPartitioner::update() {
  Value ends = addClassEnds();
  int64_t endsPerGroup = groups.classes.size() - 1;
  DenseMap<StringAttr, Value> parameters;
  for (auto load : block.getOps<LoadOp>())
    parameters[load.getGroupAttr().getAttr()] = load;

  builder.setInsertionPoint(block.getTerminator());
  for (auto [index, group] : llvm::enumerate(groups.groups)) {
    Location loc = group.op.getLoc();
    StringRef name = group.getName();
    bool mixed = group.isMixed();
    bool persistent = group.op.getPersistent();
    // Of the parameters that a rank keeps it updates a part.
    bool partial = stage == 1 || stage == 2 || (stage == 3 && persistent);
    auto load = [&](StringRef state, bool sharded) -> Value {
      return LoadOp::create(
          builder, loc, partType(group.getMasterType(), sharded), state, name);
    };
    Value parameter;
    if (mixed)
      parameter = load(ZeroDialect::masterState, stage >= 1);
    else if (!(parameter = parameters.lookup(group.op.getSymNameAttr())))
      parameter = load(ZeroDialect::parameterState, stage == 3 && !persistent);
    if (!mixed && partial)
      parameter =
          AllSliceOp::create(builder, loc, partType(group.getType(), true),
                             parameter, grid.getShardAxis());
    SmallVector<Value> states;
    for (const optimizer::State &state : optimizer.getStates())
      states.push_back(load(state.name, stage >= 1));
    Value end = nn::SliceOp::create(
        builder, loc,
        RankedTensorType::get({endsPerGroup}, builder.getI64Type()), ends,
        index * endsPerGroup);
    auto next = UpdateOp::create(
        builder, loc, group.op, parameter, reduced[index], states, clip, hyper,
        end, groups.classes, optimizer,
        mixed ? Type(partType(group.getType(), stage >= 1)) : Type());
    for (auto [state, value] :
         llvm::zip(optimizer.getStates(), next.getNextStates()))
      StoreOp::create(builder, loc, state.name, name, value);
    Value whole = next.getNextParameter();
    if (mixed) {
      StoreOp::create(builder, loc, ZeroDialect::masterState, name, whole);
      whole = next.getRounded();
    }
    if (partial)
      whole =
          await(AllGatherOp::create(builder, loc, name, whole, grid.shards,
                                    /*in_place=*/true, grid.getShardAxis()));
    StoreOp::create(builder, loc, ZeroDialect::parameterState, name, whole);
  }

  for (auto op : llvm::make_early_inc_range(block.getOps<nn::UpdateOp>()))
    op.erase();
  for (auto op : llvm::make_early_inc_range(block.getOps<nn::AccumulateOp>()))
    if (op->use_empty())
      op.erase();
}

LogicalResult StepPartitioner::run() {
  if (failed(collect()))
    return failure();
  reduceLoss();
  reduceGradients();
  reduceNorm();
  update();
  return success();
}

namespace {

struct ZeroPartition : zero::impl::ZeroPartitionBase<ZeroPartition> {
  using ZeroPartitionBase::ZeroPartitionBase;

  void runOnOperation() override {
    if (failed(verifyPrograms(getOperation())))
      return signalPassFailure();
    if (failed(partition()))
      signalPassFailure();
  }

  LogicalResult partition() {
    ModuleOp module = getOperation();
    spec::ParallelAttr parallel = spec::getParallel(module);
    int64_t zeroStage = stage < 0 ? parallel.getZeroStage() : stage;
    int64_t ranks = world <= 0 ? parallel.getWorld() : world;
    if (zeroStage < 0 || zeroStage > 3)
      return module.emitError("there is no ZeRO stage ")
             << zeroStage << ": it must be 0, 1, 2 or 3";
    int64_t shards =
        shardRanks <= 0 ? parallel.getShardRanks().value_or(ranks) : shardRanks;
    if (shards < 1 || ranks % shards != 0 || (shards == 1 && ranks > 1))
      return module.emitError("a shard group cannot have ")
             << shards << " of " << ranks
             << " ranks: their number must divide the world, and be above 1";
    int64_t secondary = secondaryRanks < 0
                            ? parallel.getSecondaryRanks().value_or(0)
                            : secondaryRanks;
    if (secondary < 0 || secondary == 1 ||
        (secondary && shards % secondary != 0))
      return module.emitError("parameters cannot be kept among ")
             << secondary << " of " << shards
             << " ranks: their number must divide these, and be above 1";
    bool quantizes = quantizedGathers < 0 ? parallel.getQuantizedGathers()
                                          : quantizedGathers > 0;
    FailureOr<optimizer::Settings> settings = spec::getOptimizer(module);
    const Target *target = getTarget(module);
    if (failed(settings) || !target)
      return failure();
    StringRef main = spec::getMainProgram(module);
    auto step = module.lookupSymbol<func::FuncOp>(main);
    if (!step)
      return module.emitError("no function @")
             << main << ": run the phase train first";
    // What generates does so on one rank.
    bool isTrained = !spec::getGeneration(module);

    FailureOr<Groups> groups =
        createGroups(step, isTrained ? ranks : 1, getLimits(), *settings);
    if (failed(groups))
      return failure();
    numGroups += groups->groups.size();
    Grid grid = {ranks, shards, zeroStage == 3 ? secondary : 0, quantizes};
    if (isTrained && failed(addValidation(step)))
      return failure();
    for (auto function : module.getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      lowerCaches(function);
      bool distributed =
          isTrained && (function == step || plan::getWithin(function));
      FailureOr<int64_t> gathers =
          partitionParameters(function, *groups, distributed ? zeroStage : 0,
                              distributed ? grid : Grid());
      if (failed(gathers))
        return failure();
      numGathers += *gathers;
      setProgram(function, distributed ? zeroStage : 0,
                 distributed ? grid : Grid());
    }
    if (!isTrained)
      return success();
    return StepPartitioner(step, *groups, zeroStage, grid, settings->optimizer,
                           target->sumsByKernel())
        .run();
  }

  /// The program that is run while training goes on, by the ranks that train
  /// and of their parts of the parameters.
  static LogicalResult addValidation(func::FuncOp step) {
    auto module = step->getParentOfType<ModuleOp>();
    for (auto function : llvm::to_vector(module.getOps<func::FuncOp>())) {
      if (!function->removeAttr(whileTrainingAttrName))
        continue;
      if (module.lookupSymbol("validate"))
        return function.emitOpError("is run while training goes on, but there "
                                    "is a function @validate already");
      OpBuilder builder(step.getContext());
      builder.setInsertionPointAfter(function);
      auto validate = cast<func::FuncOp>(builder.clone(*function));
      validate.setName("validate");
      validate->setAttr(plan::withinAttrName,
                        FlatSymbolRefAttr::get(step.getSymNameAttr()));
    }
    return success();
  }

  /// A cache is a state that programs load and store.
  static void lowerCaches(func::FuncOp function) {
    for (Operation &op :
         llvm::make_early_inc_range(function.getBody().front())) {
      OpBuilder builder(&op);
      auto flatten = [](RankedTensorType type) {
        return type.clone({type.getNumElements()});
      };
      if (auto read = dyn_cast<nn::GetCacheOp>(op)) {
        RankedTensorType type = read.getResult().getType();
        Value flat = LoadOp::create(builder, op.getLoc(), flatten(type),
                                    ZeroDialect::cacheState,
                                    read.getCacheAttr().getAttr());
        read.replaceAllUsesWith(
            nn::ReshapeOp::create(builder, op.getLoc(), type, flat)
                .getResult());
        read.erase();
      } else if (auto write = dyn_cast<nn::SetCacheOp>(op)) {
        Value flat = nn::ReshapeOp::create(builder, op.getLoc(),
                                           flatten(write.getValue().getType()),
                                           write.getValue());
        StoreOp::create(builder, op.getLoc(), ZeroDialect::cacheState,
                        write.getCacheAttr().getAttr(), flat);
        write.erase();
      }
    }
  }

  GroupLimits getLimits() {
    spec::ParallelAttr parallel = spec::getParallel(getOperation());
    auto choose = [](int64_t option, int64_t specified) {
      return option < 0 ? specified : option;
    };
    return {choose(bucketBytes, parallel.getBucketBytes()),
            choose(gatherBytes, parallel.getGatherBytes()),
            choose(persistenceThreshold, parallel.getPersistenceThreshold())};
  }

  static void setProgram(func::FuncOp function, int64_t stage,
                         const Grid &grid) {
    Builder builder(function.getContext());
    function->setAttr(ZeroDialect::stageAttrName,
                      builder.getI64IntegerAttr(stage));
    function->setAttr(ZeroDialect::worldAttrName,
                      builder.getI64IntegerAttr(grid.world));
    if (grid.shards != grid.world)
      function->setAttr(ZeroDialect::shardRanksAttrName,
                        builder.getI64IntegerAttr(grid.shards));
    if (grid.secondary)
      function->setAttr(ZeroDialect::secondaryRanksAttrName,
                        builder.getI64IntegerAttr(grid.secondary));
  }
};

} // namespace
