//===- GraphDropout.cpp - The kernel of graph.dropout ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Kernels.h"
#include "codegen/kernels/Attention.h"
#include "dialects/graph/Graph.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

/// One iteration per row of the matrix, whose entries draw in vectors.
struct DropoutKernel
    : KernelEmissionOpInterface::ExternalModel<DropoutKernel,
                                               graph::DropoutOp> {
  int64_t getIterations(Operation *op) const {
    return cast<graph::DropoutOp>(op).getRowPtr().getType().getDimSize(0) - 1;
  }

  void emitKernel(Operation *op, KernelBody &body) const {
    auto dropout = cast<graph::DropoutOp>(op);
    VectorBuilder vb(body.builder, body.loc);
    Value rowStart = body.inputs[0], columns = body.inputs[1];
    Value weights = body.inputs[2], result = body.outputs[0];
    RandomStream stream = RandomStream::load(vb, body.inputs[3]);
    VectorType words = vb.vectorType(vb.builder.getI32Type());
    auto splat = [&](Value word) -> Value {
      return vector::BroadcastOp::create(vb.builder, vb.loc, words, word);
    };
    Value none = splat(vb.toI32(vb.index(0)));
    double rate = dropout.getRate().convertToDouble();
    vb.loop(body.begin, body.end, 1, [&](Value row) {
      Value begin = vb.toIndex(vb.loadScalar(rowStart, row));
      Value end = vb.toIndex(vb.loadScalar(rowStart, vb.add(row, 1)));
      Value own = splat(vb.toI32(row));
      vb.loop(begin, end, vectorLanes, [&](Value entry) {
        Value mask = vb.mask(vb.sub(end, entry));
        Value other = vb.load(columns, entry, mask);
        Value sample = own, element = other;
        if (dropout.getTranspose())
          std::swap(sample, element);
        Value bits = emitRandomBits(vb, stream, none, sample, element);
        Value weight = vb.load(weights, entry, mask);
        vb.store(vb.mulf(weight, emitDropFactors(vb, rate, bits)), result,
                 entry, mask);
      });
    });
  }
};

} // namespace

void tessera::cpu::registerGraphDropout(MLIRContext *context) {
  graph::DropoutOp::attachInterface<DropoutKernel>(*context);
}
