//===- Update.cpp - The kernel of an optimizer's step -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Update.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/kernels/Buffers.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

/// Elements of one iteration: with AdamW five streams of 16 KiB.
static constexpr int64_t updateBlock = 4096;

namespace {

struct UpdateKernel
    : KernelEmissionOpInterface::ExternalModel<UpdateKernel, zero::UpdateOp> {
  int64_t getIterations(Operation *op) const {
    return llvm::divideCeil(getElements(op->getOperand(0)), updateBlock);
  }

  void emitKernel(Operation *op, KernelBody &body) const {
    VectorBuilder vb(body.builder, body.loc);
    int64_t elements = getElements(op->getOperand(0));
    UpdateEmitter update(vb, cast<zero::UpdateOp>(op), body.inputs,
                         body.outputs);
    Value first = vb.mul(body.begin, updateBlock);
    Value last = vb.min(vb.mul(body.end, updateBlock), vb.index(elements));
    vb.loop(first, last, vectorLanes, [&](Value i) {
      Value mask;
      if (elements % vectorLanes)
        mask = vb.mask(vb.sub(vb.index(elements), i));
      SmallVector<Value> before;
      for (Value end : update.classEnds)
        before.push_back(vb.mask(vb.sub(end, i)));
      update.emit(i, mask, before);
    });
  }
};

} // namespace

void tessera::cpu::registerUpdate(MLIRContext *context) {
  zero::UpdateOp::attachInterface<UpdateKernel>(*context);
}
