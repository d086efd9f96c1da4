//===- Aggregate.cpp - The kernel of graph.aggregate ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/Kernels.h"
#include "codegen/cuda/RowGroups.h"
#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;

namespace {

/// Edges whose rows are on their way at a time.
constexpr int64_t edgesAtOnce = 4;

/// A group of threads sums a node's row, in registers over all its edges.
struct AggregateKernel
    : KernelEmissionOpInterface::ExternalModel<AggregateKernel,
                                               graph::AggregateOp> {
  static RowGroups getGroups(Operation *op) {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    int64_t nodes = type.getDimSize(0);
    return {nodes, type.getNumElements() / nodes, type};
  }

  SmallVector<Grid> getGrids(Operation *op) const {
    return {getGroups(op).getGrid()};
  }

  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    auto aggregate = cast<graph::AggregateOp>(op);
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    int64_t width = type.getNumElements() / type.getDimSize(0);
    // The graph is its six arrays: those of the rows, then the transpose's.
    unsigned arrays = aggregate.getTranspose() ? 3 : 0;
    Value rowStart = buffers.inputs[arrays];
    Value sources = buffers.inputs[arrays + 1];
    Value weights = buffers.inputs[arrays + 2];
    Value input = tb.flatten(buffers.inputs[6]);
    Value output = tb.flatten(buffers.outputs[0]);
    getGroups(op).emit(tb, [&](Value node, ArrayRef<RowGroups::Place> places) {
      Value begin = tb.toIndex(tb.loadScalar(rowStart, node));
      Value end = tb.toIndex(tb.loadScalar(rowStart, tb.add(node, 1)));
      Value last = tb.add(end, -1);
      SmallVector<Value> sums(places.size(), tb.splat(0.0));
      sums = tb.loop(
          begin, end, edgesAtOnce, sums, [&](Value first, ValueRange carried) {
            // Past the last edge it is loaded once more, and not added.
            SmallVector<Value> exists, factors, rows;
            for (int64_t i = 0; i < edgesAtOnce; ++i) {
              Value edge = tb.add(first, i);
              exists.push_back(i ? tb.isLess(edge, end) : Value());
              edge = i ? tb.min(edge, last) : edge;
              factors.push_back(tb.loadScalar(weights, edge));
              Value source = tb.toIndex(tb.loadScalar(sources, edge));
              rows.push_back(tb.mul(source, width));
            }
            SmallVector<SmallVector<Value>> numbers;
            for (Value row : rows) {
              SmallVector<Value> &loaded = numbers.emplace_back();
              for (const RowGroups::Place &place : places)
                loaded.push_back(tb.load(input, tb.add(row, place.column)));
            }
            SmallVector<Value> next(carried);
            for (int64_t i = 0; i < edgesAtOnce; ++i)
              for (auto [sum, number] : llvm::zip(next, numbers[i])) {
                Value more = tb.fma(tb.splat(factors[i]), number, sum);
                sum = exists[i] ? tb.select(exists[i], more, sum) : more;
              }
            return next;
          });
      Value target = tb.mul(node, width);
      for (auto [place, sum] : llvm::zip(places, sums))
        tb.onlyIf(place.exists, [&, sum = sum, column = place.column] {
          tb.store(sum, output, tb.add(target, column));
        });
    });
  }
};

} // namespace

void tessera::cuda::registerAggregate(MLIRContext *context) {
  graph::AggregateOp::attachInterface<AggregateKernel>(*context);
}
