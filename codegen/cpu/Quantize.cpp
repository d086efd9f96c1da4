//===- Quantize.cpp - Kernels of quantized gathers --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A part of n elements is a message of n bytes and, behind them, one fp32 scale
// a block (zero.quantize).
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/VectorBuilder.h"
#include "dialects/zero/Zero.h"
#include <limits>

using namespace mlir;
using namespace tessera;
using namespace tessera::cpu;

static constexpr int64_t kBlock = zero::ZeroDialect::kQuantizedBlock;

static int64_t getElements(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getNumElements();
}

static int64_t getBlocks(int64_t elements) {
  return llvm::divideCeil(elements, kBlock);
}

namespace {

/// Loops over a message's elements and its scales.
class MessageEmitter : public VectorBuilder {
public:
  using VectorBuilder::VectorBuilder;

  VectorType intType() { return vectorType(builder.getI32Type()); }

  Value intSplat(int32_t value) {
    return arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(intType(), builder.getI32IntegerAttr(value)));
  }

  /// The scale at byte \p position of \p bytes, as one fp32 in memory.
  Value scaleAt(Value bytes, Value position) {
    return memref::ViewOp::create(builder, loc,
                                  MemRefType::get({1}, builder.getF32Type()),
                                  bytes, position, ValueRange{});
  }

  /// Elements of block \p block in a part of \p elements: a multiple of kLanes.
  Value blockSize(Value block, int64_t elements) {
    if (elements % kBlock == 0)
      return index(kBlock);
    return min(index(kBlock), sub(index(elements), mul(block, kBlock)));
  }
};

struct QuantizeKernel
    : KernelOpInterface::ExternalModel<QuantizeKernel, zero::QuantizeOp> {
  int64_t getIterations(Operation *op) const {
    return getBlocks(getElements(op->getOperand(0)));
  }
  /// A comparison, a division and a rounding each.
  int64_t getFlops(Operation *op) const {
    return 3 * getElements(op->getOperand(0));
  }

  void emitKernel(Operation *op, KernelBody &body) const {
    MessageEmitter e(body);
    int64_t elements = getElements(op->getOperand(0));
    Value in = body.inputs[0], out = body.outputs[0];
    e.loop(body.begin, body.end, 1, [&](Value block) {
      Value first = e.mul(block, kBlock);
      Value size = e.blockSize(block, elements);
      Value scale = emitScale(e, in, first, size);
      // 0 / 0 is no number, and a scale that is no normal one has too few bits.
      Value isTiny = arith::CmpFOp::create(
          e.builder, e.loc, arith::CmpFPredicate::OLT, scale,
          e.number(std::numeric_limits<float>::min()));
      auto orElse = [&](double number) -> Value {
        return arith::SelectOp::create(e.builder, e.loc, isTiny,
                                       e.number(number), scale);
      };
      Value at = e.add(e.mul(block, 4), elements);
      e.storeScalar(orElse(0), e.scaleAt(out, at), e.index(0));
      emitBytes(e, in, out, first, size, e.splat(orElse(1)));
    });
  }

  /// max |x| / 127. Without their sign numbers are ordered as their bits are,
  /// and NaN is above them all: it is not lost, as it would be in a comparison
  /// of numbers.
  static Value emitScale(MessageEmitter &e, Value in, Value first, Value size) {
    OpBuilder &b = e.builder;
    Value unsignedBits = e.intSplat(0x7fffffff);
    Value most = e.loop(
        e.index(0), size, kLanes, e.intSplat(0),
        [&](Value i, ValueRange carried) {
          Value x = e.load(in, e.add(first, i));
          Value bits = arith::AndIOp::create(
              b, e.loc, arith::BitcastOp::create(b, e.loc, e.intType(), x),
              unsignedBits);
          return SmallVector<Value>{e.max(carried[0], bits)};
        })[0];
    most = vector::ReductionOp::create(b, e.loc, vector::CombiningKind::MAXSI,
                                       most);
    return e.divf(arith::BitcastOp::create(b, e.loc, b.getF32Type(), most),
                  e.number(127));
  }

  static void emitBytes(MessageEmitter &e, Value in, Value out, Value first,
                        Value size, Value divisor) {
    OpBuilder &b = e.builder;
    // In the sum with 1.5 * 2^23 the last bit counts ones: it is rounded as
    // wanted, and its low byte is the whole number in two's complement.
    Value shift = e.splat(12582912.0);
    e.loop(e.index(0), size, kLanes, [&](Value i) {
      Value position = e.add(first, i);
      Value rounded = e.addf(e.divf(e.load(in, position), divisor), shift);
      Value bits = arith::BitcastOp::create(b, e.loc, e.intType(), rounded);
      Value bytes =
          arith::TruncIOp::create(b, e.loc, e.vectorType(b.getI8Type()), bits);
      e.store(bytes, out, position);
    });
  }
};

struct DequantizeKernel
    : KernelOpInterface::ExternalModel<DequantizeKernel, zero::DequantizeOp> {
  static int64_t getPartElements(Operation *op) {
    int64_t parts = cast<zero::DequantizeOp>(op).getParts();
    return getElements(op->getResult(0)) / parts;
  }

  int64_t getIterations(Operation *op) const {
    return cast<zero::DequantizeOp>(op).getParts() *
           getBlocks(getPartElements(op));
  }
  /// A conversion and a product each.
  int64_t getFlops(Operation *op) const {
    return 2 * getElements(op->getResult(0));
  }

  void emitKernel(Operation *op, KernelBody &body) const {
    MessageEmitter e(body);
    OpBuilder &b = e.builder;
    int64_t elements = getPartElements(op), blocks = getBlocks(elements);
    Value in = body.inputs[0], out = body.outputs[0];
    e.loop(body.begin, body.end, 1, [&](Value iteration) {
      Value part = e.div(iteration, blocks), block = e.rem(iteration, blocks);
      Value first = e.mul(block, kBlock);
      Value message = e.mul(part, zero::getQuantizedBytes(elements));
      Value from = e.add(message, first);
      Value to = e.add(e.mul(part, elements), first);
      Value at = e.add(e.add(message, e.mul(block, 4)), elements);
      Value scale = e.splat(e.loadScalar(e.scaleAt(in, at), e.index(0)));
      e.loop(e.index(0), e.blockSize(block, elements), kLanes, [&](Value i) {
        Value bytes = e.load(in, e.add(from, i));
        Value whole = arith::ExtSIOp::create(b, e.loc, e.intType(), bytes);
        e.store(e.mulf(e.toF32(whole), scale), out, e.add(to, i));
      });
    });
  }
};

} // namespace

void tessera::cpu::registerQuantize(MLIRContext *context) {
  zero::QuantizeOp::attachInterface<QuantizeKernel>(*context);
  zero::DequantizeOp::attachInterface<DequantizeKernel>(*context);
}
