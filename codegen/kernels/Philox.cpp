//===- Philox.cpp - Random bits in kernels --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Philox.h"
#include "runtime/core/Random.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;

using runtime::philoxIncrements;
using runtime::philoxMultipliers;
using runtime::philoxRounds;

namespace {

/// Arithmetic on whole numbers and vectors of them.
struct Bits {
  OpBuilder &builder;
  Location loc;

  /// \p value in \p type, in each lane of a vector.
  Value constant(Type type, uint64_t value) {
    auto element = cast<IntegerType>(getElementTypeOrSelf(type));
    auto number = IntegerAttr::get(element, APInt(element.getWidth(), value));
    if (auto vector = dyn_cast<VectorType>(type))
      return arith::ConstantOp::create(
          builder, loc, DenseElementsAttr::get(vector, Attribute(number)));
    return arith::ConstantOp::create(builder, loc, number);
  }
  /// A vector of these lanes.
  Value constant(ArrayRef<uint64_t> lanes) {
    return arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(
            VectorType::get(lanes.size(), builder.getI64Type()), lanes));
  }
  Value add(Value a, Value b) {
    return arith::AddIOp::create(builder, loc, a, b);
  }
  Value add(Value a, uint64_t b) { return add(a, constant(a.getType(), b)); }
  Value mul(Value a, Value b) {
    return arith::MulIOp::create(builder, loc, a, b);
  }
  Value both(Value a, Value b) {
    return arith::AndIOp::create(builder, loc, a, b);
  }
  Value either(Value a, Value b) {
    return arith::OrIOp::create(builder, loc, a, b);
  }
  Value differ(Value a, Value b) {
    return arith::XOrIOp::create(builder, loc, a, b);
  }
  Value right(Value a, uint64_t count) {
    return arith::ShRUIOp::create(builder, loc, a,
                                  constant(a.getType(), count));
  }
  Value wide(Value a) {
    return arith::ExtUIOp::create(builder, loc, builder.getI64Type(), a);
  }
  /// Two numbers of 32 bits as one of 64.
  Value pair(Value low, Value high) {
    Value upper = wide(high);
    return either(wide(low),
                  arith::ShLIOp::create(builder, loc, upper,
                                        constant(upper.getType(), 32)));
  }
  Value splat(VectorType type, Value scalar) {
    return vector::BroadcastOp::create(builder, loc, type, scalar);
  }
  Value shuffle(Value a, Value b, ArrayRef<int64_t> lanes) {
    return vector::ShuffleOp::create(builder, loc, a, b, lanes);
  }
  Value as(VectorType type, Value a) {
    return vector::BitCastOp::create(builder, loc, type, a);
  }
};

} // namespace

RandomStream RandomStream::load(VectorBuilder &vb, Value buffer) {
  Value words = vb.flatten(buffer);
  auto word = [&](int64_t i) { return vb.loadScalar(words, vb.index(i)); };
  return {word(0), word(1), {word(2), word(3)}};
}

std::array<Value, 4> codegen::emitPhilox(VectorBuilder &vb,
                                         const RandomStream &stream, Value call,
                                         Value sample) {
  Bits b{vb.builder, vb.loc};
  auto vector = dyn_cast<VectorType>(call.getType());
  auto everywhere = [&](Value scalar) {
    return vector ? b.splat(vector, scalar) : scalar;
  };
  std::array<Value, 4> c = {call, sample, everywhere(stream.step),
                            everywhere(stream.draw)};
  std::array<Value, 2> key = stream.key;
  for (int round = 0; round < philoxRounds; ++round) {
    auto multiply = [&](int which) {
      return arith::MulUIExtendedOp::create(
          vb.builder, vb.loc, c[2 * which],
          b.constant(call.getType(), philoxMultipliers[which]));
    };
    auto p0 = multiply(0), p1 = multiply(1);
    c = {b.differ(b.differ(p1.getHigh(), c[1]), everywhere(key[0])),
         p1.getLow(),
         b.differ(b.differ(p0.getHigh(), c[3]), everywhere(key[1])),
         p0.getLow()};
    for (int i : {0, 1})
      key[i] = b.add(key[i], philoxIncrements[i]);
  }
  return c;
}

Value codegen::emitRandomBits(VectorBuilder &vb, const RandomStream &stream,
                              Value firstCall, Value sample, Value element) {
  Bits b{vb.builder, vb.loc};
  Type type = element.getType();
  std::array<Value, 4> words =
      emitPhilox(vb, stream, b.add(firstCall, b.right(element, 2)), sample);
  auto choose = [&](uint64_t bit, Value one, Value zero) -> Value {
    Value set = arith::CmpIOp::create(
        vb.builder, vb.loc, arith::CmpIPredicate::ne,
        b.both(element, b.constant(type, bit)), b.constant(type, 0));
    return arith::SelectOp::create(vb.builder, vb.loc, set, one, zero);
  };
  return choose(2, choose(1, words[3], words[2]),
                choose(1, words[1], words[0]));
}

Value codegen::emitRandomRow(VectorBuilder &vb, const RandomStream &stream,
                             Value firstCall, Value sample, Value element) {
  Bits b{vb.builder, vb.loc};
  int64_t lanes = vb.lanes, pairs = lanes / 2;
  VectorType words = vb.vectorType(vb.builder.getI32Type());
  if (lanes % 4 != 0) {
    auto steps = llvm::to_vector(llvm::seq<int32_t>(lanes));
    Value lane = arith::ConstantOp::create(vb.builder, vb.loc,
                                           vb.builder.getI32VectorAttr(steps));
    return emitRandomBits(vb, stream, b.splat(words, firstCall),
                          b.splat(words, sample),
                          b.add(b.splat(words, vb.toI32(element)), lane));
  }
  // A call's state is two lanes of 64 bits: words 0 and 1, words 2 and 3. The
  // words that are multiplied are the low halves.
  auto wide = VectorType::get(pairs, vb.builder.getI64Type());
  SmallVector<int64_t> alternate, reversed;
  SmallVector<uint64_t> calls, factors;
  for (int64_t i = 0; i < pairs; ++i) {
    alternate.push_back(i % 2 ? pairs + i : i);
    calls.push_back(i % 2 ? 0 : i / 2);
    factors.push_back(philoxMultipliers[i % 2]);
  }
  for (int64_t i = 0; i < lanes; ++i)
    reversed.push_back(i / 4 * 4 + 3 - i % 4);
  auto inTurn = [&](Value even, Value odd) {
    return b.shuffle(b.splat(wide, even), b.splat(wide, odd), alternate);
  };
  Value call = b.add(firstCall, b.right(vb.toI32(element), 2));
  Value state =
      b.add(inTurn(b.pair(call, sample), b.pair(stream.step, stream.draw)),
            b.constant(calls));
  Value factor = b.constant(factors), low = b.constant(wide, 0xffffffff);
  std::array<Value, 2> key = stream.key;
  for (int round = 0; round < philoxRounds; ++round) {
    // (low 0, high 0, low 1, high 1) of the products to (high 1, low 1, high 0,
    // low 0); words 1 and 3 and the key come to the high ones.
    Value products = b.as(words, b.mul(b.both(state, low), factor));
    Value kept =
        b.differ(b.right(state, 32), inTurn(b.wide(key[0]), b.wide(key[1])));
    state = b.differ(b.as(wide, b.shuffle(products, products, reversed)), kept);
    for (int i : {0, 1})
      key[i] = b.add(key[i], philoxIncrements[i]);
  }
  return b.as(words, state);
}
