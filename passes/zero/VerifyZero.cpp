//===- VerifyZero.cpp - The contract of the phase zero ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Contracts.h"
#include "dialects/spec/Spec.h"
#include "passes/zero/Passes.h"

namespace tessera::zero {
#define GEN_PASS_DEF_VERIFYZERO
#include "passes/zero/Passes.h.inc"
} // namespace tessera::zero

using namespace mlir;
using namespace tessera;
using namespace tessera::zero;

namespace {

/// Checks one program.
class ProgramVerifier {
public:
  ProgramVerifier(func::FuncOp program, SymbolTable &symbols)
      : program(program), block(program.getBody().front()), symbols(symbols) {
    nn::SectionOp section;
    for (Operation &op : block) {
      if (auto next = dyn_cast<nn::SectionOp>(op))
        section = next;
      sections[&op] = section;
    }
  }

  LogicalResult run();

private:
  LogicalResult verifyStraightLine();
  LogicalResult verifyCollective(CollectiveOpInterface start);
  LogicalResult verifyUpdates();
  LogicalResult verifyStates();
  LogicalResult verifyWholeGradients();
  LogicalResult verifyReplicas();
  LogicalResult verifyWholeParameters();
  LogicalResult verifyQuantized();
  LogicalResult verifyGathered(AllGatherOp gather);

  /// The section that \p op stands in; null for micro-batches.
  nn::SectionOp getSection(Operation *op) const { return sections.lookup(op); }
  /// Whether a rank keeps only its part of the group's state.
  bool isSharded(StringRef state, GroupOp group);

  func::FuncOp program;
  Block &block;
  SymbolTable &symbols;
  DenseMap<Operation *, nn::SectionOp> sections;
  int64_t world = 1, shards = 1, stage = 0;
};

} // namespace

bool ProgramVerifier::isSharded(StringRef state, GroupOp group) {
  if (state == ZeroDialect::parameterState)
    return stage >= 3 && !group.getPersistent();
  // The master and the optimizer's states.
  return stage >= (state == ZeroDialect::gradientState ? 2 : 1);
}

LogicalResult ProgramVerifier::verifyStraightLine() {
  WalkResult result = program.walk([&](Operation *op) {
    if (isa<nn::GetParameterOp, nn::UpdateOp, nn::GetCacheOp, nn::SetCacheOp>(
            op)) {
      op->emitOpError("is left in the phase zero: parameters are views of "
                      "their groups, and updated with them");
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult ProgramVerifier::verifyCollective(CollectiveOpInterface start) {
  if (world == 1)
    return start.emitOpError("has nobody to communicate with: its program runs "
                             "on one rank");
  Value token = start.getStartToken();
  if (token.use_empty())
    return start.emitOpError("is never awaited");
  if (!token.hasOneUse()) {
    InFlightDiagnostic diagnostic =
        start.emitOpError("is awaited more than once");
    for (Operation *user : token.getUsers())
      diagnostic.attachNote(user->getLoc()) << "here";
    return diagnostic;
  }
  Operation *wait = *token.user_begin();
  for (Operation *user : start.getDestination().getUsers())
    if (user != wait)
      return user->emitOpError("uses the result of a collective that is still "
                               "under way: it must use its zero.wait")
                 .attachNote(start.getLoc())
             << "the collective starts here";
  if (getSection(start) != getSection(wait))
    return wait->emitOpError("stands in another section than its collective's "
                             "start: sections run different numbers of times")
               .attachNote(start.getLoc())
           << "the collective starts here";
  return success();
}

/// Each group has one update, and its states are stored once.
LogicalResult ProgramVerifier::verifyUpdates() {
  DenseMap<StringAttr, UpdateOp> updates;
  for (auto update : block.getOps<UpdateOp>()) {
    if (!update.getGroupAttr())
      return update.emitOpError("must name the group that it updates");
    auto [position, inserted] =
        updates.try_emplace(update.getGroupAttr().getAttr(), update);
    if (!inserted)
      return update.emitOpError("updates ")
                 .append(update.getGroupAttr(), " a second time")
                 .attachNote(position->second.getLoc())
             << "the first update is here";
  }
  DenseMap<std::pair<StringAttr, StringAttr>, StoreOp> stores;
  for (auto store : block.getOps<StoreOp>()) {
    auto key = std::pair(store.getGroupAttr().getAttr(), store.getStateAttr());
    auto [position, inserted] = stores.try_emplace(key, store);
    if (!inserted)
      return store.emitOpError("stores ")
                 .append(store.getState(), " of ", store.getGroupAttr(),
                         " a second time")
                 .attachNote(position->second.getLoc())
             << "the first store is here";
  }
  for (auto group : symbols.getOp()->getRegion(0).getOps<GroupOp>()) {
    if (!updates.contains(group.getSymNameAttr()))
      return group.emitOpError("has no update in @train");
    UpdateOp update = updates[group.getSymNameAttr()];
    SmallVector<StringRef> states = {ZeroDialect::parameterState,
                                     ZeroDialect::gradientState};
    for (const optimizer::State &state : update.getOptimizer().getStates())
      states.push_back(state.name);
    if (update.getRounded())
      states.push_back(ZeroDialect::masterState);
    for (StringRef state : states)
      if (!stores.erase({group.getSymNameAttr(),
                         StringAttr::get(group.getContext(), state)}))
        return group.emitOpError("has its ")
               << state << " never stored in @train";
  }
  // In the order of the program.
  for (auto store : block.getOps<StoreOp>())
    if (stores.contains({store.getGroupAttr().getAttr(), store.getStateAttr()}))
      return store.emitOpError("stores ")
             << store.getState() << " of " << store.getGroupAttr()
             << ", which its optimizer does not keep";
  return success();
}

/// States have the sizes that the stage gives them.
LogicalResult ProgramVerifier::verifyStates() {
  auto check = [&](Operation *op, StringRef state, StringRef name,
                   Value value) -> LogicalResult {
    // Its verifier knows its size.
    if (state == ZeroDialect::cacheState)
      return success();
    auto group = symbols.lookup<GroupOp>(name);
    int64_t expected = isSharded(state, group)
                           ? static_cast<int64_t>(group.getPadded()) / shards
                           : static_cast<int64_t>(group.getPadded());
    int64_t count = cast<ShapedType>(value.getType()).getNumElements();
    if (count == expected)
      return success();
    return op->emitOpError("has ")
           << count << " elements of the " << state << ", but in stage "
           << stage << " on " << shards << " ranks a rank keeps " << expected;
  };
  for (Operation &op : block) {
    if (auto load = dyn_cast<LoadOp>(op)) {
      if (failed(
              check(load, load.getState(), load.getGroup(), load.getResult())))
        return failure();
    } else if (auto store = dyn_cast<StoreOp>(op)) {
      if (failed(check(store, store.getState(), store.getGroup(),
                       store.getValue())))
        return failure();
    }
  }
  return success();
}

/// From stage 2 on a whole gradient is there for its reduce-scatter alone.
LogicalResult ProgramVerifier::verifyWholeGradients() {
  for (auto bucket : block.getOps<BucketOp>()) {
    int64_t count = 0;
    for (Operation *user : bucket->getUsers()) {
      bool scatter = isa<ReduceScatterOp>(user);
      count += scatter;
      if (stage >= 2 && (!scatter || cast<ReduceScatterOp>(user).getInPlace()))
        return user->emitOpError("keeps a whole gradient, but in stage ")
               << stage << " a rank keeps its part alone";
    }
    if (world > 1 && count != 1)
      return bucket.emitOpError(
                 "must be reduce-scattered exactly once, but is ")
             << count << " times";
  }
  return success();
}

/// On a grid each group's gradient is summed over the replicas, and gathered
/// along them again.
LogicalResult ProgramVerifier::verifyReplicas() {
  if (shards == world)
    return success();
  DenseMap<StringAttr, int64_t> sums, gathers;
  for (auto scatter : block.getOps<ReduceScatterOp>())
    sums[scatter.getGroupAttr().getAttr()] +=
        scatter.getAxis() == Axis::Replicas;
  for (auto gather : block.getOps<AllGatherOp>())
    if (gather.getAxis() == Axis::Replicas) {
      auto wait = gather.getInput().getDefiningOp<WaitOp>();
      auto sum = wait
                     ? dyn_cast<ReduceScatterOp>(wait.getStart().getOperation())
                     : ReduceScatterOp();
      if (!sum || sum.getAxis() != Axis::Replicas)
        return gather.emitOpError("along replicas must gather what a "
                                  "reduce_scatter along replicas has summed");
      ++gathers[gather.getGroupAttr().getAttr()];
    }
  for (auto scatter : block.getOps<ReduceScatterOp>()) {
    StringAttr group = scatter.getGroupAttr().getAttr();
    if (scatter.getAxis() == Axis::World)
      return scatter.emitOpError("must be along one axis: states are "
                                 "partitioned over shards alone");
    if (scatter.getAxis() == Axis::Shards &&
        (sums.lookup(group) != 1 || gathers.lookup(group) != 1))
      return scatter.emitOpError("must be followed by one reduce_scatter and "
                                 "one all_gather along replicas: they would "
                                 "have other gradients");
  }
  return success();
}

static bool isQuantized(Value value) {
  return getElementTypeOrSelf(value).isInteger(8);
}

/// What is quantized is a shard of parameters and for one gather of its group;
/// nothing else is gathered as bytes.
LogicalResult ProgramVerifier::verifyQuantized() {
  for (auto quantize : block.getOps<QuantizeOp>()) {
    auto load = quantize.getInput().getDefiningOp<LoadOp>();
    if (!load || load.getState() != ZeroDialect::parameterState ||
        !isSharded(ZeroDialect::parameterState,
                   symbols.lookup<GroupOp>(load.getGroup())))
      return quantize.emitOpError("must take this rank's shard of a group's "
                                  "parameters");
    auto gather =
        quantize->hasOneUse()
            ? dyn_cast<AllGatherOp>(*quantize.getResult().user_begin())
            : AllGatherOp();
    if (!gather || gather.getGroupAttr() != load.getGroupAttr())
      return quantize.emitOpError("must be for one zero.all_gather of the same "
                                  "group");
  }
  for (auto gather : block.getOps<AllGatherOp>())
    if (isQuantized(gather.getInput()) && gather.getAxis() != Axis::Secondary &&
        !gather.getInput().getDefiningOp<QuantizeOp>())
      return gather.emitOpError("gathers bytes that no zero.quantize has made");
  return success();
}

/// What \p whole, the result of a gather, stands for: itself, or parameters
/// that are made of its bytes once, while nothing else but zero.keep uses
/// these.
static FailureOr<Value> getParameters(AllGatherOp gather, Value whole,
                                      int64_t shards) {
  if (!isQuantized(whole))
    return whole;
  // The last user comes first.
  SmallVector<Operation *> users(whole.getUsers());
  llvm::erase_if(users, llvm::IsaPred<KeepOp>);
  if (users.empty())
    return gather.emitOpError("gathers bytes that no zero.dequantize makes "
                              "parameters of");
  auto parameters = dyn_cast<DequantizeOp>(users.front());
  if (!parameters || users.size() > 1)
    return users.front()->emitOpError("uses gathered bytes, which are for one "
                                      "zero.dequantize alone");
  if (static_cast<int64_t>(parameters.getParts()) != shards)
    return parameters.emitOpError("takes the bytes for ")
           << parameters.getParts() << " parts, but they are of " << shards
           << " shards";
  return parameters.getResult();
}

/// \p gather's parameters are released once, and nothing uses them after.
LogicalResult ProgramVerifier::verifyGathered(AllGatherOp gather) {
  FailureOr<Value> parameters = getParameters(
      gather, cast<WaitOp>(*gather.getToken().user_begin()).getResult(),
      shards);
  if (failed(parameters))
    return failure();
  Value whole = *parameters;
  ReleaseOp release;
  for (Operation *user : whole.getUsers()) {
    auto op = dyn_cast<ReleaseOp>(user);
    if (!op)
      continue;
    if (release)
      return (op->isBeforeInBlock(release) ? release : op)
          .emitOpError("releases the parameters a second time");
    release = op;
  }
  if (!release)
    return gather.emitOpError("is never released: in stage 3 whole parameters "
                              "exist around their use alone");
  if (getSection(release))
    return release.emitOpError("must stand in the micro-batch that gathers");
  SmallVector<Value> views{whole};
  while (!views.empty())
    for (Operation *user : views.pop_back_val().getUsers()) {
      Operation *outer = block.findAncestorOpInBlock(*user);
      if (outer && release->isBeforeInBlock(outer))
        return user->emitOpError("uses parameters after their release")
                   .attachNote(release.getLoc())
               << "they are released here";
      if (isa<nn::SliceOp, nn::ReshapeOp>(user))
        views.push_back(user->getResult(0));
    }
  return success();
}

/// Whole parameters that are a state are gathered after the update at most;
/// others are whole from a gather to its release.
LogicalResult ProgramVerifier::verifyWholeParameters() {
  for (auto gather : block.getOps<AllGatherOp>()) {
    if (gather.getAxis() == Axis::Replicas)
      continue;
    if (gather.getAxis() == Axis::Secondary) {
      auto keep = gather.getInput().getDefiningOp<KeepOp>();
      auto wait = keep ? keep.getInput().getDefiningOp<WaitOp>() : WaitOp();
      auto first = wait ? cast<AllGatherOp>(wait.getStart().getOperation())
                        : AllGatherOp();
      if (!first || first.getGroupAttr() != gather.getGroupAttr())
        return gather.emitOpError("along secondary must gather what zero.keep "
                                  "has kept of the same group");
    }
    nn::SectionOp section = getSection(gather);
    auto group = symbols.lookup<GroupOp>(gather.getGroup());
    if (!isSharded(ZeroDialect::parameterState, group)) {
      if (section)
        continue;
      InFlightDiagnostic diagnostic =
          gather.emitOpError("gathers in a micro-batch, but in stage ");
      diagnostic << stage << " parameters ";
      if (stage == 3)
        diagnostic << "of a persistent group ";
      return diagnostic << "are whole already";
    }
    if (section)
      return gather.emitOpError("leaves something whole after the "
                                "micro-batches, but in stage 3 all states are "
                                "sharded");
    if (failed(verifyGathered(gather)))
      return failure();
  }
  if (stage < 3)
    for (auto release : block.getOps<ReleaseOp>())
      return release.emitOpError("releases parameters that stage ")
             << stage << " keeps whole";
  return success();
}

LogicalResult ProgramVerifier::run() {
  if (!getWorld(program) || !getStage(program))
    return program.emitOpError(
        "must say by zero.world and zero.stage how it is "
        "partitioned");
  world = *getWorld(program);
  shards = *getShardRanks(program);
  if (shards < 1 || world % shards != 0)
    return program.emitOpError("zero.shard_ranks must divide zero.world");
  if (std::optional<int64_t> kept = getRanks(program, Axis::Secondary))
    if (*kept < 1 || shards % *kept != 0)
      return program.emitOpError(
          "zero.secondary_ranks must divide the ranks of a shard group");
  stage = world == 1 ? 0 : *getStage(program);
  if (failed(verifyStraightLine()))
    return failure();
  for (Operation &op : block)
    if (auto start = dyn_cast<CollectiveOpInterface>(op))
      if (failed(verifyCollective(start)))
        return failure();
  if (failed(verifyStates()))
    return failure();
  if (program.getName() != "train") {
    for (auto store : block.getOps<StoreOp>())
      if (store.getState() != ZeroDialect::cacheState)
        return store.emitOpError("stores a state, which @train alone may");
    return failed(verifyQuantized()) ? failure() : verifyWholeParameters();
  }
  if (failed(verifyUpdates()) || failed(verifyWholeGradients()) ||
      failed(verifyReplicas()) || failed(verifyQuantized()))
    return failure();
  return verifyWholeParameters();
}

namespace {

struct VerifyZero : zero::impl::VerifyZeroBase<VerifyZero> {
  void runOnOperation() override {
    if (failed(verify()))
      signalPassFailure();
  }

  LogicalResult verify() {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    if (failed(verifySymbols(module)) || failed(verifyPrograms(module)) ||
        failed(verifyGroups(module)))
      return failure();
    StringRef main = spec::getMainProgram(module);
    if (!symbols.lookup<func::FuncOp>(main))
      return module.emitError("no function @") << main;
    for (auto program : module.getOps<func::FuncOp>())
      if (failed(ProgramVerifier(program, symbols).run()))
        return failure();
    return success();
  }
};

} // namespace
