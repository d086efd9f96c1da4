//===- Optimizer.cpp - Kernels of the gradient's norm and AdamW -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/VectorBuilder.h"
#include "dialects/nn/NN.h"
#include "dialects/zero/Zero.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cpu;

/// Elements of one iteration of AdamW: five streams of 16 KiB.
static constexpr int64_t kUpdateBlock = 4096;
/// Vectors that are summed side by side, so that additions need not wait for
/// one another.
static constexpr int64_t kSums = 4;

static int64_t getElements(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getNumElements();
}

namespace {

struct AdamWKernel
    : KernelOpInterface::ExternalModel<AdamWKernel, zero::AdamWOp> {
  int64_t getIterations(Operation *op) const {
    return llvm::divideCeil(getElements(op->getOperand(0)), kUpdateBlock);
  }
  int64_t getInPlaceOperand(Operation *op, int64_t result) const {
    // Parameter and the two moments; operand 1 is the gradient.
    constexpr int64_t operands[] = {0, 2, 3, -1};
    return operands[result];
  }

  int64_t getFlops(Operation *op) const {
    return 15 * getElements(op->getOperand(0));
  }

  /// The arithmetic of torch.optim.AdamW, in its order. What depends on the
  /// step alone is computed in double precision, as it is there.
  void emitKernel(Operation *op, KernelBody &body) const {
    auto adamw = cast<zero::AdamWOp>(op);
    VectorBuilder vb(body);
    OpBuilder &b = vb.builder;
    int64_t elements = getElements(adamw.getParameter());
    SmallVector<Value> in;
    for (Value input : body.inputs)
      in.push_back(vb.flatten(input));

    Type f64 = b.getF64Type();
    auto wide = [&](int64_t i) -> Value {
      return arith::ExtFOp::create(b, vb.loc, f64,
                                   vb.loadScalar(in[5], vb.index(i)));
    };
    auto wideNumber = [&](const llvm::APFloat &value) -> Value {
      return arith::ConstantOp::create(b, vb.loc, b.getFloatAttr(f64, value));
    };
    auto narrow = [&](Value value) -> Value {
      return vb.splat(
          arith::TruncFOp::create(b, vb.loc, b.getF32Type(), value));
    };
    Value one = wideNumber(llvm::APFloat(1.0));
    Value rate = wide(0);
    Value step =
        narrow(arith::NegFOp::create(b, vb.loc, vb.divf(rate, wide(1))));
    Value correction =
        narrow(vb.divf(one, math::SqrtOp::create(b, vb.loc, wide(2))));
    Value decayed =
        narrow(vb.subf(one, vb.mulf(rate, wideNumber(adamw.getWeightDecay()))));
    Value kept = vb.splat(1.0);
    double beta1 = adamw.getBeta1().convertToDouble();
    double beta2 = adamw.getBeta2().convertToDouble();
    Value epsilon = vb.splat(adamw.getEpsilon().convertToDouble());
    Value clip = vb.splat(vb.loadScalar(in[4], vb.index(0)));
    Value decayEnd = vb.toIndex(vb.loadScalar(in[6], vb.index(0)));

    Value p = in[0], g = in[1], m = in[2], v = in[3];
    SmallVector<Value> out;
    for (Value output : body.outputs)
      out.push_back(vb.flatten(output));
    Value first = vb.mul(body.begin, kUpdateBlock);
    Value last = vb.min(vb.mul(body.end, kUpdateBlock), vb.index(elements));
    vb.loop(first, last, kLanes, [&](Value i) {
      Value mask;
      if (elements % kLanes)
        mask = vb.mask(vb.sub(vb.index(elements), i));
      Value gradient = vb.mulf(vb.load(g, i, mask), clip);
      Value mean = vb.load(m, i, mask);
      mean = vb.fma(vb.subf(gradient, mean), vb.splat(1 - beta1), mean);
      Value square = vb.mulf(vb.mulf(vb.splat(1 - beta2), gradient), gradient);
      Value variance = vb.fma(vb.load(v, i, mask), vb.splat(beta2), square);
      Value factor = arith::SelectOp::create(
          b, vb.loc, vb.mask(vb.sub(decayEnd, i)), decayed, kept);
      Value parameter = vb.mulf(vb.load(p, i, mask), factor);
      // One division less than sqrt(v) / sqrt(1 - beta2^t): its result differs
      // by the last place at most.
      Value denominator = vb.fma(math::SqrtOp::create(b, vb.loc, variance),
                                 correction, epsilon);
      parameter = vb.addf(parameter, vb.divf(vb.mulf(step, mean), denominator));
      vb.store(parameter, out[0], i, mask);
      vb.store(mean, out[1], i, mask);
      vb.store(variance, out[2], i, mask);
      if (adamw.getRounded())
        vb.store(parameter, out[3], i, mask);
    });
  }
};

struct PartialSumSquaresKernel
    : KernelOpInterface::ExternalModel<PartialSumSquaresKernel,
                                       nn::PartialSumSquaresOp> {
  int64_t getIterations(Operation *op) const {
    return getElements(op->getResult(0));
  }
  int64_t getFlops(Operation *op) const {
    return 2 * getElements(op->getOperand(0));
  }

  void emitKernel(Operation *op, KernelBody &body) const {
    VectorBuilder vb(body);
    OpBuilder &b = vb.builder;
    int64_t elements = getElements(op->getOperand(0));
    constexpr int64_t kBlock = nn::PartialSumSquaresOp::kBlock;
    Value input = vb.flatten(body.inputs[0]);
    Value output = body.outputs[0];
    auto wide = vb.vectorType(b.getF64Type());
    Value zero = arith::ConstantOp::create(b, vb.loc, b.getZeroAttr(wide));
    auto add = [&](Value sum, Value at, Value mask) -> Value {
      Value x =
          arith::ExtFOp::create(b, vb.loc, wide, vb.load(input, at, mask));
      return vb.fma(x, x, sum);
    };
    // Each sum has a stretch of its own: a core reads several streams faster
    // than one.
    constexpr int64_t kStretch = kBlock / kSums;
    bool ragged = elements % kBlock != 0;
    vb.loop(body.begin, body.end, 1, [&](Value block) {
      Value first = vb.mul(block, kBlock);
      SmallVector<Value> sums = vb.loop(
          first, vb.add(first, kStretch), kLanes,
          SmallVector<Value>(kSums, zero), [&](Value i, ValueRange carried) {
            SmallVector<Value> next(carried);
            for (int64_t s = 0; s < kSums; ++s) {
              Value at = vb.add(i, s * kStretch);
              Value mask;
              if (ragged)
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
    : KernelOpInterface::ExternalModel<SumPartialsKernel, nn::SumPartialsOp> {
  int64_t getIterations(Operation *) const { return 1; }

  void emitKernel(Operation *op, KernelBody &body) const {
    VectorBuilder vb(body);
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
    : KernelOpInterface::ExternalModel<ClipScaleKernel, nn::ClipScaleOp> {
  int64_t getIterations(Operation *) const { return 1; }

  void emitKernel(Operation *op, KernelBody &body) const {
    auto clip = cast<nn::ClipScaleOp>(op);
    VectorBuilder vb(body);
    OpBuilder &b = vb.builder;
    auto wide = [&](double value) -> Value {
      return arith::ConstantOp::create(b, vb.loc, b.getF64FloatAttr(value));
    };
    auto store = [&](Value value, Value buffer) {
      Value narrow = arith::TruncFOp::create(b, vb.loc, b.getF32Type(), value);
      memref::StoreOp::create(b, vb.loc, narrow, buffer);
    };
    vb.loop(body.begin, body.end, 1, [&](Value) {
      Value norm = math::SqrtOp::create(
          b, vb.loc, memref::LoadOp::create(b, vb.loc, body.inputs[0]));
      double limit = clip.getMaxNorm().convertToDouble();
      Value scale = wide(1);
      if (limit != 0) {
        Value wanted = vb.divf(wide(limit), vb.addf(norm, wide(1e-6)));
        // A norm that is NaN gives a scale that is NaN.
        Value more = arith::CmpFOp::create(b, vb.loc, arith::CmpFPredicate::OGT,
                                           wanted, scale);
        scale = arith::SelectOp::create(b, vb.loc, more, scale, wanted);
      }
      store(scale, body.outputs[0]);
      store(norm, body.outputs[1]);
    });
  }
};

} // namespace

void tessera::cpu::registerNorm(MLIRContext *context) {
  nn::PartialSumSquaresOp::attachInterface<PartialSumSquaresKernel>(*context);
  nn::SumPartialsOp::attachInterface<SumPartialsKernel>(*context);
  nn::ClipScaleOp::attachInterface<ClipScaleKernel>(*context);
}

void tessera::cpu::registerAdamW(MLIRContext *context) {
  zero::AdamWOp::attachInterface<AdamWKernel>(*context);
}
