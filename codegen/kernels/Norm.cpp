//===- Norm.cpp - The factor that clips gradients ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Norm.h"

using namespace mlir;
using namespace tessera;

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
