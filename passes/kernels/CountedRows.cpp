//===- CountedRows.cpp - Which rows of values are needed --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/CountedRows.h"
#include "dialects/AttributeNames.h"
#include "dialects/graph/Graph.h"
#include "dialects/nn/AttentionParts.h"
#include "target/KernelInterface.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::kernels;

static int64_t getElements(Value value) {
  return cast<ShapedType>(value.getType()).getNumElements();
}

static bool isElementwise(Operation *op) {
  return op->hasTrait<OpTrait::Elementwise>() && op->getNumResults() == 1;
}

/// Whether \p op names its operand anew: its elements are those of the result,
/// from the first on.
static bool isView(Operation *op) {
  if (auto slice = dyn_cast<nn::SliceOp>(op))
    return slice.getOffset() == 0;
  return isa<nn::ReshapeOp, nn::CheckpointOp>(op);
}

/// Whether \p reduce has all rows of its operand in each sum.
static bool reducesRows(nn::ReduceOp reduce) {
  return llvm::is_contained(reduce.getDims(), 0);
}

/// For each row of the operand that \p op passes on row by row (the result has
/// `times` elements for one of the operand's), that operand; null where it does
/// not.
static Value getRowOperand(Operation *op) {
  if (isView(op))
    return op->getOperand(0);
  if (auto broadcast = dyn_cast<nn::BroadcastOp>(op)) {
    Value input = broadcast.getInput();
    bool leads = getElements(input) > 1 &&
                 broadcast.getDims().back() + 1 ==
                     static_cast<int64_t>(broadcast.getDims().size());
    return leads ? input : Value();
  }
  if (auto reduce = dyn_cast<nn::ReduceOp>(op))
    return reducesRows(reduce) ? Value() : reduce.getInput();
  if (auto gather = dyn_cast<nn::GatherOp>(op))
    return gather.getIndices();
  if (auto gather = dyn_cast<nn::PackedGatherOp>(op))
    return gather.getIndices();
  if (auto gather = dyn_cast<nn::QuantizedGatherOp>(op))
    return gather.getIndices();
  if (auto bits = dyn_cast<nn::RandomBitsOp>(op))
    return bits.getSamples();
  return {};
}

/// What \p prefix of \p from, an operand or result of \p op, is of \p to: both
/// have as many rows, or a slice has the first of the other's; nothing where
/// that is no whole number.
static Need convert(Operation *op, CountedPrefix prefix, Value from, Value to) {
  if (isa<nn::SliceOp>(op))
    return prefix;
  int64_t mine = getElements(from), other = getElements(to);
  int64_t unit = 0;
  if (llvm::MulOverflow(prefix.unit, other, unit) || unit % mine || unit < mine)
    return std::nullopt;
  return CountedPrefix{prefix.count, unit / mine};
}

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

/// Which operands of an operation over a graph have a row for each row of its
/// result, and which for each neighbour.
struct CountedRows::GraphRows {
  Value graph;
  bool transposed; ///< results have the graph's columns as rows
  SmallVector<Value, 4> own, neighbors;

  static std::optional<GraphRows> get(Operation *op) {
    using Result = std::optional<GraphRows>;
    return TypeSwitch<Operation *, Result>(op)
        .Case([](graph::AggregateOp op) {
          return GraphRows{
              op.getGraph(), op.getTranspose(), {}, {op.getInput()}};
        })
        .Case([](graph::MaxOp op) {
          return GraphRows{op.getGraph(), false, {}, {op.getInput()}};
        })
        .Case([](graph::MaxTiesOp op) {
          return GraphRows{
              op.getGraph(), false, {op.getLargest()}, {op.getInput()}};
        })
        .Case([](graph::MaxGradientOp op) {
          return GraphRows{op.getGraph(),
                           true,
                           {op.getInput()},
                           {op.getLargest(), op.getShare()}};
        })
        .Case([](graph::AttentionOp op) {
          return GraphRows{op.getGraph(),
                           false,
                           {op.getTarget()},
                           {op.getInput(), op.getSource()}};
        })
        .Case([](graph::AttentionGradOp op) {
          return GraphRows{
              op.getGraph(),
              true,
              {op.getSource()},
              {op.getInput(), op.getTarget(), op.getLse(), op.getDelta()}};
        })
        .Default([](Operation *) { return Result(); });
  }

  /// The array that says where rows of the result start, or of the transpose.
  Value getStarts(bool ofNeighbors) const {
    auto csr = graph.getDefiningOp<graph::CSROp>();
    if (!csr)
      return {};
    return transposed == ofNeighbors ? csr.getRowPtr() : csr.getRowPtrT();
  }
};

/// Elements of a row; 1 where there are no rows.
static int64_t getRowElements(Value value) {
  int64_t rows = cast<ShapedType>(value.getType()).getDimSize(0);
  return rows ? std::max<int64_t>(getElements(value) / rows, 1) : 1;
}

//===----------------------------------------------------------------------===//
// Operations with a count of their own
//===----------------------------------------------------------------------===//

/// Of an operation that reads as many rows as a number says: that number, and
/// the operands that have them.
struct CountedRows::OwnCount {
  Value count;
  SmallVector<Value, 4> rows;

  static std::optional<OwnCount> get(Operation *op) {
    using Result = std::optional<OwnCount>;
    Result result =
        TypeSwitch<Operation *, Result>(op)
            .Case([](nn::RowMatmulOp op) {
              return OwnCount{op.getCount(), {op.getA()}};
            })
            .Case([](nn::QuantizeRowsOp op) {
              return OwnCount{op.getCount(), {op.getInput()}};
            })
            .Case([](nn::QuantizedMatmulOp op) {
              return OwnCount{op.getCount(),
                              {op.getRows(), op.getScales(), op.getOffsets()}};
            })
            .Case<nn::CacheWriteOp, nn::CachedAttentionOp,
                  nn::CachedAttentionPartsOp>([](auto op) {
              return OwnCount{op.getCount(),
                              {op.getQkv(), op.getSlots(), op.getPositions()}};
            })
            .Case([](nn::MergeAttentionPartsOp op) {
              return OwnCount{op.getCount(),
                              {op.getSums(), op.getMaxima(), op.getTotals(),
                               op.getPositions()}};
            })
            .Default([](Operation *) { return Result(); });
    return result && result->count ? result : Result();
  }
};

//===----------------------------------------------------------------------===//
// Rows that there are
//===----------------------------------------------------------------------===//

CountedRows::CountedRows(func::FuncOp program, const SymbolTable &symbols)
    : symbols(&symbols) {
  auto getName = [&](BlockArgument argument, StringRef attribute) {
    return program.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                attribute);
  };
  llvm::SmallDenseSet<StringAttr> wanted;
  for (BlockArgument argument : program.getArguments())
    if (StringAttr name = getName(argument, countedAttrName))
      wanted.insert(name);
  if (wanted.empty())
    return;
  DenseMap<StringAttr, unsigned> numbers;
  for (BlockArgument argument : program.getArguments()) {
    StringAttr name = getName(argument, inputAttrName);
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!name || !wanted.contains(name) || !type ||
        type.getNumElements() != 1 || !type.getElementType().isInteger(32))
      continue;
    numbers[name] = scalars.size();
    scalars.push_back(argument);
  }
  Scope scope;
  for (auto [number, scalar] : llvm::enumerate(scalars))
    scope.counts[scalar] = number;
  for (BlockArgument argument : program.getArguments())
    if (auto known = numbers.find(getName(argument, countedAttrName));
        known != numbers.end())
      scope.existing[argument] = {known->second, getRowElements(argument)};
  Block &block = program.getBody().front();
  for (Operation &op : block)
    findExisting(&op, scope);
  for (Operation &op : llvm::reverse(block))
    findNeeds(&op, scope);
  std::reverse(bounds.begin(), bounds.end());
}

void CountedRows::findExisting(Operation *op, Scope &scope) {
  if (auto launch = dyn_cast<plan::LaunchOp>(op))
    return findExistingOfLaunch(launch, scope);
  // Of several operands the one with fewest rows says how many there are.
  auto add = [&](Value value, CountedPrefix prefix) {
    auto [known, isNew] = scope.existing.try_emplace(value, prefix);
    if (!isNew && known->second.unit == prefix.unit)
      known->second.count = std::min(known->second.count, prefix.count);
  };
  auto pass = [&](Value operand) {
    auto known = scope.existing.find(operand);
    if (known == scope.existing.end())
      return;
    if (Need prefix = convert(op, known->second, operand, op->getResult(0)))
      add(op->getResult(0), *prefix);
  };
  if (Value operand = getRowOperand(op))
    return pass(operand);
  if (isElementwise(op)) {
    for (Value operand : op->getOperands())
      pass(operand);
    return;
  }
  if (auto gemm = dyn_cast<plan::GemmOp>(op)) {
    if (gemm.getAddend())
      pass(gemm.getAddend());
    auto rows = scope.existing.find(gemm.getA());
    if (!gemm.getTransposeA() && rows != scope.existing.end())
      if (Need prefix =
              convert(op, rows->second, gemm.getA(), op->getResult(0)))
        add(op->getResult(0), *prefix);
    return;
  }
  if (std::optional<OwnCount> own = OwnCount::get(op)) {
    auto number = scope.counts.find(own->count);
    if (number != scope.counts.end() && !isa<nn::CacheWriteOp>(op))
      for (Value result : op->getResults())
        add(result, {number->second, getRowElements(result)});
    return;
  }
  std::optional<GraphRows> graph = GraphRows::get(op);
  if (!graph)
    return;
  auto starts = scope.existing.find(graph->getStarts(false));
  for (Value result : op->getResults()) {
    if (starts != scope.existing.end())
      add(result, {starts->second.count, getRowElements(result)});
    for (Value operand : graph->own)
      if (auto known = scope.existing.find(operand);
          known != scope.existing.end())
        if (Need prefix = convert(op, known->second, operand, result))
          add(result, *prefix);
  }
}

CountedRows::Scope CountedRows::enter(plan::LaunchOp launch, const Scope &outer,
                                      func::FuncOp &kernel) {
  kernel = symbols->lookup<func::FuncOp>(launch.getKernel());
  Scope scope;
  for (auto [argument, operand] :
       llvm::zip(kernel.getArguments(), launch.getInputs())) {
    if (auto known = outer.existing.find(operand);
        known != outer.existing.end())
      scope.existing[argument] = known->second;
    if (auto known = outer.counts.find(operand); known != outer.counts.end())
      scope.counts[argument] = known->second;
  }
  for (Operation &op : kernel.getBody().front())
    findExisting(&op, scope);
  return scope;
}

void CountedRows::findExistingOfLaunch(plan::LaunchOp launch, Scope &scope) {
  func::FuncOp kernel;
  Scope inner = enter(launch, scope, kernel);
  Operation *end = kernel.getBody().front().getTerminator();
  for (auto [result, value] :
       llvm::zip(launch.getOutputs(), end->getOperands()))
    if (auto known = inner.existing.find(value); known != inner.existing.end())
      scope.existing[result] = known->second;
}

//===----------------------------------------------------------------------===//
// Rows that are needed
//===----------------------------------------------------------------------===//

/// Adds to what is needed of \p value.
static void need(DenseMap<Value, Need> &needed, Value value, Need prefix) {
  auto [known, isNew] = needed.try_emplace(value, prefix);
  if (isNew || !known->second)
    return;
  if (!prefix || prefix->unit != known->second->unit)
    known->second = std::nullopt;
  else
    known->second->count = std::max(known->second->count, prefix->count);
}

/// The bound of \p results where no more than the first rows of each are
/// needed.
std::optional<CountBound> CountedRows::findRowBound(ResultRange results,
                                                    const Scope &scope) {
  std::optional<CountBound> bound;
  for (Value result : results) {
    auto known = scope.needed.find(result);
    if (known == scope.needed.end())
      continue;
    Need prefix = known->second;
    if (!prefix || getElements(result) % prefix->unit)
      return std::nullopt;
    int64_t room = getElements(result) / prefix->unit;
    if (bound && bound->room != room)
      return std::nullopt;
    unsigned count =
        bound ? std::max(bound->count, prefix->count) : prefix->count;
    bound = {CountBound::Rows, count, room};
  }
  return bound;
}

/// The bound of the sums over rows in \p kernel: one for all.
std::optional<CountBound> CountedRows::findSumBound(func::FuncOp kernel,
                                                    const Scope &scope) {
  std::optional<CountBound> bound;
  for (auto reduce : kernel.getOps<nn::ReduceOp>()) {
    if (!reducesRows(reduce))
      continue;
    Value input = reduce.getInput();
    auto known = scope.existing.find(input);
    if (known == scope.existing.end() ||
        reduce.getKind() != nn::Reduction::Sum ||
        getElements(input) % known->second.unit)
      return std::nullopt;
    int64_t room = getElements(input) / known->second.unit;
    if (bound && bound->room != room)
      return std::nullopt;
    unsigned count = bound ? std::max(bound->count, known->second.count)
                           : known->second.count;
    bound = {CountBound::Sums, count, room};
  }
  return bound;
}

void CountedRows::findNeeds(Operation *op, Scope &scope) {
  if (auto launch = dyn_cast<plan::LaunchOp>(op))
    return findNeedsOfLaunch(launch, scope);
  if (auto gemm = dyn_cast<plan::GemmOp>(op))
    return findNeedsOfGemm(gemm, scope);
  if (std::optional<GraphRows> graph = GraphRows::get(op))
    return findNeedsOfGraph(op, *graph, scope);
  auto needAll = [&] {
    for (Value operand : op->getOperands())
      need(scope.needed, operand, std::nullopt);
  };
  if (std::optional<OwnCount> own = OwnCount::get(op)) {
    auto number = scope.counts.find(own->count);
    if (number == scope.counts.end())
      return needAll();
    for (Value operand : op->getOperands())
      need(scope.needed, operand,
           llvm::is_contained(own->rows, operand)
               ? Need({number->second, getRowElements(operand)})
               : std::nullopt);
    return;
  }
  if (op->getNumResults() != 1)
    return needAll();
  auto known = scope.needed.find(op->getResult(0));
  if (known == scope.needed.end())
    return needAll();
  Need wanted = known->second;
  if (auto reduce = dyn_cast<nn::ReduceOp>(op);
      reduce && reducesRows(reduce) && scope.sums) {
    int64_t unit = getElements(reduce.getInput()) / scope.sums->room;
    return need(scope.needed, reduce.getInput(),
                CountedPrefix{scope.sums->count, unit});
  }
  // Rows one after the other: of each operand no later ones than of all.
  if (isa<nn::ConcatOp>(op)) {
    for (Value operand : op->getOperands())
      need(scope.needed, operand, wanted);
    return;
  }
  // Who gathers rows asks for such as there are.
  if (auto gather = dyn_cast<nn::GatherOp>(op))
    if (auto rows = scope.existing.find(gather.getTable());
        rows != scope.existing.end()) {
      need(scope.needed, gather.getTable(), rows->second);
      return need(
          scope.needed, gather.getIndices(),
          wanted ? convert(op, *wanted, op->getResult(0), gather.getIndices())
                 : std::nullopt);
    }
  Value passed = getRowOperand(op);
  if (!wanted || !(passed || isElementwise(op)))
    return needAll();
  for (Value operand : op->getOperands())
    need(scope.needed, operand,
         operand == passed || isElementwise(op)
             ? convert(op, *wanted, op->getResult(0), operand)
             : std::nullopt);
}

void CountedRows::findNeedsOfGraph(Operation *op, const GraphRows &rows,
                                   Scope &scope) {
  std::optional<CountBound> bound = findRowBound(op->getResults(), scope);
  auto type = cast<ShapedType>(op->getResult(0).getType());
  if (bound && bound->room != type.getDimSize(0))
    bound = std::nullopt;
  for (Value operand : op->getOperands())
    if (!llvm::is_contained(rows.own, operand) &&
        !llvm::is_contained(rows.neighbors, operand))
      need(scope.needed, operand, std::nullopt);
  for (Value operand : rows.own)
    need(scope.needed, operand,
         bound ? Need({bound->count, getRowElements(operand)}) : std::nullopt);
  // Edges end at neighbours that there are.
  auto starts = scope.existing.find(rows.getStarts(true));
  for (Value operand : rows.neighbors) {
    auto known = scope.existing.find(operand);
    need(scope.needed, operand,
         starts != scope.existing.end()
             ? Need({starts->second.count, getRowElements(operand)})
         : known != scope.existing.end() ? Need(known->second)
                                         : std::nullopt);
  }
}

void CountedRows::findNeedsOfLaunch(plan::LaunchOp launch, Scope &scope) {
  func::FuncOp kernel;
  Scope inner = enter(launch, scope, kernel);
  Operation *end = kernel.getBody().front().getTerminator();
  std::optional<CountBound> bound = findRowBound(launch.getOutputs(), scope);
  auto accumulates = [&](unsigned result) {
    return static_cast<bool>(kernel.getResultAttr(result, accumulateAttrName));
  };
  for (unsigned i = 0; i < kernel.getNumResults(); ++i)
    if (accumulates(i))
      bound = std::nullopt;
  for (auto [i, value] : llvm::enumerate(end->getOperands())) {
    auto known = scope.needed.find(launch.getOutputs()[i]);
    Need wanted;
    // A result without uses is computed as the others are.
    if (accumulates(i))
      wanted = std::nullopt;
    else if (known != scope.needed.end())
      wanted = known->second;
    else if (bound && getElements(value) % bound->room == 0)
      wanted = {bound->count, getElements(value) / bound->room};
    need(inner.needed, value, wanted);
  }
  KernelOpInterface single = getKernelOp(kernel);
  if (single && !GraphRows::get(single))
    bound = std::nullopt;
  if (!single)
    inner.sums = findSumBound(kernel, inner);
  for (Operation &op :
       llvm::reverse(kernel.getBody().front().without_terminator()))
    findNeeds(&op, inner);
  for (auto [argument, operand] :
       llvm::zip(kernel.getArguments(), launch.getInputs()))
    if (auto known = inner.needed.find(argument); known != inner.needed.end())
      need(scope.needed, operand, known->second);
  if (inner.sums)
    bound = inner.sums;
  if (bound)
    bounds.push_back({launch, *bound});
}

void CountedRows::findNeedsOfGemm(plan::GemmOp gemm, Scope &scope) {
  std::optional<CountBound> bound;
  bool plain = gemm.getEpilogue() == plan::Epilogue::None;
  Value a = gemm.getA(), b = gemm.getB();
  int64_t m = gemm.getM(), n = gemm.getN(), k = gemm.getK();
  if (plain && !gemm.getTransposeA() && !gemm.getAccumulate()) {
    bound = findRowBound(gemm->getResults(), scope);
    if (bound && m % bound->room)
      bound = std::nullopt;
  } else if (plain && gemm.getTransposeA() && !gemm.getTransposeB() &&
             !gemm.getBias() &&
             getElementTypeOrSelf(gemm.getResult()).isF32()) {
    // The rows of one operand that do not exist are none of the other's.
    for (Value operand : {a, b}) {
      auto known = scope.existing.find(operand);
      if (known == scope.existing.end())
        continue;
      int64_t room = getElements(operand) / known->second.unit;
      unsigned count = known->second.count;
      if (k % room || (bound && bound->room != room)) {
        bound = std::nullopt;
        break;
      }
      bound = {CountBound::Inner, bound ? std::min(bound->count, count) : count,
               room};
    }
  }
  for (Value operand : gemm->getOperands())
    if (operand != a && operand != b && operand != gemm.getAddend())
      need(scope.needed, operand, std::nullopt);
  auto needRows = [&](Value operand, int64_t elements) {
    need(scope.needed, operand,
         bound ? Need({bound->count, elements / bound->room}) : std::nullopt);
  };
  bool isRows = bound && bound->kind == CountBound::Rows;
  needRows(a, m * k);
  if (isRows)
    need(scope.needed, b, std::nullopt);
  else
    needRows(b, k * n);
  if (gemm.getAddend())
    need(scope.needed, gemm.getAddend(),
         isRows ? Need({bound->count, m * n / bound->room}) : std::nullopt);
  if (bound)
    bounds.push_back({gemm, *bound});
}
