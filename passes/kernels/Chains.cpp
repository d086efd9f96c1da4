//===- Chains.cpp - Steps that work row by row together ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/Chains.h"
#include "dialects/nn/NN.h"
#include "dialects/zero/Zero.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::kernels;

/// A larger sum is not worth a copy for each part.
constexpr int64_t largestSum = 1 << 16;

static int64_t getBytes(Value value) {
  return plan::getBytes(cast<ShapedType>(value.getType()));
}

void Chain::collectInputs() {
  inputs.clear();
  for (Operation *step : steps)
    for (auto [value, inRows] :
         llvm::zip(step->getOperands(), getHow(step).inRows))
      if (!contains(value.getDefiningOp()))
        inputs.insert({value, inRows});
}

void Chain::insert(Operation *step, const RowWise &its) {
  auto *next = llvm::find_if(
      steps, [&](Operation *other) { return step->isBeforeInBlock(other); });
  steps.insert(next, step);
  how[step] = its;
  collectInputs();
}

void Chain::remove(Operation *step) {
  llvm::erase(steps, step);
  how.erase(step);
  collectInputs();
}

bool Chain::isReadOutside(Value value) const {
  return llvm::any_of(value.getUsers(),
                      [&](Operation *user) { return !contains(user); });
}

int64_t Chain::getTraffic() const {
  int64_t bytes = 0;
  for (auto [value, inRows] : inputs)
    bytes += inRows ? getBytes(value) : 0;
  for (Operation *step : steps)
    for (auto [value, isSum] : llvm::zip(step->getResults(), getHow(step).sums))
      bytes += !isSum && isReadOutside(value) ? getBytes(value) : 0;
  return bytes;
}

int64_t Chain::getRowBytes() const {
  int64_t bytes = 0;
  for (auto [value, inRows] : inputs)
    bytes += inRows ? getBytes(value) : 0;
  for (Operation *step : steps)
    for (auto [value, isSum] : llvm::zip(step->getResults(), getHow(step).sums))
      bytes += isSum ? 0 : getBytes(value);
  return bytes / rows;
}

namespace {

/// Finds the chains of a program.
class ChainFinder {
public:
  ChainFinder(Block &block, SymbolTable &symbols, const ChainLimits &limits)
      : block(block), symbols(symbols), limits(limits) {
    int64_t position = 0;
    for (Operation &op : block)
      positions[&op] = position++;
  }

  std::vector<Chain> run() {
    SmallVector<int64_t> counts = getRowCounts();
    for (Operation &op : block) {
      if (isa<nn::SectionOp>(op))
        closeAll();
      for (int64_t rows : counts)
        if (std::optional<RowWise> how = getRowWise(&op, rows, symbols);
            how && fits(&op, *how, rows)) {
          add(&op, *how, rows);
          break;
        }
    }
    closeAll();
    // One that has lost the step at its place is written before the one that
    // has it now.
    llvm::stable_sort(chains, [&](const Chain &a, const Chain &b) {
      return positions.lookup(a.place) < positions.lookup(b.place);
    });
    return std::move(chains);
  }

private:
  /// The numbers of rows that chains may have.
  SmallVector<int64_t> getRowCounts() {
    llvm::SetVector<int64_t> counts;
    for (Operation &op : block)
      if (isa<plan::LaunchOp, plan::GemmOp>(op))
        for (Value value : op.getOperands())
          if (auto type = cast<ShapedType>(value.getType());
              type.getRank() > 0 && type.getDimSize(0) >= limits.leastRows)
            counts.insert(type.getDimSize(0));
    return counts.takeVector();
  }

  /// Whether the sizes of a step are those that chains are for.
  bool fits(Operation *op, const RowWise &how, int64_t rows) {
    auto isNarrow = [&](Value value) {
      int64_t columns =
          cast<ShapedType>(value.getType()).getNumElements() / rows;
      return columns * limits.rowsPerColumn <= rows;
    };
    for (auto [value, inRows] : llvm::zip(op->getOperands(), how.inRows))
      if (inRows && !isNarrow(value))
        return false;
    for (auto [value, isSum] : llvm::zip(op->getResults(), how.sums))
      if (isSum
              ? cast<ShapedType>(value.getType()).getNumElements() > largestSum
              : !isNarrow(value))
        return false;
    return llvm::is_contained(how.inRows, true);
  }

  void add(Operation *op, const RowWise &how, int64_t rows) {
    for (Chain &chain : llvm::reverse(open))
      if (chain.rows == rows && join(chain, op, how))
        return;
    Chain &chain = open.emplace_back();
    chain.rows = rows;
    chain.place = op;
    chain.insert(op, how);
  }

  /// Whether \p op can take its operands within \p chain as they are there.
  static bool agrees(const Chain &chain, Operation *op, const RowWise &how) {
    for (auto [value, inRows] : llvm::zip(op->getOperands(), how.inRows)) {
      if (auto input = chain.inputs.find(value);
          input != chain.inputs.end() && input->second != inRows)
        return false;
      Operation *definition = value.getDefiningOp();
      if (!definition || !chain.contains(definition))
        continue;
      unsigned number = cast<OpResult>(value).getResultNumber();
      if (!inRows || chain.getHow(definition).sums[number])
        return false;
    }
    return true;
  }

  bool join(Chain &chain, Operation *op, const RowWise &how) {
    if (!agrees(chain, op, how))
      return false;
    if (canSink(chain, op))
      chain.place = op;
    else if (!canHoist(chain, op))
      return false;
    chain.insert(op, how);
    return true;
  }

  /// When \p op runs: where it stands or where its chain does, which may come
  /// to nothing. The first and the last of the two.
  std::pair<int64_t, int64_t> getTimes(Operation *op) {
    int64_t time = positions.lookup(op);
    for (Chain &chain : open)
      if (chain.contains(op))
        return std::minmax({time, positions.lookup(chain.place)});
    return {time, time};
  }

  /// Whether nothing before \p op needs what \p chain gives, but itself, or
  /// takes away what it reads.
  bool canSink(const Chain &chain, Operation *op) {
    int64_t time = positions.lookup(op);
    for (Operation *step : chain.steps) {
      for (Operation *user : step->getUsers())
        if (!chain.contains(user) && user != op && getTimes(user).first < time)
          return false;
      if (!lasts(step, time))
        return false;
    }
    return true;
  }

  /// Whether nothing ends what \p step reads before \p time, as the release of
  /// a gathered group does.
  bool lasts(Operation *step, int64_t time) {
    return llvm::all_of(step->getOperands(), [&](Value value) {
      while (auto *view = value.getDefiningOp()) {
        if (!isa<nn::SliceOp, nn::ReshapeOp>(view))
          break;
        value = view->getOperand(0);
      }
      return llvm::none_of(value.getUsers(), [&](Operation *user) {
        return isa<zero::ReleaseOp>(user) && positions.lookup(user) < time;
      });
    });
  }

  /// Whether all that \p op needs is there where \p chain runs, or can be.
  bool canHoist(const Chain &chain, Operation *op) {
    return llvm::all_of(op->getOperands(), [&](Value value) {
      Operation *definition = value.getDefiningOp();
      return (definition && chain.contains(definition)) ||
             isThere(value, chain.place);
    });
  }

  bool isThere(Value value, Operation *place) {
    Operation *op = value.getDefiningOp();
    if (!op || getTimes(op).second < positions.lookup(place))
      return true;
    // A view moves with what it looks at.
    return isa<nn::SliceOp, nn::ReshapeOp>(op) &&
           isThere(op->getOperand(0), place);
  }

  /// Whether \p step of \p chain may as well run in \p other, which is later.
  bool mayMove(const Chain &chain, const Chain &other, Operation *step) {
    int64_t time = positions.lookup(other.place);
    if (chain.rows != other.rows || time <= positions.lookup(chain.place) ||
        !agrees(other, step, chain.getHow(step)))
      return false;
    if (!lasts(step, time))
      return false;
    for (OpOperand &use : step->getUses()) {
      Operation *user = use.getOwner();
      if (!other.contains(user) && getTimes(user).first <= time)
        return false;
      unsigned number = cast<OpResult>(use.get()).getResultNumber();
      if (other.contains(user) &&
          (chain.getHow(step).sums[number] ||
           !other.getHow(user).inRows[use.getOperandNumber()]))
        return false;
    }
    return true;
  }

  /// Moves steps to later chains where less is then read and written whole: a
  /// product that only a later chain reads, or a sum over rows that it reads
  /// anyway.
  void moveLater() {
    for (Chain &chain : llvm::reverse(open)) {
      SmallVector<Operation *> steps(llvm::reverse(chain.steps));
      for (Operation *step : steps)
        for (Chain &other : open) {
          if (!mayMove(chain, other, step))
            continue;
          int64_t before = chain.getTraffic() + other.getTraffic();
          RowWise how = chain.how.lookup(step);
          chain.remove(step);
          other.insert(step, how);
          if (chain.getTraffic() + other.getTraffic() < before)
            break;
          other.remove(step);
          chain.insert(step, how);
        }
    }
  }

  void closeAll() {
    moveLater();
    for (Chain &chain : open)
      if (isWorthwhile(chain))
        chains.push_back(std::move(chain));
    open.clear();
  }

  bool isWorthwhile(const Chain &chain) {
    bool sums = llvm::any_of(chain.steps, [&](Operation *op) {
      return isa<plan::GemmOp>(op) &&
             llvm::is_contained(chain.getHow(op).sums, true);
    });
    return (sums || chain.steps.size() > 1) &&
           chain.getRowBytes() * chain.rows >= limits.leastBytes;
  }

  Block &block;
  SymbolTable &symbols;
  const ChainLimits &limits;
  DenseMap<Operation *, int64_t> positions;
  std::vector<Chain> open, chains;
};

} // namespace

std::vector<Chain> tessera::kernels::findChains(Block &block,
                                                SymbolTable &symbols,
                                                const ChainLimits &limits) {
  return ChainFinder(block, symbols, limits).run();
}
