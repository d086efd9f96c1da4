//===- AdamW.cpp - The arithmetic of an AdamW step --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/AdamW.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;

AdamWUpdate::AdamWUpdate(VectorBuilder &vb, zero::AdamWOp op, ValueRange inputs,
                         ValueRange outputs)
    : vb(vb), rounds(static_cast<bool>(op.getRounded())),
      beta1(op.getBeta1().convertToDouble()),
      beta2(op.getBeta2().convertToDouble()) {
  for (Value input : inputs)
    in.push_back(vb.flatten(input));
  for (Value output : outputs)
    out.push_back(vb.flatten(output));
  OpBuilder &b = vb.builder;
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
        Value(arith::TruncFOp::create(b, vb.loc, b.getF32Type(), value)));
  };
  Value one = wideNumber(llvm::APFloat(1.0));
  Value rate = wide(0);
  step = narrow(arith::NegFOp::create(b, vb.loc, vb.divf(rate, wide(1))));
  correction = narrow(vb.divf(one, math::SqrtOp::create(b, vb.loc, wide(2))));
  decayed =
      narrow(vb.subf(one, vb.mulf(rate, wideNumber(op.getWeightDecay()))));
  epsilon = vb.splat(op.getEpsilon().convertToDouble());
  clip = vb.splat(vb.loadScalar(in[4], vb.index(0)));
  decayEnd = vb.toIndex(vb.loadScalar(in[6], vb.index(0)));
}

void AdamWUpdate::emit(Value position, Value mask, Value decays) {
  OpBuilder &b = vb.builder;
  Value parameter = vb.load(in[0], position, mask);
  Value gradient = vb.load(in[1], position, mask);
  Value mean = vb.load(in[2], position, mask);
  Value variance = vb.load(in[3], position, mask);
  gradient = vb.mulf(gradient, clip);
  mean = vb.fma(vb.subf(gradient, mean), vb.splat(1 - beta1), mean);
  Value square = vb.mulf(vb.mulf(vb.splat(1 - beta2), gradient), gradient);
  variance = vb.fma(variance, vb.splat(beta2), square);
  Value factor =
      arith::SelectOp::create(b, vb.loc, decays, decayed, vb.splat(1.0));
  parameter = vb.mulf(parameter, factor);
  // One division less than sqrt(v) / sqrt(1 - beta2^t): its result differs by
  // the last place at most.
  Value denominator =
      vb.fma(math::SqrtOp::create(b, vb.loc, variance), correction, epsilon);
  parameter = vb.addf(parameter, vb.divf(vb.mulf(step, mean), denominator));
  vb.store(parameter, out[0], position, mask);
  vb.store(mean, out[1], position, mask);
  vb.store(variance, out[2], position, mask);
  if (rounds)
    vb.store(parameter, out[3], position, mask);
}

void tessera::codegen::emitClipScale(VectorBuilder &vb, nn::ClipScaleOp op,
                                     ValueRange inputs, ValueRange outputs) {
  OpBuilder &b = vb.builder;
  auto wide = [&](double value) -> Value {
    return arith::ConstantOp::create(b, vb.loc, b.getF64FloatAttr(value));
  };
  auto store = [&](Value value, Value buffer) {
    Value narrow = arith::TruncFOp::create(b, vb.loc, b.getF32Type(), value);
    memref::StoreOp::create(b, vb.loc, narrow, buffer);
  };
  Value norm = math::SqrtOp::create(
      b, vb.loc, memref::LoadOp::create(b, vb.loc, inputs[0]));
  double limit = op.getMaxNorm().convertToDouble();
  Value scale = wide(1);
  if (limit != 0) {
    Value wanted = vb.divf(wide(limit), vb.addf(norm, wide(1e-6)));
    // A norm that is NaN gives a scale that is NaN.
    Value more = arith::CmpFOp::create(b, vb.loc, arith::CmpFPredicate::OGT,
                                       wanted, scale);
    scale = arith::SelectOp::create(b, vb.loc, more, scale, wanted);
  }
  store(scale, outputs[0]);
  store(norm, outputs[1]);
}
