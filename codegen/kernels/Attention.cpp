//===- Attention.cpp - What attention is on every target --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Attention.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;

SmallVector<double> tessera::codegen::getAlibiSlopes(int64_t heads) {
  auto power = static_cast<int64_t>(llvm::bit_floor<uint64_t>(heads));
  SmallVector<double> slopes;
  for (int64_t head = 0; head < heads; ++head)
    slopes.push_back(head < power
                         ? std::exp2(-8.0 * (head + 1) / power)
                         : std::exp2(-4.0 * (2 * (head - power) + 1) / power));
  return slopes;
}

HeadRows codegen::HeadRows::ofPacked(VectorBuilder &vb,
                                     const AttentionShape &shape, Value buffer,
                                     Value token, int64_t which, Value head) {
  Value start =
      vb.add(vb.mul(token, shape.columns), vb.mul(head, shape.headStride));
  return {buffer, vb.add(start, shape.column[which]), shape.columns};
}

HeadRows codegen::HeadRows::ofOutput(VectorBuilder &vb,
                                     const AttentionShape &shape, Value buffer,
                                     Value token, Value head) {
  int64_t hidden = shape.heads * shape.dim;
  return {buffer, vb.add(vb.mul(token, hidden), vb.mul(head, shape.dim)),
          hidden};
}

HeadDraw codegen::HeadDraw::load(VectorBuilder &vb, ValueRange draw,
                                 Value batch, Value head) {
  HeadDraw result{RandomStream::load(vb, draw[0]),
                  vb.loadScalar(vb.flatten(draw[1]), batch)};
  result.stream.draw =
      vb.add(result.stream.draw, vb.toI32(vb.mul(head, 1 << 16)));
  return result;
}

Value codegen::emitDropFactors(VectorBuilder &vb, double rate, Value bits) {
  OpBuilder &builder = vb.builder;
  Type numbers = builder.getF32Type();
  if (auto vector = dyn_cast<VectorType>(bits.getType()))
    numbers = vector.clone(numbers);
  auto constant = [&](Type type, Attribute number) -> Value {
    if (auto vector = dyn_cast<VectorType>(type))
      number = DenseElementsAttr::get(vector, number);
    return arith::ConstantOp::create(builder, vb.loc, cast<TypedAttr>(number));
  };
  auto threshold = static_cast<int32_t>(nn::getDropThreshold(rate));
  Value kept = arith::CmpIOp::create(
      builder, vb.loc, arith::CmpIPredicate::uge, bits,
      constant(bits.getType(), builder.getI32IntegerAttr(threshold)));
  return arith::SelectOp::create(
      builder, vb.loc, kept,
      constant(numbers, builder.getF32FloatAttr(1 / (1 - rate))),
      constant(numbers, builder.getF32FloatAttr(0)));
}
