//===- RowWise.cpp - Which steps take rows one by one -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/RowWise.h"
#include "dialects/AttributeNames.h"
#include "dialects/nn/IterationSpace.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::kernels;

/// Whether \p type has \p rows rows. A vector has its elements.
static bool hasRows(Type type, int64_t rows) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped && shaped.getRank() > 0 && shaped.getDimSize(0) == rows;
}

Type tessera::kernels::withRows(Type type, int64_t from, int64_t rows) {
  if (!hasRows(type, from))
    return type;
  auto shaped = cast<ShapedType>(type);
  SmallVector<int64_t> shape(shaped.getShape());
  shape[0] = rows;
  return shaped.clone(shape);
}

static bool isSingle(Type type) { return getElementTypeOrSelf(type).isF32(); }

static std::optional<RowWise> getGemm(plan::GemmOp gemm, int64_t rows) {
  if (gemm.getAccumulate() || gemm.getCount() ||
      gemm.getEpilogue() != plan::Epilogue::None ||
      !llvm::all_of(gemm->getOperandTypes(), isSingle) ||
      !llvm::all_of(gemm->getResultTypes(), isSingle))
    return std::nullopt;
  RowWise result;
  bool isSum = gemm.getTransposeA() && !gemm.getTransposeB() &&
               gemm.getK() == rows && gemm.getM() != rows &&
               gemm.getN() != rows && !gemm.getBias() && !gemm.getAddend();
  if (!isSum && (gemm.getTransposeA() || gemm.getM() != rows ||
                 gemm.getK() == rows || gemm.getN() == rows))
    return std::nullopt;
  for (OpOperand &operand : gemm->getOpOperands()) {
    bool isB = operand.get() == gemm.getB() && operand.getOperandNumber() == 1;
    bool isBias = gemm.getBias() && operand.getOperandNumber() == 2;
    result.inRows.push_back(isSum || (!isB && !isBias));
  }
  result.sums.push_back(isSum);
  return result;
}

namespace {

/// What is known of a value of a kernel: whether it is rows, or whole. A
/// constant is either.
enum class Kind { Rows, Whole, Any };

/// Follows rows through a kernel.
class Follower {
public:
  Follower(func::FuncOp kernel, int64_t rows) : kernel(kernel), rows(rows) {}

  std::optional<RowWise> run() {
    RowWise result;
    for (BlockArgument argument : kernel.getArguments()) {
      unsigned number = argument.getArgNumber();
      if (kernel.getArgAttr(number, countsRowsAttrName) ||
          kernel.getArgAttr(number, countsSumsAttrName))
        return std::nullopt;
      bool inRows = hasRows(argument.getType(), rows);
      kinds[argument] = inRows ? Kind::Rows : Kind::Whole;
      result.inRows.push_back(inRows);
    }
    Block &block = kernel.getBody().front();
    for (Operation &op : block.without_terminator())
      if (!follow(op))
        return std::nullopt;
    for (auto [i, value] :
         llvm::enumerate(block.getTerminator()->getOperands())) {
      if (kernel.getResultAttr(i, accumulateAttrName))
        return std::nullopt;
      bool isSum = sums.contains(value);
      if (!isSum &&
          (!value.getDefiningOp() || kinds.lookup(value) != Kind::Rows))
        return std::nullopt;
      result.sums.push_back(isSum);
    }
    return result;
  }

private:
  /// Whether \p op works row by row; notes what its result is.
  bool follow(Operation &op) {
    if (op.getNumResults() != 1)
      return false;
    Value value = op.getResult(0);
    bool shapedAsRows = hasRows(value.getType(), rows);
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      kinds[value] = Kind::Any;
      return isa<SplatElementsAttr>(constant.getValue());
    }
    for (Value operand : op.getOperands())
      if (sums.contains(operand))
        return false;
    if (auto broadcast = dyn_cast<nn::BroadcastOp>(op)) {
      bool fromRows = kinds.lookup(broadcast.getInput()) == Kind::Rows;
      bool alongRows = llvm::is_contained(broadcast.getDims(), 0);
      kinds[value] = shapedAsRows ? Kind::Rows : Kind::Whole;
      return fromRows == alongRows && (shapedAsRows || !fromRows);
    }
    if (auto reduce = dyn_cast<nn::ReduceOp>(op))
      return followReduction(reduce);
    if (auto iota = dyn_cast<nn::IotaOp>(op)) {
      kinds[value] = Kind::Rows;
      return shapedAsRows && iota.getDim() != 0;
    }
    if (auto bits = dyn_cast<nn::RandomBitsOp>(op)) {
      // A row's bits depend on its sample's number alone.
      kinds[value] = Kind::Rows;
      return shapedAsRows && bits.getSamples() && bits.getRowsOfSample() == 1 &&
             kinds.lookup(bits.getSamples()) == Kind::Rows &&
             kinds.lookup(bits.getStream()) == Kind::Whole;
    }
    if (!op.hasTrait<OpTrait::Elementwise>())
      return false;
    Kind kind = shapedAsRows ? Kind::Rows : Kind::Whole;
    kinds[value] = kind;
    return llvm::all_of(op.getOperands(), [&](Value operand) {
      Kind its = kinds.lookup(operand);
      return its == Kind::Any || its == kind;
    });
  }

  bool followReduction(nn::ReduceOp reduce) {
    Value value = reduce.getResult();
    if (kinds.lookup(reduce.getInput()) != Kind::Rows)
      return false;
    if (!llvm::is_contained(reduce.getDims(), 0)) {
      kinds[value] = Kind::Rows;
      return true;
    }
    // Complete only once the last row is known.
    sums.insert(value);
    return reduce.getKind() == nn::Reduction::Sum &&
           !hasRows(value.getType(), rows);
  }

  func::FuncOp kernel;
  int64_t rows;
  DenseMap<Value, Kind> kinds;
  DenseSet<Value> sums;
};

} // namespace

std::optional<RowWise> tessera::kernels::getRowWise(Operation *step,
                                                    int64_t rows,
                                                    SymbolTable &symbols) {
  if (auto gemm = dyn_cast<plan::GemmOp>(step))
    return getGemm(gemm, rows);
  auto launch = dyn_cast<plan::LaunchOp>(step);
  if (!launch)
    return std::nullopt;
  auto kernel = symbols.lookup<func::FuncOp>(launch.getKernel());
  if (!kernel || kernel.isExternal())
    return std::nullopt;
  return Follower(kernel, rows).run();
}
