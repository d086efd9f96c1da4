//===- Recompute.cpp - Recompute activations --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "dialects/spec/Spec.h"
#include "passes/train/Passes.h"
#include "runtime/program/SlotNames.h"
#include "llvm/ADT/SetVector.h"

namespace tessera::train {
#define GEN_PASS_DEF_RECOMPUTE
#include "passes/train/Passes.h.inc"
} // namespace tessera::train

using namespace mlir;
using namespace tessera;

namespace {

/// How much of a segment is recomputed.
enum class Extent {
  Nothing,
  Cheap, ///< what takes no longer than to read what it is computed from
  All,
};

/// A range of the forward pass between two reads of another group's
/// parameters: a layer.
struct Segment {
  StringAttr name;
  SmallVector<Operation *> operations;
};

/// What recomputing a segment takes and spares.
struct Choice {
  llvm::SetVector<Operation *> repeated;
  llvm::SetVector<Value> kept; ///< what the repeated operations begin with
  SmallVector<Value> dropped;  ///< what need not be kept any more
  /// False where there is nothing to gain: what is dropped must be at least a
  /// quarter of what is read again for it.
  bool isWorthIt() const {
    int64_t spared = 0, read = 0;
    for (Value value : dropped)
      // A view has no memory of its own.
      if (!isa<nn::ReshapeOp, nn::SliceOp, nn::SplitColumnsOp>(
              value.getDefiningOp()))
        spared += getBits(value);
    for (Value value : kept)
      read += getBits(value);
    return spared > 0 && 4 * spared >= read;
  }

private:
  static int64_t getBits(Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    return type.getNumElements() * type.getElementTypeBitWidth();
  }
};

/// Recomputes in one training step.
class StepRecomputation {
public:
  explicit StepRecomputation(func::FuncOp step)
      : step(step), block(step.getBody().front()),
        symbols(step->getParentOfType<ModuleOp>()) {}

  LogicalResult analyse();
  /// The segments that something can be gained from, in program order. The
  /// last one is not among them: its backward pass follows at once.
  SmallVector<unsigned> getCandidates();
  Choice choose(unsigned segment, Extent extent);
  void repeat(unsigned segment, const Choice &choice);

  int64_t numRepeated = 0, numDropped = 0;

private:
  void findSegments();
  void findGroups(Operation &op);
  /// True where the value depends on a parameter or a constant alone.
  bool isFree(Value value) { return !dependent.contains(value); }
  /// The operations of the backward pass that use \p value.
  SmallVector<OpOperand *> getLaterUses(Value value);
  bool isReadByOthers(Value value);

  func::FuncOp step;
  Block &block;
  SymbolTable symbols;
  Operation *end = nullptr; ///< of the micro-batch
  DenseSet<Operation *> forward;
  DenseSet<Value> dependent; ///< on the program's inputs
  /// The groups whose parameters a value that depends on no input reads.
  DenseMap<Value, llvm::SmallSetVector<StringAttr, 1>> groups;
  SmallVector<Segment> segments;
  DenseMap<Operation *, unsigned> segmentOf;
};

} // namespace

/// The forward pass is what the loss is computed from.
LogicalResult StepRecomputation::analyse() {
  Value loss;
  for (unsigned i = 0; i < step.getNumResults(); ++i) {
    auto name = step.getResultAttrOfType<StringAttr>(i, outputAttrName);
    if (name && name.getValue() == runtime::slotNames::loss)
      loss = block.getTerminator()->getOperand(i);
  }
  if (!loss)
    return step.emitOpError("must return its loss: a result with nn.output = "
                            "\"loss\"");
  if (auto sum = loss.getDefiningOp<nn::AccumulateOp>())
    loss = sum.getInput();
  SmallVector<Value> work = {loss};
  while (!work.empty())
    if (Operation *op = work.pop_back_val().getDefiningOp())
      if (forward.insert(op).second)
        llvm::append_range(work, op->getOperands());

  end = block.getTerminator();
  for (Operation &op : llvm::reverse(block))
    if (isa<nn::SectionOp>(op))
      end = &op;
  dependent.insert_range(block.getArguments());
  findSegments();
  return success();
}

void StepRecomputation::findGroups(Operation &op) {
  llvm::SmallSetVector<StringAttr, 1> read;
  if (auto parameter = dyn_cast<nn::GetParameterOp>(op))
    read.insert(symbols.lookup<nn::ParameterOp>(parameter.getParameter())
                    .getGroupAttr());
  for (Value operand : op.getOperands()) {
    const auto &more = groups[operand];
    read.insert(more.begin(), more.end());
  }
  for (Value result : op.getResults())
    groups[result] = read;
}

void StepRecomputation::findSegments() {
  for (Operation &op : block) {
    if (!forward.contains(&op))
      continue;
    if (llvm::all_of(op.getOperands(), [&](Value v) { return isFree(v); })) {
      findGroups(op);
      continue;
    }
    dependent.insert_range(op.getResults());
    llvm::SmallSetVector<StringAttr, 1> read;
    for (Value operand : op.getOperands())
      if (isFree(operand))
        read.insert(groups[operand].begin(), groups[operand].end());
    if (segments.empty())
      segments.emplace_back();
    if (!read.empty() && !read.contains(segments.back().name)) {
      if (segments.back().name)
        segments.emplace_back();
      segments.back().name = read.front();
    }
    segmentOf[&op] = segments.size() - 1;
    segments.back().operations.push_back(&op);
  }
}

SmallVector<unsigned> StepRecomputation::getCandidates() {
  SmallVector<unsigned> candidates;
  for (unsigned i = 0; i + 1 < segments.size(); ++i)
    if (choose(i, Extent::All).isWorthIt())
      candidates.push_back(i);
  return candidates;
}

SmallVector<OpOperand *> StepRecomputation::getLaterUses(Value value) {
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : value.getUses())
    if (!forward.contains(use.getOwner()) &&
        use.getOwner()->isBeforeInBlock(end))
      uses.push_back(&use);
  return uses;
}

/// True where \p value is kept whatever happens to its segment, since others
/// read it.
bool StepRecomputation::isReadByOthers(Value value) {
  unsigned own = segmentOf.at(value.getDefiningOp());
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    if (!user->isBeforeInBlock(end))
      return true;
    auto other = segmentOf.find(user);
    return other != segmentOf.end() && other->second != own;
  });
}

Choice StepRecomputation::choose(unsigned segment, Extent extent) {
  ArrayRef<Operation *> operations = segments[segment].operations;
  // An operation can be repeated where its operands are there: they are free,
  // kept, or repeated.
  DenseSet<Operation *> repeatable;
  auto isKept = [&](Value value) {
    Operation *op = value.getDefiningOp();
    auto other = segmentOf.find(op);
    if (other == segmentOf.end() || other->second != segment)
      return true;
    return isReadByOthers(value) ||
           (!repeatable.contains(op) && !getLaterUses(value).empty());
  };
  auto isCheap = [](Operation *op) {
    return op->hasTrait<OpTrait::Elementwise>() || op->hasTrait<nn::Cheap>();
  };
  auto isTensor = [](Value value) {
    return isa<RankedTensorType>(value.getType());
  };
  for (Operation *op : operations)
    // A table's rows are not looked up again: in ZeRO's stage 3 the table would
    // have to be gathered for it.
    if (isPure(op) && !isa<nn::GatherOp>(op) &&
        llvm::all_of(op->getResults(), isTensor) &&
        (extent == Extent::All || (extent == Extent::Cheap && isCheap(op))) &&
        llvm::all_of(op->getOperands(), [&](Value value) {
          return isFree(value) || isKept(value) ||
                 repeatable.contains(value.getDefiningOp());
        }))
      repeatable.insert(op);

  Choice choice;
  SmallVector<Operation *> work;
  for (Operation *op : operations)
    for (Value result : op->getResults())
      if (repeatable.contains(op) && !isReadByOthers(result) &&
          !getLaterUses(result).empty()) {
        choice.dropped.push_back(result);
        work.push_back(op);
      }
  while (!work.empty()) {
    Operation *op = work.pop_back_val();
    if (!choice.repeated.insert(op))
      continue;
    for (Value value : op->getOperands()) {
      if (isFree(value))
        continue;
      if (!isKept(value))
        work.push_back(value.getDefiningOp());
      else if (isTensor(value))
        choice.kept.insert(value);
    }
  }
  return choice;
}

/// Writes the repeated operations before the first use of what they make.
void StepRecomputation::repeat(unsigned segment, const Choice &choice) {
  SmallVector<OpOperand *> uses;
  for (Value value : choice.dropped)
    llvm::append_range(uses, getLaterUses(value));
  Operation *first = uses.front()->getOwner();
  for (OpOperand *use : uses)
    if (use->getOwner()->isBeforeInBlock(first))
      first = use->getOwner();

  OpBuilder builder(first);
  IRMapping mapping;
  SmallVector<Operation *> made;
  for (Value value : choice.kept) {
    auto checkpoint = nn::CheckpointOp::create(builder, value.getLoc(), value,
                                               segments[segment].name);
    mapping.map(value, checkpoint.getResult());
    made.push_back(checkpoint);
  }
  for (Operation *op : segments[segment].operations)
    if (choice.repeated.contains(op))
      made.push_back(builder.clone(*op, mapping));
  for (OpOperand *use : uses)
    use->set(mapping.lookup(use->get()));
  // Each as late as can be, so that it is kept no longer than it must.
  for (Operation *op : llvm::reverse(made)) {
    Operation *user = nullptr;
    for (Operation *other : op->getUsers())
      if (!user || other->isBeforeInBlock(user))
        user = other;
    op->moveBefore(user);
  }
  numRepeated += choice.repeated.size();
  numDropped += choice.dropped.size();
}

namespace {

struct Recompute : train::impl::RecomputeBase<Recompute> {
  using RecomputeBase::RecomputeBase;

  void runOnOperation() override {
    if (failed(verifyPrograms(getOperation())))
      return signalPassFailure();
    ModuleOp module = getOperation();
    if (spec::getGeneration(module))
      return;
    auto step = module.lookupSymbol<func::FuncOp>("train");
    if (!step) {
      module.emitError("no function @train: run nn-differentiate first");
      return signalPassFailure();
    }
    StepRecomputation recomputation(step);
    if (failed(recomputation.analyse()))
      return signalPassFailure();
    SmallVector<unsigned> candidates = recomputation.getCandidates();
    int64_t count = candidates.size();
    int64_t all = whole;
    if (all < 0)
      all = recomputesLayers(module) ? count : 0;
    all = std::min(all, count);
    int64_t some = std::clamp<int64_t>(cheap, all, count);
    for (auto [index, segment] : llvm::enumerate(candidates)) {
      int64_t number = index;
      Extent extent = number < all    ? Extent::All
                      : number < some ? Extent::Cheap
                                      : Extent::Nothing;
      Choice choice = recomputation.choose(segment, extent);
      if (choice.isWorthIt())
        recomputation.repeat(segment, choice);
    }
    numRepeated += recomputation.numRepeated;
    numDropped += recomputation.numDropped;
    module->setAttr(
        spec::RecomputedAttr::attributeName,
        spec::RecomputedAttr::get(module.getContext(), count, all, some - all));
  }

  /// Whether the specification wants whole layers, whatever memory they take.
  /// With AUTO the planner says which, by the options.
  static bool recomputesLayers(ModuleOp module) {
    spec::SpecificationAttr specification = spec::getSpecification(module);
    if (!specification)
      return false;
    switch (specification.getTraining().getRecompute()) {
    case spec::Recompute::None:
    case spec::Recompute::Auto:
      return false;
    case spec::Recompute::Layer:
      return true;
    }
    llvm_unreachable("all ways to recompute are handled");
  }
};

} // namespace
