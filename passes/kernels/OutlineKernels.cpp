//===- OutlineKernels.cpp - Fuse and outline kernels ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "dialects/graph/Graph.h"
#include "dialects/zero/Zero.h"
#include "passes/kernels/Fusion.h"
#include "passes/kernels/Passes.h"
#include "target/KernelInterface.h"
#include "target/Target.h"
#include "llvm/ADT/SetVector.h"

namespace tessera::kernels {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "passes/kernels/Passes.h.inc"
} // namespace tessera::kernels

using namespace mlir;
using namespace tessera;
using namespace tessera::kernels;
using namespace tessera::nn;

namespace {

/// Makes kernels, one function for each structure, and their launches.
class KernelLibrary {
public:
  explicit KernelLibrary(ModuleOp module)
      : symbols(module), builder(module.getContext()) {}

  /// Launches, where \p place inserts, the kernel that computes \p outputs from
  /// \p inputs by \p body.
  plan::LaunchOp launch(OpBuilder &place, ArrayRef<Operation *> body,
                        ValueRange inputs, ValueRange outputs) {
    Kernel &kernel = get(body, inputs, outputs);
    auto launch = plan::LaunchOp::create(place, getLocation(body),
                                         kernel.function.getResultTypes(),
                                         kernel.function.getSymName(), inputs);
    kernel.launches.push_back(launch);
    return launch;
  }

  /// Puts all kernels into the module, each under the name of what it does and
  /// of the layers that launch it.
  void finish() {
    for (Kernel &kernel : kernels) {
      std::string layer = getLayer(kernel.launches);
      std::string name = layer + (layer.empty() ? "" : ".") +
                         kernel.function.getSymName().str();
      unsigned count = names[name]++;
      if (count)
        name += "_" + std::to_string(count);
      kernel.function.setSymName(name);
      symbols.insert(kernel.function);
      if (!layer.empty())
        kernel.function->setLoc(NameLoc::get(builder.getStringAttr(layer),
                                             kernel.launches.front().getLoc()));
      for (plan::LaunchOp launch : kernel.launches)
        launch.setKernel(kernel.function.getSymName());
    }
  }

  unsigned size() const { return kernels.size(); }

private:
  struct Kernel {
    func::FuncOp function; ///< in no module yet
    SmallVector<plan::LaunchOp, 1> launches;
  };

  /// The location of a launch that runs \p body: where it can, one that names
  /// a layer.
  static Location getLocation(ArrayRef<Operation *> body) {
    for (Operation *op : llvm::reverse(body))
      if (op->getLoc()->findInstanceOf<NameLoc>())
        return op->getLoc();
    return body.back()->getLoc();
  }

  /// The layer of \p launches. Layers of a list that do the same share kernels:
  /// of "h.0.norm" and "h.1.norm" this is "h.norm". Empty where they have none
  /// in common.
  static std::string getLayer(ArrayRef<plan::LaunchOp> launches) {
    llvm::SetVector<StringRef> layers;
    for (plan::LaunchOp launch : launches) {
      auto loc = launch.getLoc()->findInstanceOf<NameLoc>();
      layers.insert(loc ? loc.getName().getValue() : "");
    }
    if (layers.size() == 1)
      return layers.front().str();
    std::optional<SmallVector<StringRef>> common;
    for (StringRef layer : layers) {
      SmallVector<StringRef> parts;
      layer.split(parts, '.');
      llvm::erase_if(parts, [](StringRef part) {
        unsigned number;
        return !part.getAsInteger(10, number);
      });
      if (common) {
        auto ends = llvm::mismatch(*common, parts);
        parts.truncate(ends.second - parts.begin());
      }
      common = std::move(parts);
    }
    return llvm::join(*common, ".");
  }

  /// The kernel that computes \p outputs from \p inputs by \p body.
  Kernel &get(ArrayRef<Operation *> body, ValueRange inputs,
              ValueRange outputs) {
    SmallVector<size_t, 1> &alike = indices[computeHash(body, inputs, outputs)];
    for (size_t index : alike)
      if (isEquivalent(kernels[index].function, body, inputs, outputs))
        return kernels[index];
    alike.push_back(kernels.size());
    return kernels.emplace_back(Kernel{make(body, inputs, outputs), {}});
  }

  /// A hash of what a kernel computes: most launches are of one that is there
  /// already, which need not be written again to be found.
  static size_t computeHash(ArrayRef<Operation *> body, ValueRange inputs,
                            ValueRange outputs) {
    DenseMap<Value, unsigned> numbers;
    auto number = [&](ValueRange values) {
      for (Value value : values)
        numbers.try_emplace(value, numbers.size());
    };
    auto hashNumber = [&](Value value) {
      return llvm::hash_value(numbers.lookup(value));
    };
    number(inputs);
    llvm::hash_code hash(0);
    for (Value input : inputs)
      hash = llvm::hash_combine(hash, input.getType());
    for (Operation *op : body) {
      hash = llvm::hash_combine(
          hash, OperationEquivalence::computeHash(
                    op, hashNumber, OperationEquivalence::ignoreHashValue,
                    OperationEquivalence::IgnoreLocations));
      number(op->getResults());
    }
    for (Value output : outputs)
      hash = llvm::hash_combine(hash, hashNumber(output));
    return hash;
  }

  /// Whether \p kernel computes \p outputs from \p inputs by \p body.
  static bool isEquivalent(func::FuncOp kernel, ArrayRef<Operation *> body,
                           ValueRange inputs, ValueRange outputs) {
    Block &block = kernel.getBody().front();
    if (block.getArgumentTypes() != inputs.getTypes())
      return false;
    IRMapping mapping;
    mapping.map(inputs, block.getArguments());
    auto check = [&](Value mine, Value its) {
      return success(mapping.lookupOrNull(mine) == its);
    };
    auto mark = [&](Value mine, Value its) { mapping.map(mine, its); };
    auto next = block.begin();
    for (Operation *op : body)
      if (!OperationEquivalence::isEquivalentTo(
              op, &*next++, check, mark, OperationEquivalence::IgnoreLocations))
        return false;
    return isa<func::ReturnOp>(*next) &&
           llvm::equal(outputs, next->getOperands(),
                       [&](Value mine, Value its) {
                         return succeeded(check(mine, its));
                       });
  }

  func::FuncOp make(ArrayRef<Operation *> body, ValueRange inputs,
                    ValueRange outputs) {
    builder.clearInsertionPoint();
    auto kernel = func::FuncOp::create(
        builder, builder.getUnknownLoc(), describe(body),
        builder.getFunctionType(inputs.getTypes(), outputs.getTypes()));
    kernel.setPrivate();
    kernel->setAttr(kernelAttrName, builder.getUnitAttr());
    Block *block = kernel.addEntryBlock();
    builder.setInsertionPointToStart(block);
    IRMapping mapping;
    mapping.map(inputs, block->getArguments());
    for (Operation *op : body) {
      Operation *clone = builder.clone(*op, mapping);
      clone->setLoc(builder.getUnknownLoc());
    }
    SmallVector<Value> results;
    for (Value output : outputs)
      results.push_back(mapping.lookup(output));
    func::ReturnOp::create(builder, builder.getUnknownLoc(), results);
    markResults(kernel);
    kernel->setLoc(body.back()->getLoc());
    return kernel;
  }

  /// Says which arguments each result may overwrite, and which results are
  /// added to their buffers.
  void markResults(func::FuncOp kernel) {
    Operation *end = kernel.getBody().front().getTerminator();
    for (auto [index, result] : llvm::enumerate(end->getOperands())) {
      Operation *op = result.getDefiningOp();
      if (isa_and_present<nn::AccumulateOp>(op)) {
        kernel.setResultAttr(index, accumulateAttrName, builder.getUnitAttr());
        continue;
      }
      SmallVector<int64_t> overwritable;
      if (auto single = dyn_cast_if_present<KernelOpInterface>(op)) {
        int64_t operand =
            single.getInPlaceOperand(cast<OpResult>(result).getResultNumber());
        auto argument = operand < 0
                            ? BlockArgument()
                            : dyn_cast<BlockArgument>(op->getOperand(operand));
        if (argument)
          overwritable.push_back(argument.getArgNumber());
      } else {
        for (BlockArgument argument : kernel.getArguments())
          if (argument.getType() == result.getType() &&
              (isa<nn::ConcatColumnsOp>(op)
                   ? isReadByParts(argument,
                                   cast<nn::ConcatColumnsOp>(op).getInputs())
                   : isReadElementwise(argument, result.getType())))
            overwritable.push_back(argument.getArgNumber());
      }
      if (!overwritable.empty())
        kernel.setResultAttr(index, inPlaceAttrName,
                             builder.getI64ArrayAttr(overwritable));
    }
  }

  /// True if each element of \p argument is read only to compute the elements
  /// at its own place. Rows are finished one by one, and a row's results are
  /// stored after its reductions.
  static bool isReadElementwise(Value argument, Type type) {
    SmallVector<Value> work = {argument};
    DenseSet<Value> seen;
    while (!work.empty()) {
      Value value = work.pop_back_val();
      if (!seen.insert(value).second)
        continue;
      for (Operation *user : value.getUsers()) {
        if (isa<nn::BroadcastOp, nn::SliceColumnsOp, nn::ConcatColumnsOp,
                nn::GatherOp, nn::ReshapeOp, nn::RandomBitsOp>(user))
          return false;
        if (auto reduce = dyn_cast<nn::ReduceOp>(user)) {
          // Along its own row only, and the row must be one of the results.
          auto from = cast<RankedTensorType>(type);
          if (getReductionSpace(reduce).byColumns ||
              reduce.getInput().getType().getShape() != from.getShape() ||
              reduce.getDims().size() != 1)
            return false;
          continue;
        }
        if (user->getNumResults() == 1 &&
            cast<RankedTensorType>(user->getResult(0).getType()).getShape() ==
                cast<RankedTensorType>(type).getShape())
          work.push_back(user->getResult(0));
      }
    }
    return true;
  }

  /// True if \p argument is read in parts like \p parts alone: whoever computes
  /// a column of the parts reads that column of each, and stores it then.
  static bool isReadByParts(Value argument, ValueRange parts) {
    return llvm::all_of(argument.getUsers(), [&](Operation *user) {
      auto slice = dyn_cast<nn::SliceColumnsOp>(user);
      return slice && slice.getResult().getType() == parts.front().getType();
    });
  }

  /// A name that says what the kernel does: its distinctive operations.
  static std::string describe(ArrayRef<Operation *> body) {
    llvm::SetVector<StringRef> words;
    for (Operation *op : body) {
      StringRef word = op->getName().stripDialect();
      if (auto reduce = dyn_cast<nn::ReduceOp>(op))
        word = getReductionSpace(reduce).byColumns      ? "columnsum"
               : reduce.getKind() == nn::Reduction::Sum ? "rowsum"
                                                        : "rowmax";
      else if (auto update = dyn_cast<zero::UpdateOp>(op))
        word = update.getOptimizer().getName();
      else if (isa<arith::ConstantOp, nn::BroadcastOp, nn::SliceColumnsOp,
                   nn::ConcatColumnsOp, nn::ReshapeOp, graph::CSROp>(op))
        continue;
      word.consume_back("f");
      words.insert(word);
    }
    if (words.empty())
      words.insert("fill");
    std::string name = llvm::join(words.getArrayRef().take_front(4), "_");
    if (words.size() > 4)
      name += "_etc";
    return name;
  }

  SymbolTable symbols;
  OpBuilder builder;
  std::vector<Kernel> kernels;
  DenseMap<size_t, SmallVector<size_t, 1>> indices; ///< of kernels, by hash
  llvm::StringMap<unsigned> names;
};

struct OutlineKernels : kernels::impl::OutlineKernelsBase<OutlineKernels> {
  using OutlineKernelsBase::OutlineKernelsBase;
  void runOnOperation() override {
    if (failed(verifyPrograms(getOperation())))
      return signalPassFailure();
    ModuleOp module = getOperation();
    const Target *target = getTarget(module);
    if (!target)
      return signalPassFailure();
    int64_t mostSums =
        mostColumnSums < 0 ? target->getMostColumnSums() : mostColumnSums;
    KernelLibrary library(module);
    SmallVector<func::FuncOp> programs;
    for (auto function : module.getOps<func::FuncOp>())
      if (!function->hasAttr(kernelAttrName))
        programs.push_back(function);
    LogicalResult result = success();
    for (func::FuncOp program : programs)
      if (succeeded(result))
        result = outlineProgram(program.getBody().front(), mostSums, library);
    library.finish();
    if (failed(result))
      return signalPassFailure();
    numKernels += library.size();
  }

  LogicalResult outlineProgram(Block &block, int64_t mostSums,
                               KernelLibrary &library) {
    FailureOr<std::vector<Cluster>> clusters = fuse(block, mostSums);
    if (failed(clusters))
      return failure();
    // Launches take the place of fused operations only when all exist, since
    // clusters share what they repeat.
    IRMapping stored;
    DenseMap<Operation *, Operation *> last;
    for (const Cluster &cluster : *clusters) {
      OpBuilder builder(block.getParent());
      Operation *&previous = last[cluster.after];
      if (previous)
        builder.setInsertionPointAfter(previous);
      else if (cluster.after)
        builder.setInsertionPointAfter(cluster.after);
      else
        builder.setInsertionPointToStart(&block);
      plan::LaunchOp launch = library.launch(builder, cluster.body,
                                             cluster.inputs, cluster.outputs);
      previous = launch;
      stored.map(cluster.outputs, launch.getOutputs());
      ++numLaunches;
    }
    for (const Cluster &cluster : *clusters)
      for (Value output : cluster.outputs)
        output.replaceAllUsesWith(stored.lookup(output));
    eraseFused(block);
    outlineSingles(block, library);
    return success();
  }

  void eraseFused(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if ((isFusible(&op) || isa<nn::ReshapeOp>(op)) && op.use_empty())
        op.erase();
  }

  void outlineSingles(Block &block, KernelLibrary &library) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (!isa<KernelOpInterface>(op))
        continue;
      // A graph is its arrays, and a constant that was not stored part of the
      // kernel.
      SmallVector<Operation *> body;
      llvm::SetVector<Value> inputs;
      for (Value operand : op.getOperands()) {
        Operation *definition = operand.getDefiningOp();
        if (isa_and_nonnull<graph::CSROp, arith::ConstantOp>(definition)) {
          if (!llvm::is_contained(body, definition))
            body.push_back(definition);
          inputs.insert_range(definition->getOperands());
        } else {
          inputs.insert(operand);
        }
      }
      body.push_back(&op);
      OpBuilder builder(&op);
      plan::LaunchOp launch =
          library.launch(builder, body, inputs.getArrayRef(), op.getResults());
      op.replaceAllUsesWith(launch.getOutputs());
      op.erase();
      ++numLaunches;
    }
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isa<graph::CSROp, arith::ConstantOp>(op) && op.use_empty())
        op.erase();
  }
};

} // namespace
