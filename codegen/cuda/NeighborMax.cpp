//===- NeighborMax.cpp - The kernels of graph.max and its gradient --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/NeighborMax.h"
#include "codegen/cuda/Kernels.h"
#include "codegen/cuda/RowGroups.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cuda;

namespace {

/// Edges whose rows are on their way at a time.
constexpr int64_t edgesAtOnce = 4;

/// A group of threads has a node's row, in registers over all its edges.
template <typename Op>
struct NeighborMaxKernel
    : KernelEmissionOpInterface::ExternalModel<NeighborMaxKernel<Op>, Op> {
  static RowGroups getGroups(Operation *op) {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    return {type.getDimSize(0), type.getDimSize(1), type};
  }

  SmallVector<Grid> getGrids(Operation *op) const {
    return {getGroups(op).getGrid()};
  }

  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    NeighborMax max(op);
    int64_t width =
        cast<RankedTensorType>(op->getResult(0).getType()).getDimSize(1);
    Value rowStart = buffers.inputs[max.arrays()];
    Value neighbors = buffers.inputs[max.arrays() + 1];
    auto buffersOf = [&](ArrayRef<unsigned> inputs) {
      return llvm::map_to_vector(
          inputs, [&](unsigned i) { return tb.flatten(buffers.inputs[i]); });
    };
    SmallVector<Value> theirs = buffersOf(max.neighbors());
    SmallVector<Value> own = buffersOf(max.own());
    Value output = tb.flatten(buffers.outputs[0]);
    getGroups(op).emit(tb, [&](Value node, ArrayRef<RowGroups::Place> places) {
      Value begin = tb.toIndex(tb.loadScalar(rowStart, node));
      Value end = tb.toIndex(tb.loadScalar(rowStart, tb.add(node, 1)));
      Value last = tb.add(end, -1), row = tb.mul(node, width);
      auto loadAll = [&](ArrayRef<Value> from, Value start) {
        return llvm::map_to_vector(places, [&](const RowGroups::Place &place) {
          return llvm::map_to_vector(from, [&](Value buffer) {
            return tb.load(buffer, tb.add(start, place.column));
          });
        });
      };
      auto ownNumbers = loadAll(own, row);
      SmallVector<Value> values(places.size(), max.begin(tb));
      values = tb.loop(
          begin, end, edgesAtOnce, values,
          [&](Value first, ValueRange carried) {
            // Past the last edge it is loaded once more, and does not count.
            SmallVector<Value> exists, rows;
            for (int64_t i = 0; i < edgesAtOnce; ++i) {
              Value edge = tb.add(first, i);
              exists.push_back(i ? tb.isLess(edge, end) : Value());
              edge = i ? tb.min(edge, last) : edge;
              Value neighbor = tb.toIndex(tb.loadScalar(neighbors, edge));
              rows.push_back(tb.mul(neighbor, width));
            }
            auto numbers = llvm::map_to_vector(
                rows, [&](Value there) { return loadAll(theirs, there); });
            SmallVector<Value> next(carried);
            for (int64_t i = 0; i < edgesAtOnce; ++i)
              for (auto [value, their, mine] :
                   llvm::zip(next, numbers[i], ownNumbers)) {
                Value with = max.next(tb, value, their, mine);
                value = exists[i] ? tb.select(exists[i], with, value) : with;
              }
            return next;
          });
      Value hasEdges = tb.isLess(begin, end);
      for (auto [place, value] : llvm::zip(places, values)) {
        Value result = max.end(tb, value, hasEdges);
        tb.onlyIf(place.exists, [&, column = place.column] {
          tb.store(result, output, tb.add(row, column));
        });
      }
    });
  }
};

} // namespace

void tessera::cuda::registerNeighborMax(MLIRContext *context) {
  graph::MaxOp::attachInterface<NeighborMaxKernel<graph::MaxOp>>(*context);
  graph::MaxTiesOp::attachInterface<NeighborMaxKernel<graph::MaxTiesOp>>(
      *context);
  graph::MaxGradientOp::attachInterface<
      NeighborMaxKernel<graph::MaxGradientOp>>(*context);
}
