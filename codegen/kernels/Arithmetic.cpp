//===- Arithmetic.cpp - What kernels compute and move ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Arithmetic.h"
#include "codegen/kernels/Attention.h"
#include "codegen/kernels/Buffers.h"
#include "dialects/graph/Graph.h"
#include "dialects/nn/AttentionParts.h"
#include "dialects/nn/IterationSpace.h"
#include "dialects/plan/Plan.h"
#include "dialects/zero/Zero.h"
#include "target/KernelInterface.h"
#include "target/Target.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;

namespace {

struct UpdateArithmetic
    : KernelOpInterface::ExternalModel<UpdateArithmetic, zero::UpdateOp> {
  int64_t getFlops(Operation *op) const {
    auto update = cast<zero::UpdateOp>(op);
    return optimizer::countFlops(update.getOptimizer()) *
           getElements(update.getParameter());
  }
  int64_t getInPlaceOperand(Operation *op, int64_t result) const {
    return cast<zero::UpdateOp>(op).getOverwrittenOperand(result);
  }
};

struct PartialSumSquaresArithmetic
    : KernelOpInterface::ExternalModel<PartialSumSquaresArithmetic,
                                       nn::PartialSumSquaresOp> {
  int64_t getFlops(Operation *op) const {
    return 2 * getElements(op->getOperand(0));
  }
};

struct SumPartialsArithmetic
    : KernelOpInterface::ExternalModel<SumPartialsArithmetic,
                                       nn::SumPartialsOp> {};

struct ClipScaleArithmetic
    : KernelOpInterface::ExternalModel<ClipScaleArithmetic, nn::ClipScaleOp> {};

struct TransposeArithmetic
    : KernelOpInterface::ExternalModel<TransposeArithmetic, nn::TransposeOp> {};

struct AttentionArithmetic
    : KernelOpInterface::ExternalModel<AttentionArithmetic, nn::AttentionOp> {
  int64_t getFlops(Operation *op) const {
    // Two matmuls; of a pair's softmax, bias, maximum, exponential and sum.
    auto shape = AttentionShape::get(cast<nn::AttentionOp>(op));
    return shape.pairs() * (4 * shape.dim + 4);
  }
};

struct AttentionGradArithmetic
    : KernelOpInterface::ExternalModel<AttentionGradArithmetic,
                                       nn::AttentionGradOp> {
  int64_t getFlops(Operation *op) const {
    // Five matmuls; of a pair's probability, bias, exponential, difference
    // and product.
    auto shape = AttentionShape::get(cast<nn::AttentionGradOp>(op));
    return shape.pairs() * (10 * shape.dim + 4);
  }
};

struct CacheWriteArithmetic
    : KernelOpInterface::ExternalModel<CacheWriteArithmetic, nn::CacheWriteOp> {
  int64_t getMovedBytes(Operation *op) const {
    auto write = cast<nn::CacheWriteOp>(op);
    return 2 * write.getRows() * 2 * write.getKeyHeads() * write.getHeadDim() *
           plan::getElementBytes(getElementTypeOrSelf(write.getCache()));
  }
  int64_t getInPlaceOperand(Operation *, int64_t result) const {
    return result == 0 ? 1 : 5;
  }
};

/// What attention to slots that are full computes and reads.
template <typename Op>
struct CachedAttentionArithmetic
    : KernelOpInterface::ExternalModel<CachedAttentionArithmetic<Op>, Op> {
  /// Two matmuls, and a pair's softmax.
  int64_t getFlops(Operation *op) const {
    auto attention = cast<Op>(op);
    return attention.getRows() * static_cast<int64_t>(attention.getHeads()) *
           getKeys(attention) * (4 * attention.getHeadDim() + 4);
  }
  /// Rows of one slot read its keys together.
  int64_t getMovedBytes(Operation *op) const {
    auto attention = cast<Op>(op);
    int64_t slots =
        std::min<int64_t>(attention.getRows(), attention.getSlotCount());
    int64_t row = plan::getBytes(attention.getCache().getType()) /
                  (attention.getSlotCount() * attention.getSlotLength());
    int64_t bytes = slots * getKeys(attention) * row +
                    plan::getBytes(attention.getQkv().getType());
    for (Type type : op->getResultTypes())
      bytes += plan::getBytes(cast<ShapedType>(type));
    return bytes;
  }

private:
  static int64_t getKeys(Op op) {
    return std::min<int64_t>(op.getSlotLength(),
                             op.getWindow().value_or(op.getSlotLength()));
  }
};

struct MergeAttentionPartsArithmetic
    : KernelOpInterface::ExternalModel<MergeAttentionPartsArithmetic,
                                       nn::MergeAttentionPartsOp> {
  /// A number is decayed and added.
  int64_t getFlops(Operation *op) const {
    return 3 * getElements(cast<nn::MergeAttentionPartsOp>(op).getSums());
  }
};

struct RowMatmulArithmetic
    : KernelOpInterface::ExternalModel<RowMatmulArithmetic, nn::RowMatmulOp> {
  int64_t getFlops(Operation *op) const {
    auto matmul = cast<nn::RowMatmulOp>(op);
    return 2 * matmul.getRows() * matmul.getInner() * matmul.getColumns();
  }
};

struct PackedGatherArithmetic
    : KernelOpInterface::ExternalModel<PackedGatherArithmetic,
                                       nn::PackedGatherOp> {
  /// An element comes with the line of its panel.
  int64_t getMovedBytes(Operation *op) const {
    auto gather = cast<nn::PackedGatherOp>(op);
    constexpr int64_t line = 64;
    return getElements(gather.getResult()) * line +
           plan::getBytes(gather.getResult().getType());
  }
};

struct QuantizeRowsArithmetic
    : KernelOpInterface::ExternalModel<QuantizeRowsArithmetic,
                                       nn::QuantizeRowsOp> {
  /// A number's magnitude, maximum, quotient and sum.
  int64_t getFlops(Operation *op) const {
    return 4 * getElements(op->getOperand(0));
  }
};

struct QuantizedMatmulArithmetic
    : KernelOpInterface::ExternalModel<QuantizedMatmulArithmetic,
                                       nn::QuantizedMatmulOp> {
  int64_t getFlops(Operation *op) const {
    auto matmul = cast<nn::QuantizedMatmulOp>(op);
    return 2 * matmul.getRowCount() * matmul.getInner() * matmul.getColumns();
  }
};

struct QuantizedGatherArithmetic
    : KernelOpInterface::ExternalModel<QuantizedGatherArithmetic,
                                       nn::QuantizedGatherOp> {
  int64_t getFlops(Operation *op) const {
    return getElements(op->getResult(0));
  }
  int64_t getMovedBytes(Operation *op) const {
    return getElements(op->getResult(0)) +
           plan::getBytes(cast<RankedTensorType>(op->getResult(0).getType()));
  }
};

struct ScatterAddArithmetic
    : KernelOpInterface::ExternalModel<ScatterAddArithmetic, nn::ScatterAddOp> {
  int64_t getFlops(Operation *op) const {
    return getElements(cast<nn::ScatterAddOp>(op).getRows());
  }
  int64_t getMovedBytes(Operation *op) const {
    auto scatter = cast<nn::ScatterAddOp>(op);
    int64_t bytes = 3 * plan::getBytes(scatter.getRows().getType());
    // A table that begins as a constant is written whole.
    if (!isa<BlockArgument>(scatter.getInit()))
      bytes += plan::getBytes(scatter.getResult().getType());
    return bytes;
  }
  int64_t getInPlaceOperand(Operation *, int64_t) const { return 0; }
  bool takesConstant(Operation *, int64_t operand) const {
    return operand == 0;
  }
};

struct AggregateArithmetic
    : KernelOpInterface::ExternalModel<AggregateArithmetic,
                                       graph::AggregateOp> {
  int64_t getFlops(Operation *op) const {
    auto graph = cast<graph::CSRType>(op->getOperand(0).getType());
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    return 2 * graph.getEntries() *
           (type.getNumElements() / type.getDimSize(0));
  }
  /// An edge reads its source's row, its number and its weight.
  int64_t getMovedBytes(Operation *op) const {
    auto graph = cast<graph::CSRType>(op->getOperand(0).getType());
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    int64_t result = plan::getBytes(type);
    int64_t row = result / type.getDimSize(0);
    return graph.getEntries() * (row + 8) + result;
  }
};

/// The largest of neighbours, and what its gradient takes.
template <typename Op>
struct NeighborMaxArithmetic
    : KernelOpInterface::ExternalModel<NeighborMaxArithmetic<Op>, Op> {
  static int64_t getWidth(Operation *op) {
    return cast<RankedTensorType>(op->getResult(0).getType()).getDimSize(1);
  }
  /// A comparison for each edge and column; of the others also a sum.
  int64_t getFlops(Operation *op) const {
    return (isa<graph::MaxOp>(op) ? 1 : 2) * getWidth(op) *
           cast<Op>(op).getGraph().getType().getEntries();
  }
  /// An edge reads its neighbour's rows and number.
  int64_t getMovedBytes(Operation *op) const {
    int64_t result =
        plan::getBytes(cast<ShapedType>(op->getResult(0).getType()));
    int64_t element =
        plan::getBytes(cast<ShapedType>(op->getOperand(1).getType())) /
        getElements(op->getOperand(1));
    int64_t rows = isa<graph::MaxGradientOp>(op) ? 2 : 1;
    int64_t ownRows = isa<graph::MaxOp>(op) ? 0 : 1;
    return cast<Op>(op).getGraph().getType().getEntries() *
               (rows * element * getWidth(op) + 4) +
           (1 + ownRows) * result;
  }
};

/// Attention over edges, and its gradient.
template <typename Op>
struct GraphAttentionArithmetic
    : KernelOpInterface::ExternalModel<GraphAttentionArithmetic<Op>, Op> {
  /// Two products and sums for each edge and column; of a score some ten
  /// operations, its exponential counted as one.
  int64_t getFlops(Operation *op) const {
    auto attention = cast<Op>(op);
    return attention.getGraph().getType().getEntries() * attention.getHeads() *
           (4 * attention.getHeadWidth() + 10);
  }
  /// An edge reads its neighbour's row, number and scores.
  int64_t getMovedBytes(Operation *op) const {
    auto attention = cast<Op>(op);
    int64_t scores = op->getNumOperands() - 3;
    int64_t bytes =
        attention.getGraph().getType().getEntries() *
        (4 + 4 * attention.getHeads() * (attention.getHeadWidth() + scores));
    for (Value result : op->getResults())
      bytes += plan::getBytes(cast<ShapedType>(result.getType()));
    return bytes;
  }
};

struct GraphDropoutArithmetic
    : KernelOpInterface::ExternalModel<GraphDropoutArithmetic,
                                       graph::DropoutOp> {
  /// A product each; integers are not counted.
  int64_t getFlops(Operation *op) const {
    return getElements(op->getResult(0));
  }
};

struct QuantizeArithmetic
    : KernelOpInterface::ExternalModel<QuantizeArithmetic, zero::QuantizeOp> {
  /// A comparison, a division and a rounding each.
  int64_t getFlops(Operation *op) const {
    return 3 * getElements(op->getOperand(0));
  }
};

struct DequantizeArithmetic
    : KernelOpInterface::ExternalModel<DequantizeArithmetic,
                                       zero::DequantizeOp> {
  /// A conversion and a product each.
  int64_t getFlops(Operation *op) const {
    return 2 * getElements(op->getResult(0));
  }
};

struct RowLoopArithmetic
    : KernelOpInterface::ExternalModel<RowLoopArithmetic, plan::RowLoopOp> {
  int64_t getFlops(Operation *op) const {
    auto loop = cast<plan::RowLoopOp>(op);
    auto count = [&](FlatSymbolRefAttr name) {
      return codegen::getFlops(
          SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(op, name));
    };
    int64_t flops = count(loop.getChunkAttr()) *
                    static_cast<int64_t>(loop.getRows() / loop.getChunkRows());
    return loop.getRest() ? flops + count(loop.getRestAttr()) : flops;
  }
};

} // namespace

void codegen::registerKernels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, nn::NNDialect *) {
    nn::AttentionOp::attachInterface<AttentionArithmetic>(*context);
    nn::AttentionGradOp::attachInterface<AttentionGradArithmetic>(*context);
    nn::CacheWriteOp::attachInterface<CacheWriteArithmetic>(*context);
    nn::CachedAttentionOp::attachInterface<
        CachedAttentionArithmetic<nn::CachedAttentionOp>>(*context);
    nn::CachedAttentionPartsOp::attachInterface<
        CachedAttentionArithmetic<nn::CachedAttentionPartsOp>>(*context);
    nn::MergeAttentionPartsOp::attachInterface<MergeAttentionPartsArithmetic>(
        *context);
    nn::RowMatmulOp::attachInterface<RowMatmulArithmetic>(*context);
    nn::PackedGatherOp::attachInterface<PackedGatherArithmetic>(*context);
    nn::QuantizeRowsOp::attachInterface<QuantizeRowsArithmetic>(*context);
    nn::QuantizedMatmulOp::attachInterface<QuantizedMatmulArithmetic>(*context);
    nn::QuantizedGatherOp::attachInterface<QuantizedGatherArithmetic>(*context);
    nn::PartialSumSquaresOp::attachInterface<PartialSumSquaresArithmetic>(
        *context);
    nn::SumPartialsOp::attachInterface<SumPartialsArithmetic>(*context);
    nn::ClipScaleOp::attachInterface<ClipScaleArithmetic>(*context);
    nn::ScatterAddOp::attachInterface<ScatterAddArithmetic>(*context);
    nn::TransposeOp::attachInterface<TransposeArithmetic>(*context);
  });
  registry.addExtension(+[](MLIRContext *context, graph::GraphDialect *) {
    graph::AggregateOp::attachInterface<AggregateArithmetic>(*context);
    graph::MaxOp::attachInterface<NeighborMaxArithmetic<graph::MaxOp>>(
        *context);
    graph::MaxTiesOp::attachInterface<NeighborMaxArithmetic<graph::MaxTiesOp>>(
        *context);
    graph::MaxGradientOp::attachInterface<
        NeighborMaxArithmetic<graph::MaxGradientOp>>(*context);
    graph::AttentionOp::attachInterface<
        GraphAttentionArithmetic<graph::AttentionOp>>(*context);
    graph::AttentionGradOp::attachInterface<
        GraphAttentionArithmetic<graph::AttentionGradOp>>(*context);
    graph::DropoutOp::attachInterface<GraphDropoutArithmetic>(*context);
  });
  registry.addExtension(+[](MLIRContext *context, plan::PlanDialect *) {
    plan::RowLoopOp::attachInterface<RowLoopArithmetic>(*context);
  });
  registry.addExtension(+[](MLIRContext *context, zero::ZeroDialect *) {
    zero::UpdateOp::attachInterface<UpdateArithmetic>(*context);
    zero::QuantizeOp::attachInterface<QuantizeArithmetic>(*context);
    zero::DequantizeOp::attachInterface<DequantizeArithmetic>(*context);
  });
  for (const std::unique_ptr<Target> &target : getTargets())
    target->registerKernels(registry);
}

int64_t codegen::getFlops(func::FuncOp kernel) {
  if (KernelOpInterface op = getKernelOp(kernel))
    return op.getFlops();
  int64_t flops = 0;
  for (Operation &op : kernel.getBody().front()) {
    if (auto gemm = dyn_cast<plan::GemmOp>(op)) {
      flops += 2 * gemm.getM() * gemm.getN() * gemm.getK();
      continue;
    }
    if (auto launch = dyn_cast<plan::LaunchOp>(op)) {
      flops += getFlops(SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
          launch, launch.getKernelAttr()));
      continue;
    }
    if (op.getNumResults() != 1 || nn::isTransparent(&op) ||
        op.hasTrait<nn::MovesElements>() ||
        isa<arith::ConstantOp, nn::IotaOp>(op))
      continue;
    Value counted = isa<nn::ReduceOp>(op) ? op.getOperand(0) : op.getResult(0);
    auto type = cast<RankedTensorType>(counted.getType());
    if (isa<FloatType>(type.getElementType()))
      flops += type.getNumElements();
  }
  return flops;
}
