//===- Quantize.cpp - The arithmetic of quantized blocks --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Quantize.h"
#include <limits>

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;

static VectorType getBitsType(VectorBuilder &vb) {
  return vb.vectorType(vb.builder.getI32Type());
}

Value codegen::getMagnitude(VectorBuilder &vb, Value x) {
  Value unsignedBits = arith::ConstantOp::create(
      vb.builder, vb.loc,
      DenseElementsAttr::get(getBitsType(vb),
                             vb.builder.getI32IntegerAttr(0x7fffffff)));
  Value bits = arith::BitcastOp::create(vb.builder, vb.loc, getBitsType(vb), x);
  return arith::AndIOp::create(vb.builder, vb.loc, bits, unsignedBits);
}

BlockScale codegen::getBlockScale(VectorBuilder &vb, Value most) {
  Value number = arith::BitcastOp::create(vb.builder, vb.loc,
                                          vb.builder.getF32Type(), most);
  Value scale = vb.divf(number, vb.number(127));
  // 0 / 0 is no number, and a scale that is no normal one has too few bits.
  Value isTiny = arith::CmpFOp::create(
      vb.builder, vb.loc, arith::CmpFPredicate::OLT, scale,
      vb.number(std::numeric_limits<float>::min()));
  auto orElse = [&](double number) -> Value {
    return arith::SelectOp::create(vb.builder, vb.loc, isTiny,
                                   vb.number(number), scale);
  };
  return {orElse(0), orElse(1)};
}

Value codegen::toBytes(VectorBuilder &vb, Value x, Value divisor) {
  // In the sum with 1.5 * 2^23 the last bit counts ones: it is rounded as
  // wanted, and its low byte is the whole number in two's complement.
  Value rounded = vb.addf(vb.divf(x, divisor), vb.splat(12582912.0));
  Value bits =
      arith::BitcastOp::create(vb.builder, vb.loc, getBitsType(vb), rounded);
  return arith::TruncIOp::create(vb.builder, vb.loc,
                                 vb.vectorType(vb.builder.getI8Type()), bits);
}

Value codegen::fromBytes(VectorBuilder &vb, Value bytes, Value scale) {
  Value whole =
      arith::ExtSIOp::create(vb.builder, vb.loc, getBitsType(vb), bytes);
  return vb.mulf(vb.toF32(whole), scale);
}

Value codegen::getScaleBuffer(VectorBuilder &vb, Value message,
                              Value position) {
  return memref::ViewOp::create(vb.builder, vb.loc,
                                MemRefType::get({1}, vb.builder.getF32Type()),
                                message, position, ValueRange{});
}
