//===- NeighborMax.cpp - The kernels of graph.max and its gradient --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/NeighborMax.h"
#include "codegen/cpu/Kernels.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

/// Vectors of a row that are kept in registers at a time.
constexpr int64_t rowVectors = 8;

/// One iteration per node; its numbers stay in registers over all its edges.
template <typename Op>
struct NeighborMaxKernel
    : KernelEmissionOpInterface::ExternalModel<NeighborMaxKernel<Op>, Op> {
  int64_t getIterations(Operation *op) const {
    return cast<RankedTensorType>(op->getResult(0).getType()).getDimSize(0);
  }

  void emitKernel(Operation *op, KernelBody &body) const {
    NeighborMax max(op);
    VectorBuilder vb(body.builder, body.loc);
    int64_t width =
        cast<RankedTensorType>(op->getResult(0).getType()).getDimSize(1);
    Value rowStart = body.inputs[max.arrays()];
    Value neighbors = body.inputs[max.arrays() + 1];
    auto buffersOf = [&](ArrayRef<unsigned> inputs) {
      return llvm::map_to_vector(
          inputs, [&](unsigned i) { return vb.flatten(body.inputs[i]); });
    };
    SmallVector<Value> theirs = buffersOf(max.neighbors());
    SmallVector<Value> own = buffersOf(max.own());
    Value output = vb.flatten(body.outputs[0]);
    vb.loop(body.begin, body.end, 1, [&](Value node) {
      Value begin = vb.toIndex(vb.loadScalar(rowStart, node));
      Value end = vb.toIndex(vb.loadScalar(rowStart, vb.add(node, 1)));
      Value hasEdges = arith::CmpIOp::create(
          vb.builder, vb.loc, arith::CmpIPredicate::slt, begin, end);
      Value row = vb.mul(node, width);
      auto emitColumns = [&](Value column, int64_t count) {
        int64_t vectors = llvm::divideCeil(count, vectorLanes);
        auto loadAll = [&](ArrayRef<Value> buffers, Value start, int64_t v) {
          return llvm::map_to_vector(buffers, [&](Value buffer) {
            return vb.load(buffer, vb.add(start, v * vectorLanes),
                           vb.mask(count - v * vectorLanes));
          });
        };
        Value start = vb.add(row, column);
        SmallVector<SmallVector<Value>> ownNumbers;
        for (int64_t v = 0; v < vectors; ++v)
          ownNumbers.push_back(loadAll(own, start, v));
        SmallVector<Value> values(vectors, max.begin(vb));
        values =
            vb.loop(begin, end, 1, values, [&](Value edge, ValueRange carried) {
              SmallVector<Value> next(carried);
              Value neighbor = vb.toIndex(vb.loadScalar(neighbors, edge));
              Value there = vb.add(vb.mul(neighbor, width), column);
              for (int64_t v = 0; v < vectors; ++v)
                next[v] = max.next(vb, next[v], loadAll(theirs, there, v),
                                   ownNumbers[v]);
              return next;
            });
        for (int64_t v = 0; v < vectors; ++v)
          vb.store(max.end(vb, values[v], hasEdges), output,
                   vb.add(start, v * vectorLanes),
                   vb.mask(count - v * vectorLanes));
      };
      constexpr int64_t columnsAtOnce = rowVectors * vectorLanes;
      int64_t whole = width / columnsAtOnce * columnsAtOnce;
      if (whole)
        vb.loop(0, whole, columnsAtOnce,
                [&](Value column) { emitColumns(column, columnsAtOnce); });
      if (whole < width)
        emitColumns(vb.index(whole), width - whole);
    });
  }
};

} // namespace

void tessera::cpu::registerNeighborMax(MLIRContext *context) {
  graph::MaxOp::attachInterface<NeighborMaxKernel<graph::MaxOp>>(*context);
  graph::MaxTiesOp::attachInterface<NeighborMaxKernel<graph::MaxTiesOp>>(
      *context);
  graph::MaxGradientOp::attachInterface<
      NeighborMaxKernel<graph::MaxGradientOp>>(*context);
}
