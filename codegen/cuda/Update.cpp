//===- Update.cpp - The kernel of an optimizer's step -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Update.h"
#include "codegen/cuda/KernelEmission.h"
#include "codegen/cuda/Kernels.h"
#include "codegen/kernels/Buffers.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;
using codegen::getElements;

static constexpr int64_t threads = 256;

namespace {

/// A thread updates the four elements of one access of each stream.
struct UpdateKernel
    : KernelEmissionOpInterface::ExternalModel<UpdateKernel, zero::UpdateOp> {
  static int64_t getLanes(int64_t elements) {
    return elements % 4 == 0 ? 4 : 1;
  }

  SmallVector<Grid> getGrids(Operation *op) const {
    int64_t elements = getElements(op->getOperand(0));
    return {{static_cast<int64_t>(
                 llvm::divideCeil(elements, getLanes(elements) * threads)),
             threads}};
  }

  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    OpBuilder &b = tb.builder;
    int64_t elements = getElements(op->getOperand(0));
    tb.lanes = getLanes(elements);
    codegen::UpdateEmitter update(tb, cast<zero::UpdateOp>(op), buffers.inputs,
                                  buffers.outputs);
    Value number = tb.add(tb.mul(tb.block(), threads), tb.thread());
    Value at = tb.mul(number, tb.lanes);
    auto steps = llvm::to_vector(llvm::seq<int32_t>(tb.lanes));
    Value lane =
        arith::ConstantOp::create(b, tb.loc, b.getI32VectorAttr(steps));
    SmallVector<Value> counts;
    for (Value end : update.classEnds)
      counts.push_back(tb.toI32(tb.clampToLanes(tb.sub(end, at))));
    Value exists;
    if (elements % (threads * tb.lanes))
      exists = tb.isLess(at, tb.index(elements));
    tb.onlyIf(exists, [&] {
      SmallVector<Value> before;
      for (Value count : counts)
        before.push_back(tb.isLess(lane, tb.splat(count)));
      update.emit(at, {}, before);
    });
  }
};

} // namespace

void tessera::cuda::registerUpdate(MLIRContext *context) {
  zero::UpdateOp::attachInterface<UpdateKernel>(*context);
}
