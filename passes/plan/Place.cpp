//===- Place.cpp - Give each tensor a buffer --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "dialects/nn/NN.h"
#include "dialects/plan/Within.h"
#include "dialects/spec/Spec.h"
#include "passes/plan/BufferAssignment.h"
#include "passes/plan/Passes.h"
#include "target/Target.h"
#include <map>
#include <thread>

namespace tessera::plan {
#define GEN_PASS_DEF_PLACE
#include "passes/plan/Passes.h.inc"
} // namespace tessera::plan

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

static int64_t roundUp(int64_t bytes) {
  return std::max<int64_t>(bufferAlignment,
                           llvm::alignTo(bytes, bufferAlignment));
}

static Category getCategory(const BufferFacts &facts) {
  if (facts.state)
    return llvm::StringSwitch<Category>(facts.state.getValue())
        .Case(zero::ZeroDialect::parameterState, Category::Parameters)
        .Case(zero::ZeroDialect::gradientState, Category::Gradients)
        .Case(zero::ZeroDialect::cacheState, Category::Cache)
        .Default(Category::Optimizer);
  if (facts.persistent || facts.port)
    return Category::Workspace;
  return facts.communicates ? Category::Communication : Category::Activations;
}

namespace {

/// Threads and scratch memory, for all programs of a module.
struct Scratch {
  int64_t threads; ///< that have scratch memory of their own
  /// What the target's library answered for each shape.
  std::map<GemmShape, int64_t> gemms;
};

/// Writes one function as a plan.program, which takes its place.
class ProgramWriter {
public:
  ProgramWriter(func::FuncOp function, int64_t accumulation,
                const Target &target, Scratch &scratch)
      : function(function), accumulation(accumulation), target(target),
        scratch(scratch),
        world(getAttribute(zero::ZeroDialect::worldAttrName, 1)),
        assignment(function, world), builder(function), declarations(function) {
  }

  LogicalResult write();

  BufferAssignment &getAssignment() { return assignment; }
  int64_t numBuffers = 0, numCopies = 0, numClears = 0;

private:
  int64_t getAttribute(StringRef name, int64_t missing) {
    auto attribute = function->getAttrOfType<IntegerAttr>(name);
    return attribute ? attribute.getInt() : missing;
  }

  void makeBuffers();
  std::string describe(int64_t set);
  BufferOp makeBuffer(StringRef name, Category category, int64_t bytes,
                      bool persistent);
  Value getView(Place place, Type type);
  Value getView(Value tensor) {
    return getView(assignment.getPlace(tensor), tensor.getType());
  }
  void declareInputs();
  void declareOutputs();
  void clearSums();
  void clear(Place place, int64_t bytes);
  void clearPadding(zero::BucketOp bucket);
  void copyIfNeeded(OpOperand &operand);
  LogicalResult writeStep(Operation &op);
  LogicalResult writeLaunch(LaunchOp launch);
  LogicalResult writeGemm(GemmOp gemm);
  void writeStart(zero::CollectiveOpInterface start);
  void finish();

  func::FuncOp function;
  int64_t accumulation;
  const Target &target;
  Scratch &scratch;
  int64_t world;
  BufferAssignment assignment;
  OpBuilder builder, declarations;
  ProgramOp program;
  SymbolTableCollection symbols;
  DenseMap<int64_t, BufferOp> buffers;
  /// By buffer, type, offset and strides.
  using ViewKey =
      std::pair<std::pair<Value, Type>, std::pair<std::pair<int64_t, int64_t>,
                                                  std::pair<int64_t, int64_t>>>;
  DenseMap<ViewKey, Value> views;
  DenseMap<Value, Value> tokens;
  bool repeats = false; ///< in the section that runs once per micro-batch
  int64_t flops = 0, scratchBytes = 0;
};

} // namespace

std::string ProgramWriter::describe(int64_t set) {
  const BufferFacts &facts = assignment.getFacts(set);
  if (facts.state)
    return (facts.state.getValue() + " " + facts.group.getValue()).str();
  Value value = assignment.getValue(set);
  if (auto argument = dyn_cast<BlockArgument>(value))
    return function
        .getArgAttrOfType<StringAttr>(argument.getArgNumber(), inputAttrName)
        .str();
  Operation *op = value.getDefiningOp();
  // What the kernel does; the layer is the location's to say.
  if (auto launch = dyn_cast<LaunchOp>(op))
    return launch.getKernel().rsplit('.').second.empty()
               ? launch.getKernel().str()
               : launch.getKernel().rsplit('.').second.str();
  StringRef name = op->getName().stripDialect();
  if (auto group = op->getAttrOfType<FlatSymbolRefAttr>("group"))
    return (name + " " + group.getValue()).str();
  return name.str();
}

BufferOp ProgramWriter::makeBuffer(StringRef name, Category category,
                                   int64_t bytes, bool persistent) {
  ++numBuffers;
  auto type = MemRefType::get({roundUp(bytes)}, builder.getI8Type());
  return BufferOp::create(
      declarations, function.getLoc(), type, name, category, 0, persistent,
      persistent ? DenseI64ArrayAttr()
                 : declarations.getDenseI64ArrayAttr({0, 0}));
}

void ProgramWriter::makeBuffers() {
  SmallVector<std::pair<Category, int64_t>> order;
  for (int64_t i = 0; i < assignment.size(); ++i)
    if (assignment.getFacts(i).bytes)
      order.emplace_back(getCategory(assignment.getFacts(i)), i);
  llvm::sort(order);
  for (auto [category, set] : order) {
    const BufferFacts &facts = assignment.getFacts(set);
    BufferOp buffer =
        makeBuffer(describe(set), category, facts.bytes, facts.persistent);
    buffers[set] = buffer;
    if (!facts.state) {
      if (Operation *op = assignment.getValue(set).getDefiningOp())
        buffer->setLoc(op->getLoc());
      continue;
    }
    auto group =
        symbols.lookupNearestSymbolFrom<zero::GroupOp>(function, facts.group);
    bool sharded = group && static_cast<int64_t>(group.getPadded()) *
                                    getElementBytes(facts.element) >
                                facts.bytes;
    StateOp::create(builder, function.getLoc(), facts.state, facts.group,
                    buffer, sharded ? builder.getUnitAttr() : UnitAttr(),
                    facts.element.isF32() ? TypeAttr()
                                          : TypeAttr::get(facts.element));
  }
}

Value ProgramWriter::getView(Place place, Type type) {
  auto shaped = cast<ShapedType>(type);
  auto viewType = MemRefType::get(shaped.getShape(), shaped.getElementType());
  Value buffer = buffers.lookup(place.set);
  auto [shard, replica, secondary] = place.stride;
  Value &view = views[{{buffer, viewType},
                       {{place.offset, shard}, {replica, secondary}}}];
  if (!view)
    view = ViewOp::create(builder, function.getLoc(), viewType, buffer,
                          place.offset, shard, replica, secondary);
  return view;
}

/// An input is filled before the first section that reads it.
void ProgramWriter::declareInputs() {
  SmallVector<nn::SectionOp> sections(function.getOps<nn::SectionOp>());
  for (BlockArgument argument : function.getArguments()) {
    auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                      inputAttrName);
    StringRef when = "begin";
    Operation *first = nullptr;
    for (Operation *user : argument.getUsers())
      if (!first || user->isBeforeInBlock(first))
        first = user;
    if (first)
      when = sections.empty() ? "run" : "micro";
    for (nn::SectionOp next : sections)
      if (first && next->isBeforeInBlock(first))
        when = next.getName();
    if (function.getArgAttr(argument.getArgNumber(), filledOnceAttrName))
      when = "load";
    InputOp::create(builder, argument.getLoc(), name, getView(argument), when);
  }
}

void ProgramWriter::declareOutputs() {
  auto *terminator = function.getBody().front().getTerminator();
  for (auto [index, value] : llvm::enumerate(terminator->getOperands())) {
    auto name = function.getResultAttrOfType<StringAttr>(index, outputAttrName);
    OutputOp::create(builder, function.getLoc(), name, getView(value));
  }
}

void ProgramWriter::clear(Place place, int64_t bytes) {
  if (bytes <= 0)
    return;
  auto type = MemRefType::get({bytes}, builder.getI8Type());
  ClearOp::create(builder, function.getLoc(), getView(place, type));
  ++numClears;
}

/// Running sums start from zero.
void ProgramWriter::clearSums() {
  for (int64_t i = 0; i < assignment.size(); ++i) {
    const BufferFacts &facts = assignment.getFacts(i);
    if (facts.bytes && facts.accumulates)
      clear({i, 0}, roundUp(facts.bytes));
  }
}

void ProgramWriter::clearPadding(zero::BucketOp bucket) {
  Place place = assignment.getPlace(bucket.getResult());
  if (assignment.getFacts(place.set).accumulates)
    return;
  int64_t end = 0;
  for (auto [offset, part] :
       llvm::zip(getPartOffsets(bucket, symbols), bucket.getParts())) {
    clear({place.set, place.offset + end, place.stride}, offset - end);
    end = offset + getBytes(cast<ShapedType>(part.getType()));
  }
  clear({place.set, place.offset + end, place.stride},
        getBytes(bucket.getResult().getType()) - end);
}

void ProgramWriter::copyIfNeeded(OpOperand &operand) {
  if (!assignment.needsCopy(operand))
    return;
  Place target = assignment.getTarget(operand);
  if (auto constant = operand.get().getDefiningOp<arith::ConstantOp>()) {
    clear(target, getBytes(cast<ShapedType>(operand.get().getType())));
    return;
  }
  CopyOp::create(builder, operand.getOwner()->getLoc(), getView(operand.get()),
                 getView(target, operand.get().getType()));
  ++numCopies;
}

LogicalResult ProgramWriter::writeLaunch(LaunchOp launch) {
  SmallVector<Value> operands;
  for (Value value : launch->getOperands())
    operands.push_back(getView(value));
  for (Value value : launch->getResults())
    operands.push_back(getView(value));
  auto step = LaunchOp::create(builder, launch.getLoc(), TypeRange(),
                               launch.getKernel(), operands);
  auto kernel = symbols.lookupNearestSymbolFrom<func::FuncOp>(
      launch, launch.getKernelAttr());
  // It writes a few rows, and the others must be there.
  for (auto write : kernel.getOps<nn::CacheWriteOp>())
    for (auto [before, after] :
         {std::pair<Value, Value>(write.getCache(), write.getResult()),
          std::pair<Value, Value>(write.getScales(), write.getNextScales())}) {
      if (!after)
        continue;
      auto cache = dyn_cast<BlockArgument>(before);
      auto returned =
          llvm::find(kernel.getBody().front().getTerminator()->getOperands(),
                     after)
              .getIndex();
      if (!cache || operands[cache.getArgNumber()] !=
                        operands[launch->getNumOperands() + returned])
        return launch.emitOpError("writes into a cache whose former content is "
                                  "still read: read what it gives instead");
    }
  if (auto count = kernel->getAttrOfType<IntegerAttr>(iterationsAttrName))
    step->setAttr(iterationsAttrName, count);
  if (Attribute counted = kernel->getAttr(countedIterationsAttrName))
    step->setAttr(countedIterationsAttrName, counted);
  auto bytes = kernel->getAttrOfType<IntegerAttr>(scratchAttrName);
  if (bytes && bytes.getInt()) {
    int64_t stride = roundUp(bytes.getInt());
    step->setAttr(scratchAttrName, builder.getI64IntegerAttr(stride));
    scratchBytes = std::max(scratchBytes, stride * scratch.threads);
  }
  if (auto count = kernel->getAttrOfType<IntegerAttr>(flopsAttrName))
    flops += count.getInt() * (repeats ? accumulation : 1);
  return success();
}

LogicalResult ProgramWriter::writeGemm(GemmOp gemm) {
  Value out = getView(gemm.getResult());
  if (Value addend = gemm.getAddend(); addend && getView(addend) != out) {
    CopyOp::create(builder, gemm.getLoc(), getView(addend), out);
    ++numCopies;
  }
  Value aux = gemm.getSaved() ? gemm.getSaved() : Value(gemm.getAux());
  GemmShape shape = GemmShape::get(gemm);
  auto step = GemmOp::create(
      builder, gemm.getLoc(), TypeRange(), getView(gemm.getA()),
      getView(gemm.getB()), gemm.getBias() ? getView(gemm.getBias()) : Value(),
      aux ? getView(aux) : Value(), Value(), out,
      gemm.getCount() ? getView(gemm.getCount()) : Value(),
      gemm.getTransposeA(), gemm.getTransposeB(), shape.accumulate,
      gemm.getEpilogue(), gemm.getCountedAttr(), gemm.getRoomAttr());
  flops += 2 * shape.m * shape.n * shape.k * (repeats ? accumulation : 1);
  auto [found, isNew] = scratch.gemms.insert({shape, 0});
  if (isNew)
    found->second = target.getScratchBytes(shape, scratch.threads);
  if (found->second < 0)
    return gemm.emitOpError("cannot be done by the library: ")
           << shape.m << " x " << shape.k << " by " << shape.k << " x "
           << shape.n << ", " << getElementTypeOrSelf(gemm.getA()) << " to "
           << getElementTypeOrSelf(out);
  if (found->second)
    step->setAttr(scratchAttrName, builder.getI64IntegerAttr(found->second));
  scratchBytes = std::max(scratchBytes, found->second);
  return success();
}

void ProgramWriter::writeStart(zero::CollectiveOpInterface start) {
  copyIfNeeded(start->getOpOperand(0));
  auto kind = isa<zero::AllGatherOp>(start)       ? Collective::AllGather
              : isa<zero::ReduceScatterOp>(start) ? Collective::ReduceScatter
                                                  : Collective::AllReduce;
  Value source = start.getSource();
  Value from = assignment.needsCopy(start->getOpOperand(0))
                   ? getView(assignment.getTarget(start->getOpOperand(0)),
                             source.getType())
                   : getView(source);
  // Shards are consecutive, replicas as far apart as there are shards.
  IntegerAttr ranks, distance;
  zero::Axis axis = start.getAxis();
  if (axis != zero::Axis::World) {
    ranks = builder.getI64IntegerAttr(*zero::getRanks(start, axis));
    distance = builder.getI64IntegerAttr(
        axis == zero::Axis::Replicas ? *zero::getShardRanks(start) : 1);
  }
  auto step = StartOp::create(
      builder, start.getLoc(), TokenType::get(builder.getContext()), kind,
      start->getAttrOfType<FlatSymbolRefAttr>("group"), from,
      getView(start.getDestination()), start->hasAttr("in_place"),
      start->hasAttr("accumulate"), ranks, distance);
  tokens[start.getStartToken()] = step.getToken();
}

LogicalResult ProgramWriter::writeStep(Operation &op) {
  return TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](LaunchOp launch) { return writeLaunch(launch); })
      .Case([&](GemmOp gemm) { return writeGemm(gemm); })
      .Case([&](nn::SectionOp section) {
        repeats = section.getName() == "micro";
        SectionOp::create(builder, op.getLoc(), section.getName());
        return success();
      })
      .Case([&](zero::WaitOp wait) {
        Value token = tokens.lookup(wait.getToken());
        WaitOp::create(builder, op.getLoc(), token);
        FenceOp::create(builder, op.getLoc(), token);
        return success();
      })
      .Case([&](zero::CollectiveOpInterface start) {
        writeStart(start);
        return success();
      })
      .Case([&](zero::KeepOp keep) {
        Type type = keep.getResult().getType();
        CopyOp::create(builder, op.getLoc(),
                       getView(assignment.getKept(keep), type),
                       getView(keep.getResult()));
        ++numCopies;
        return success();
      })
      .Case([&](zero::BucketOp bucket) {
        clearPadding(bucket);
        for (OpOperand &part : op.getOpOperands())
          copyIfNeeded(part);
        return success();
      })
      .Case<nn::ConcatOp, zero::StoreOp>([&](Operation *) {
        for (OpOperand &part : op.getOpOperands())
          copyIfNeeded(part);
        return success();
      })
      .Default([](Operation *) { return success(); });
}

/// Sets what is known at the end: a first layout in which no two buffers
/// share memory, and lifetimes that span the program.
void ProgramWriter::finish() {
  if (scratchBytes) {
    declarations.setInsertionPoint(
        *program.getBody().getOps<SectionOp>().begin());
    BufferOp buffer = makeBuffer("scratch", Category::Workspace, scratchBytes,
                                 /*persistent=*/true);
    ScratchOp::create(declarations, function.getLoc(), buffer, scratch.threads);
  }
  std::array<int64_t, categoryCount> memory = {};
  int64_t last = std::max<int64_t>(0, program.getSteps().size() - 1);
  int64_t offset = 0;
  for (auto buffer : program.getBody().getOps<BufferOp>()) {
    buffer.setOffset(offset);
    offset += buffer.getBytes();
    memory[static_cast<int>(buffer.getCategory())] += buffer.getBytes();
    if (!buffer.getPersistent())
      buffer.setLive(ArrayRef<int64_t>{0, last});
  }
  program.setMemory(memory);
  program.setArenaBytes(offset);
  program.setFlops(flops);
}

LogicalResult ProgramWriter::write() {
  for (BlockArgument argument : function.getArguments())
    if (!function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                               inputAttrName))
      return function.emitOpError("argument #")
             << argument.getArgNumber() << " needs a name: nn.input";
  for (unsigned i = 0; i < function.getNumResults(); ++i)
    if (!function.getResultAttrOfType<StringAttr>(i, outputAttrName))
      return function.emitOpError("result #")
             << i << " needs a name: nn.output";
  if (failed(assignment.run()))
    return failure();
  program = ProgramOp::create(builder, function.getLoc(), function.getSymName(),
                              world,
                              getAttribute(zero::ZeroDialect::stageAttrName, 0),
                              accumulation, 0, builder.getDictionaryAttr({}), 0,
                              function->getAttrOfType<IntegerAttr>(
                                  zero::ZeroDialect::shardRanksAttrName),
                              function->getAttrOfType<IntegerAttr>(
                                  zero::ZeroDialect::secondaryRanksAttrName));
  if (FlatSymbolRefAttr within = getWithin(function))
    program->setAttr(withinAttrName, within);
  Block &body = program.getBody().emplaceBlock();
  builder.setInsertionPointToEnd(&body);
  // Declarations stand before what `builder` writes.
  declarations.setInsertionPointToStart(&body);
  makeBuffers();
  declareInputs();
  declareOutputs();
  bool inSections = !function.getOps<nn::SectionOp>().empty();
  SectionOp::create(builder, function.getLoc(), inSections ? "begin" : "run");
  clearSums();
  if (inSections)
    SectionOp::create(builder, function.getLoc(), "micro");
  repeats = inSections;
  for (Operation &op : function.getBody().front())
    if (failed(writeStep(op)))
      return failure();
  finish();
  function.erase();
  return success();
}

namespace {

struct PlacePass : plan::impl::PlaceBase<PlacePass> {
  using PlaceBase::PlaceBase;

  void runOnOperation() override {
    if (failed(verifyLaunches(getOperation())) ||
        failed(verifyPrograms(getOperation())))
      return signalPassFailure();
    ModuleOp module = getOperation();
    const Target *target = getTarget(module);
    if (!target)
      return signalPassFailure();
    Scratch scratch;
    spec::SpecificationAttr specification = spec::getSpecification(module);
    if (target->sharesScratch())
      scratch.threads = 1;
    else if (specification)
      scratch.threads = specification.getTarget().getHostThreads();
    if (!scratch.threads)
      scratch.threads = maxThreads;
    if (!scratch.threads)
      scratch.threads = std::max(1u, std::thread::hardware_concurrency());
    for (auto function : llvm::to_vector(module.getOps<func::FuncOp>())) {
      if (function->hasAttr(kernelAttrName))
        continue;
      bool inSections = !function.getOps<nn::SectionOp>().empty();
      int64_t accumulation = inSections ? spec::getAccumulation(module) : 1;
      ProgramWriter writer(function, accumulation, *target, scratch);
      if (failed(writer.write()))
        return signalPassFailure();
      numBuffers += writer.numBuffers;
      numInPlace += writer.getAssignment().numInPlace;
      numCopies += writer.numCopies;
      numClears += writer.numClears;
    }
  }
};

} // namespace
