//===- Aggregate.cpp - The kernel of graph.aggregate ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Kernels.h"
#include "codegen/kernels/VectorBuilder.h"
#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

/// Vectors of a row that are summed in registers at a time.
constexpr int64_t rowVectors = 16;

/// One iteration per node; its sum stays in registers over all its edges.
struct AggregateKernel
    : KernelEmissionOpInterface::ExternalModel<AggregateKernel,
                                               graph::AggregateOp> {
  int64_t getIterations(Operation *op) const {
    return cast<RankedTensorType>(op->getResult(0).getType()).getDimSize(0);
  }

  void emitKernel(Operation *op, KernelBody &body) const {
    auto aggregate = cast<graph::AggregateOp>(op);
    VectorBuilder vb(body.builder, body.loc);
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    int64_t width = type.getNumElements() / type.getDimSize(0);
    // The graph is its six arrays: those of the rows, then the transpose's.
    unsigned arrays = aggregate.getTranspose() ? 3 : 0;
    Value rowStart = body.inputs[arrays], sources = body.inputs[arrays + 1];
    Value weights = body.inputs[arrays + 2];
    Value input = vb.flatten(body.inputs[6]);
    Value output = vb.flatten(body.outputs[0]);
    vb.loop(body.begin, body.end, 1, [&](Value node) {
      Value begin = vb.toIndex(vb.loadScalar(rowStart, node));
      Value end = vb.toIndex(vb.loadScalar(rowStart, vb.add(node, 1)));
      Value target = vb.mul(node, width);
      auto emitColumns = [&](Value column, int64_t count) {
        int64_t vectors = llvm::divideCeil(count, vectorLanes);
        SmallVector<Value> sums(vectors, vb.splat(0.0));
        auto mask = [&](int64_t v) { return vb.mask(count - v * vectorLanes); };
        sums =
            vb.loop(begin, end, 1, sums, [&](Value edge, ValueRange carried) {
              SmallVector<Value> next(carried);
              Value weight = vb.splat(vb.loadScalar(weights, edge));
              Value source = vb.toIndex(vb.loadScalar(sources, edge));
              Value start = vb.add(vb.mul(source, width), column);
              for (int64_t v = 0; v < vectors; ++v)
                next[v] = vb.fma(
                    weight,
                    vb.load(input, vb.add(start, v * vectorLanes), mask(v)),
                    next[v]);
              return next;
            });
        for (int64_t v = 0; v < vectors; ++v)
          vb.store(sums[v], output,
                   vb.add(vb.add(target, column), v * vectorLanes), mask(v));
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

void tessera::cpu::registerAggregate(MLIRContext *context) {
  graph::AggregateOp::attachInterface<AggregateKernel>(*context);
}
