//===- GraphDropout.cpp - The kernel of graph.dropout ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/KernelEmission.h"
#include "codegen/cuda/Kernels.h"
#include "codegen/kernels/Attention.h"
#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;

namespace {

constexpr int64_t threads = 256;
/// Threads that share a row's entries.
constexpr int64_t rowThreads = 8;

/// A group of threads goes over a row of the matrix together.
struct DropoutKernel
    : KernelEmissionOpInterface::ExternalModel<DropoutKernel,
                                               graph::DropoutOp> {
  static int64_t getRows(Operation *op) {
    return cast<graph::DropoutOp>(op).getRowPtr().getType().getDimSize(0) - 1;
  }

  SmallVector<Grid> getGrids(Operation *op) const {
    return {{static_cast<int64_t>(
                 llvm::divideCeil(getRows(op), threads / rowThreads)),
             threads}};
  }

  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    auto dropout = cast<graph::DropoutOp>(op);
    Value rowStart = buffers.inputs[0], columns = buffers.inputs[1];
    Value weights = buffers.inputs[2], result = buffers.outputs[0];
    auto stream = codegen::RandomStream::load(tb, buffers.inputs[3]);
    double rate = dropout.getRate().convertToDouble();
    Value row = tb.add(tb.mul(tb.block(), threads / rowThreads),
                       tb.div(tb.thread(), rowThreads));
    Value exists;
    if (getRows(op) % (threads / rowThreads))
      exists = tb.isLess(row, tb.index(getRows(op)));
    tb.onlyIf(exists, [&] {
      Value begin = tb.toIndex(tb.loadScalar(rowStart, row));
      Value end = tb.toIndex(tb.loadScalar(rowStart, tb.add(row, 1)));
      Value first = tb.add(begin, tb.rem(tb.thread(), rowThreads));
      Value none = tb.toI32(tb.index(0));
      tb.loop(first, end, rowThreads, [&](Value entry) {
        Value sample = tb.toI32(row);
        Value element = tb.loadScalar(columns, entry);
        if (dropout.getTranspose())
          std::swap(sample, element);
        Value bits = codegen::emitRandomBits(tb, stream, none, sample, element);
        Value factor = codegen::emitDropFactors(tb, rate, bits);
        tb.storeScalar(tb.mulf(tb.loadScalar(weights, entry), factor), result,
                       entry);
      });
    });
  }
};

} // namespace

void tessera::cuda::registerGraphDropout(MLIRContext *context) {
  graph::DropoutOp::attachInterface<DropoutKernel>(*context);
}
