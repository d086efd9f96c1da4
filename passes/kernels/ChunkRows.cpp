//===- ChunkRows.cpp - Chains of steps in chunks of rows --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Each chain of steps that work row by row becomes a kernel with a
// plan.row_loop.

#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "dialects/nn/NN.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/kernels/Chains.h"
#include "passes/kernels/Passes.h"
#include "target/Target.h"
#include "llvm/ADT/SetVector.h"

namespace tessera::kernels {
#define GEN_PASS_DEF_CHUNKROWS
#include "passes/kernels/Passes.h.inc"
} // namespace tessera::kernels

using namespace mlir;
using namespace tessera;
using namespace tessera::kernels;

/// Parts that have sums of their own, as many as threads use at most.
constexpr int64_t sumParts = 32;
/// Rows that a chunk has at least and is a multiple of.
constexpr int64_t fewestRows = 64, rowUnit = 16;

namespace {

/// Writes chains as kernels.
class ChainWriter {
public:
  ChainWriter(ModuleOp module, SymbolTable &symbols, int64_t chunkBytes)
      : symbols(symbols), builder(module.getContext()), chunkBytes(chunkBytes) {
  }

  void write(Chain &chain);

private:
  using Kernels = std::tuple<Operation *, int64_t, int64_t>;

  func::FuncOp declare(const Twine &name, TypeRange arguments,
                       TypeRange results);
  func::FuncOp getSliced(func::FuncOp kernel, const RowWise &how, int64_t from,
                         int64_t rows);
  func::FuncOp writeChunk(const Chain &chain, int64_t rows);
  func::FuncOp writeLoop(const Chain &chain, int64_t chunkRows, int64_t parts);
  Value writeSum(Value parts);
  void markOverwritten(const Chain &chain, func::FuncOp kernel);

  SymbolTable &symbols;
  OpBuilder builder;
  int64_t chunkBytes;
  std::map<Kernels, func::FuncOp> sliced;
  DenseMap<Type, func::FuncOp> summing;
  SmallVector<Value> rowOutputs, sums; ///< of the chain that is written
};

} // namespace

/// A kernel with an entry block, at the module's end.
func::FuncOp ChainWriter::declare(const Twine &name, TypeRange arguments,
                                  TypeRange results) {
  builder.clearInsertionPoint();
  auto kernel =
      func::FuncOp::create(builder, builder.getUnknownLoc(), name.str(),
                           builder.getFunctionType(arguments, results));
  kernel.setPrivate();
  kernel->setAttr(kernelAttrName, builder.getUnitAttr());
  builder.setInsertionPointToStart(kernel.addEntryBlock());
  symbols.insert(kernel);
  return kernel;
}

/// \p kernel for \p rows rows instead of \p from. What it sums is added to a
/// further argument of each sum.
func::FuncOp ChainWriter::getSliced(func::FuncOp kernel, const RowWise &how,
                                    int64_t from, int64_t rows) {
  func::FuncOp &known = sliced[{kernel, from, rows}];
  if (known)
    return known;
  func::FuncOp clone = known = kernel.clone();
  clone.setSymName((kernel.getSymName() + "." + Twine(rows)).str());
  symbols.insert(clone);
  Block &block = clone.getBody().front();
  auto retype = [&](Value value) {
    value.setType(withRows(value.getType(), from, rows));
  };
  llvm::for_each(block.getArguments(), retype);
  for (Operation &op : block) {
    llvm::for_each(op.getResults(), retype);
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      constant.setValueAttr(
          cast<SplatElementsAttr>(constant.getValue())
              .resizeSplat(cast<ShapedType>(constant.getType())));
  }
  Operation *end = block.getTerminator();
  builder.setInsertionPoint(end);
  for (auto [i, isSum] : llvm::enumerate(how.sums)) {
    if (!isSum)
      continue;
    Value value = end->getOperand(i);
    Value before = block.addArgument(value.getType(), value.getLoc());
    end->setOperand(
        i, arith::AddFOp::create(builder, value.getLoc(), before, value));
    int64_t number = block.getNumArguments() - 1;
    clone.setResultAttr(i, inPlaceAttrName, builder.getI64ArrayAttr(number));
  }
  auto type =
      builder.getFunctionType(block.getArgumentTypes(), end->getOperandTypes());
  // Attributes of arguments are kept, those of the new ones are empty.
  if (ArrayAttr attributes = clone.getArgAttrsAttr()) {
    SmallVector<Attribute> all(attributes.getValue());
    all.resize(type.getNumInputs(), builder.getDictionaryAttr({}));
    clone.setArgAttrsAttr(builder.getArrayAttr(all));
  }
  clone.setFunctionType(type);
  return clone;
}

/// The kernel that runs \p chain's steps on \p rows rows.
func::FuncOp ChainWriter::writeChunk(const Chain &chain, int64_t rows) {
  SmallVector<Type> arguments, results;
  auto slice = [&](Value value) {
    return withRows(value.getType(), chain.rows, rows);
  };
  for (auto [value, inRows] : chain.inputs)
    arguments.push_back(inRows ? slice(value) : value.getType());
  for (Value value : rowOutputs)
    results.push_back(slice(value));
  for (Value value : sums) {
    arguments.push_back(value.getType());
    results.push_back(value.getType());
  }
  // Sliced kernels are written first: the builder is at one place at a time.
  DenseMap<Operation *, func::FuncOp> callees;
  for (Operation *op : chain.steps)
    if (auto launch = dyn_cast<plan::LaunchOp>(op))
      callees[op] = getSliced(symbols.lookup<func::FuncOp>(launch.getKernel()),
                              chain.getHow(op), chain.rows, rows);
  func::FuncOp kernel = declare("chunk." + Twine(rows), arguments, results);
  IRMapping mapping;
  Block &block = kernel.getBody().front();
  for (auto [i, input] : llvm::enumerate(chain.inputs))
    mapping.map(input.first, block.getArgument(i));
  DenseMap<Value, Value> before;
  for (auto [i, value] : llvm::enumerate(sums))
    before[value] = block.getArgument(chain.inputs.size() + i);
  for (Operation *op : chain.steps) {
    SmallVector<Type> types;
    SmallVector<Value> operands, added;
    for (auto [value, isSum] :
         llvm::zip(op->getResults(), chain.getHow(op).sums)) {
      types.push_back(isSum ? value.getType() : slice(value));
      if (isSum)
        added.push_back(before[value]);
    }
    for (Value value : op->getOperands())
      operands.push_back(mapping.lookup(value));
    Operation *step;
    if (auto gemm = dyn_cast<plan::GemmOp>(op)) {
      auto map = [&](Value value) {
        return value ? mapping.lookup(value) : Value();
      };
      Value addend = added.empty() ? map(gemm.getAddend()) : added.front();
      auto local = plan::GemmOp::create(
          builder, op->getLoc(), types, map(gemm.getA()), map(gemm.getB()),
          map(gemm.getBias()), /*aux=*/Value(), addend, /*out=*/Value(),
          /*count=*/Value(), gemm.getTransposeA(), gemm.getTransposeB(),
          /*accumulate=*/false, plan::Epilogue::None,
          /*counted=*/plan::CountedAttr(), /*room=*/IntegerAttr());
      local.setLocal(true);
      step = local;
    } else {
      operands.append(added);
      step = plan::LaunchOp::create(builder, op->getLoc(), types,
                                    callees[op].getSymName(), operands);
    }
    mapping.map(op->getResults(), step->getResults());
  }
  SmallVector<Value> values;
  for (Value value : llvm::concat<Value>(rowOutputs, sums))
    values.push_back(mapping.lookup(value));
  func::ReturnOp::create(builder, builder.getUnknownLoc(), values);
  for (size_t i = 0; i < sums.size(); ++i)
    kernel.setResultAttr(
        rowOutputs.size() + i, inPlaceAttrName,
        builder.getI64ArrayAttr(static_cast<int64_t>(chain.inputs.size() + i)));
  markOverwritten(chain, kernel);
  return kernel;
}

/// Says which inputs the rows that \p kernel gives may overwrite: those that
/// their own step may, and that nothing behind it reads.
void ChainWriter::markOverwritten(const Chain &chain, func::FuncOp kernel) {
  DenseSet<int64_t> taken;
  for (auto [i, value] : llvm::enumerate(rowOutputs)) {
    auto launch = value.getDefiningOp<plan::LaunchOp>();
    if (!launch)
      continue;
    auto callee = symbols.lookup<func::FuncOp>(launch.getKernel());
    auto numbers = callee.getResultAttrOfType<ArrayAttr>(
        cast<OpResult>(value).getResultNumber(), inPlaceAttrName);
    SmallVector<int64_t> overwritten;
    for (Attribute number :
         numbers ? numbers.getValue() : ArrayRef<Attribute>()) {
      Value operand = launch.getOperand(cast<IntegerAttr>(number).getInt());
      auto input = chain.inputs.find(operand);
      if (input == chain.inputs.end() || !input->second)
        continue;
      bool isLast = llvm::all_of(operand.getUsers(), [&](Operation *user) {
        return !chain.contains(user) || user == launch ||
               user->isBeforeInBlock(launch);
      });
      int64_t place = std::distance(chain.inputs.begin(), input);
      if (isLast && taken.insert(place).second)
        overwritten.push_back(place);
    }
    if (!overwritten.empty())
      kernel.setResultAttr(i, inPlaceAttrName,
                           builder.getI64ArrayAttr(overwritten));
  }
}

/// The kernel that loops over the chunks.
func::FuncOp ChainWriter::writeLoop(const Chain &chain, int64_t chunkRows,
                                    int64_t parts) {
  func::FuncOp chunk = writeChunk(chain, chunkRows), rest;
  if (int64_t left = chain.rows % chunkRows)
    rest = writeChunk(chain, left);
  SmallVector<Type> arguments, results;
  for (auto [value, inRows] : chain.inputs)
    arguments.push_back(value.getType());
  for (Value value : rowOutputs)
    results.push_back(value.getType());
  for (Value value : sums) {
    auto type = cast<ShapedType>(value.getType());
    SmallVector<int64_t> shape = {parts};
    llvm::append_range(shape, type.getShape());
    results.push_back(type.clone(shape));
  }
  func::FuncOp kernel = declare("rows", arguments, results);
  auto nameOf = [](func::FuncOp function) {
    return function ? FlatSymbolRefAttr::get(function) : FlatSymbolRefAttr();
  };
  auto loop = plan::RowLoopOp::create(
      builder, builder.getUnknownLoc(), results, nameOf(chunk), nameOf(rest),
      kernel.getArguments(), builder.getI64IntegerAttr(chain.rows),
      builder.getI64IntegerAttr(chunkRows), builder.getI64IntegerAttr(parts));
  func::ReturnOp::create(builder, builder.getUnknownLoc(), loop.getOutputs());
  markOverwritten(chain, kernel);
  return kernel;
}

/// The sum of the entries of \p parts along dimension 0, before the builder.
Value ChainWriter::writeSum(Value parts) {
  auto type = cast<RankedTensorType>(parts.getType());
  Type sum = type.clone(type.getShape().drop_front());
  func::FuncOp &kernel = summing[type];
  if (!kernel) {
    OpBuilder::InsertionGuard guard(builder);
    kernel = declare("sum_parts", type, sum);
    Value value = nn::ReduceOp::create(
        builder, builder.getUnknownLoc(), sum, nn::Reduction::Sum,
        kernel.getArgument(0), builder.getDenseI64ArrayAttr(0));
    func::ReturnOp::create(builder, builder.getUnknownLoc(), value);
  }
  return plan::LaunchOp::create(builder, parts.getLoc(), sum,
                                kernel.getSymName(), parts)
      .getOutputs()
      .front();
}

/// Moves the views that \p value is, up to before \p place.
static void bringBefore(Value value, Operation *place) {
  Operation *op = value.getDefiningOp();
  if (!op || op->isBeforeInBlock(place))
    return;
  bringBefore(op->getOperand(0), place);
  op->moveBefore(place);
}

void ChainWriter::write(Chain &chain) {
  rowOutputs.clear();
  sums.clear();
  // What other chains give has been replaced.
  chain.collectInputs();
  for (Operation *op : chain.steps)
    for (auto [value, isSum] :
         llvm::zip(op->getResults(), chain.getHow(op).sums)) {
      if (isSum)
        sums.push_back(value);
      else if (chain.isReadOutside(value))
        rowOutputs.push_back(value);
    }
  int64_t most = std::max(chunkBytes / chain.getRowBytes(), fewestRows);
  int64_t chunks = llvm::divideCeil(chain.rows, most);
  int64_t chunkRows =
      llvm::alignTo(llvm::divideCeil(chain.rows, chunks), rowUnit);
  chunks = llvm::divideCeil(chain.rows, chunkRows);
  func::FuncOp kernel = writeLoop(chain, chunkRows, std::min(chunks, sumParts));
  for (auto [value, inRows] : chain.inputs)
    bringBefore(value, chain.place);
  builder.setInsertionPoint(chain.place);
  SmallVector<Value> inputs;
  for (auto [value, inRows] : chain.inputs)
    inputs.push_back(value);
  auto launch = plan::LaunchOp::create(builder, chain.place->getLoc(),
                                       kernel.getResultTypes(),
                                       kernel.getSymName(), inputs);
  for (auto [i, value] :
       llvm::enumerate(llvm::concat<Value>(rowOutputs, sums))) {
    Value output = launch.getOutputs()[i];
    value.replaceAllUsesWith(i < rowOutputs.size() ? output : writeSum(output));
  }
  for (Operation *op : llvm::reverse(chain.steps))
    op->erase();
}

/// Erases the kernels of \p module that nothing launches any more.
static void eraseUnused(ModuleOp module, ArrayRef<func::FuncOp> kernels) {
  llvm::DenseSet<StringRef> used;
  module.walk([&](plan::LaunchOp launch) { used.insert(launch.getKernel()); });
  for (func::FuncOp kernel : kernels)
    if (!used.contains(kernel.getSymName()))
      kernel.erase();
}

namespace {

struct ChunkRows : kernels::impl::ChunkRowsBase<ChunkRows> {
  using ChunkRowsBase::ChunkRowsBase;
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(verifyPrograms(module)) || failed(verifyKernels(module)) ||
        failed(verifyLaunches(module)))
      return signalPassFailure();
    const Target *target = getTarget(module);
    if (!target)
      return signalPassFailure();
    int64_t bytes = chunkBytes < 0 ? target->getRowChunkBytes() : chunkBytes;
    if (bytes == 0)
      return;
    SymbolTable symbols(module);
    ChainWriter writer(module, symbols, bytes);
    ChainLimits limits = {leastBytes, leastRows, rowsPerColumn};
    SmallVector<func::FuncOp> kernels, programs;
    for (auto function : module.getOps<func::FuncOp>())
      (function->hasAttr(kernelAttrName) ? kernels : programs)
          .push_back(function);
    for (func::FuncOp program : programs) {
      if (isSampled(program))
        continue;
      Block &block = program.getBody().front();
      for (Chain &chain : findChains(block, symbols, limits)) {
        ++numChains;
        numSteps += chain.steps.size();
        writer.write(chain);
      }
    }
    if (numChains)
      eraseUnused(module, kernels);
  }

  /// Whether some of the rows of \p program's inputs may be no data.
  static bool isSampled(func::FuncOp program) {
    for (unsigned i = 0; i < program.getNumArguments(); ++i)
      if (program.getArgAttr(i, countedAttrName))
        return true;
    return false;
  }
};

} // namespace
