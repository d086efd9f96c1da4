//===- Norm.cpp - Kernels of the gradient's norm ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Norm.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/kernels/Buffers.h"
#include "dialects/nn/NN.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

/// Vectors that are summed side by side, so that additions need not wait for
/// one another.
static constexpr int64_t sumsAtOnce = 4;

namespace {

struct PartialSumSquaresKernel
    : KernelEmissionOpInterface::ExternalModel<PartialSumSquaresKernel,
                                               nn::PartialSumSquaresOp> {
  int64_t getIterations(Operation *op) const {
    return getElements(op->getResult(0));
  }

  void emitKernel(Operation *op, KernelBody &body) const {
    VectorBuilder vb(body.builder, body.loc);
    OpBuilder &b = vb.builder;
    int64_t elements = getElements(op->getOperand(0));
    constexpr int64_t blockSize = nn::PartialSumSquaresOp::blockSize;
    Value input = vb.flatten(body.inputs[0]);
    Value output = body.outputs[0];
    auto wide = vb.vectorType(b.getF64Type());
    Value zero = arith::ConstantOp::create(b, vb.loc, b.getZeroAttr(wide));
    auto add = [&](Value sum, Value at, Value mask) -> Value {
      Value x =
          arith::ExtFOp::create(b, vb.loc, wide, vb.load(input, at, mask));
      return vb.fma(x, x, sum);
    };
    // Each sum has a range of its own: a core reads several streams faster
    // than one. Most tensors are far smaller than a block: the ranges beyond
    // them would add nothing.
    constexpr int64_t rangeSize = blockSize / sumsAtOnce;
    int64_t ranges = std::clamp<int64_t>(llvm::divideCeil(elements, rangeSize),
                                         1, sumsAtOnce);
    // Whether a vector of range s may end behind the tensor.
    bool isOneBlock = elements <= blockSize;
    auto isRagged = [&](int64_t s) {
      if (!isOneBlock)
        return elements % blockSize != 0;
      return s == ranges - 1 && elements % (s ? rangeSize : vectorLanes) != 0;
    };
    vb.loop(body.begin, body.end, 1, [&](Value block) {
      Value first = vb.mul(block, blockSize);
      Value end = vb.add(first, rangeSize);
      if (elements % blockSize != 0)
        end = vb.min(end, vb.index(elements));
      SmallVector<Value> sums =
          vb.loop(first, end, vectorLanes, SmallVector<Value>(ranges, zero),
                  [&](Value i, ValueRange carried) {
                    SmallVector<Value> next(carried);
                    for (int64_t s = 0; s < ranges; ++s) {
                      Value at = vb.add(i, s * rangeSize);
                      Value mask;
                      if (isRagged(s))
                        mask = vb.mask(vb.sub(vb.index(elements), at));
                      next[s] = add(next[s], at, mask);
                    }
                    return next;
                  });
      Value sum = sums[0];
      for (Value other : llvm::drop_begin(sums))
        sum = vb.addf(sum, other);
      vb.storeScalar(vb.sum(sum), output, block);
    });
  }
};

struct SumPartialsKernel
    : KernelEmissionOpInterface::ExternalModel<SumPartialsKernel,
                                               nn::SumPartialsOp> {
  int64_t getIterations(Operation *) const { return 1; }

  void emitKernel(Operation *op, KernelBody &body) const {
    VectorBuilder vb(body.builder, body.loc);
    Value sum = arith::ConstantOp::create(vb.builder, vb.loc,
                                          vb.builder.getF64FloatAttr(0));
    // The one iteration may be no part of this call.
    vb.loop(body.begin, body.end, 1, [&](Value) {
      Value total = sum;
      for (auto [input, operand] : llvm::zip(body.inputs, op->getOperands()))
        total = vb.loop(vb.index(0), vb.index(getElements(operand)), 1, total,
                        [&](Value i, ValueRange carried) {
                          return SmallVector<Value>{
                              vb.addf(carried[0], vb.loadScalar(input, i))};
                        })[0];
      memref::StoreOp::create(vb.builder, vb.loc, total, body.outputs[0]);
    });
  }
};

struct ClipScaleKernel
    : KernelEmissionOpInterface::ExternalModel<ClipScaleKernel,
                                               nn::ClipScaleOp> {
  int64_t getIterations(Operation *) const { return 1; }

  void emitKernel(Operation *op, KernelBody &body) const {
    VectorBuilder vb(body.builder, body.loc);
    vb.loop(body.begin, body.end, 1, [&](Value) {
      emitClipScale(vb, cast<nn::ClipScaleOp>(op), body.inputs, body.outputs);
    });
  }
};

} // namespace

void tessera::cpu::registerNorm(MLIRContext *context) {
  nn::PartialSumSquaresOp::attachInterface<PartialSumSquaresKernel>(*context);
  nn::SumPartialsOp::attachInterface<SumPartialsKernel>(*context);
  nn::ClipScaleOp::attachInterface<ClipScaleKernel>(*context);
}
