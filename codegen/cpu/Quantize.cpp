//===- Quantize.cpp - Kernels of quantized gathers --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Quantize.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/kernels/Buffers.h"
#include "dialects/zero/Zero.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

static constexpr int64_t blockSize = zero::ZeroDialect::quantizedBlock;

static int64_t getBlocks(int64_t elements) {
  return llvm::divideCeil(elements, blockSize);
}

/// Elements of block \p block in a part of \p elements: a multiple of
/// vectorLanes.
static Value getBlockSize(VectorBuilder &vb, Value block, int64_t elements) {
  if (elements % blockSize == 0)
    return vb.index(blockSize);
  return vb.min(vb.index(blockSize),
                vb.sub(vb.index(elements), vb.mul(block, blockSize)));
}

namespace {

struct QuantizeKernel
    : KernelEmissionOpInterface::ExternalModel<QuantizeKernel,
                                               zero::QuantizeOp> {
  int64_t getIterations(Operation *op) const {
    return getBlocks(getElements(op->getOperand(0)));
  }

  void emitKernel(Operation *op, KernelBody &body) const {
    VectorBuilder vb(body.builder, body.loc);
    int64_t elements = getElements(op->getOperand(0));
    Value in = body.inputs[0], out = body.outputs[0];
    vb.loop(body.begin, body.end, 1, [&](Value block) {
      Value first = vb.mul(block, blockSize);
      Value size = getBlockSize(vb, block, elements);
      BlockScale scale = emitScale(vb, in, first, size);
      Value at = vb.add(vb.mul(block, 4), elements);
      vb.storeScalar(scale.stored, getScaleBuffer(vb, out, at), vb.index(0));
      Value divisor = vb.splat(scale.divisor);
      vb.loop(vb.index(0), size, vectorLanes, [&](Value i) {
        Value position = vb.add(first, i);
        vb.store(toBytes(vb, vb.load(in, position), divisor), out, position);
      });
    });
  }

  static BlockScale emitScale(VectorBuilder &vb, Value in, Value first,
                              Value size) {
    OpBuilder &b = vb.builder;
    Value none = arith::ConstantOp::create(
        b, vb.loc, b.getZeroAttr(vb.vectorType(b.getI32Type())));
    Value most = vb.loop(
        vb.index(0), size, vectorLanes, none, [&](Value i, ValueRange carried) {
          Value x = vb.load(in, vb.add(first, i));
          return SmallVector<Value>{vb.max(carried[0], getMagnitude(vb, x))};
        })[0];
    most = vector::ReductionOp::create(b, vb.loc, vector::CombiningKind::MAXSI,
                                       most);
    return getBlockScale(vb, most);
  }
};

struct DequantizeKernel
    : KernelEmissionOpInterface::ExternalModel<DequantizeKernel,
                                               zero::DequantizeOp> {
  static int64_t getPartElements(Operation *op) {
    int64_t parts = cast<zero::DequantizeOp>(op).getParts();
    return getElements(op->getResult(0)) / parts;
  }

  int64_t getIterations(Operation *op) const {
    return cast<zero::DequantizeOp>(op).getParts() *
           getBlocks(getPartElements(op));
  }

  void emitKernel(Operation *op, KernelBody &body) const {
    VectorBuilder vb(body.builder, body.loc);
    int64_t elements = getPartElements(op), blocks = getBlocks(elements);
    Value in = body.inputs[0], out = body.outputs[0];
    vb.loop(body.begin, body.end, 1, [&](Value iteration) {
      Value part = vb.div(iteration, blocks), block = vb.rem(iteration, blocks);
      Value first = vb.mul(block, blockSize);
      Value message = vb.mul(part, zero::getQuantizedBytes(elements));
      Value from = vb.add(message, first);
      Value to = vb.add(vb.mul(part, elements), first);
      Value at = vb.add(vb.add(message, vb.mul(block, 4)), elements);
      Value scale =
          vb.splat(vb.loadScalar(getScaleBuffer(vb, in, at), vb.index(0)));
      vb.loop(vb.index(0), getBlockSize(vb, block, elements), vectorLanes,
              [&](Value i) {
                Value bytes = vb.load(in, vb.add(from, i));
                vb.store(fromBytes(vb, bytes, scale), out, vb.add(to, i));
              });
    });
  }
};

} // namespace

void tessera::cpu::registerQuantize(MLIRContext *context) {
  zero::QuantizeOp::attachInterface<QuantizeKernel>(*context);
  zero::DequantizeOp::attachInterface<DequantizeKernel>(*context);
}
