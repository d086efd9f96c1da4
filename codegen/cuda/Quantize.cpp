//===- Quantize.cpp - Kernels of quantized gathers --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Quantize.h"
#include "codegen/cuda/KernelEmission.h"
#include "codegen/cuda/Kernels.h"
#include "codegen/kernels/Buffers.h"
#include "dialects/zero/Zero.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;
using codegen::getElements;

static constexpr int64_t blockSize = zero::ZeroDialect::quantizedBlock;
static constexpr int64_t threads = 256;
/// A warp has a block of elements, a thread a few vectors of it. Messages begin
/// at multiples of four bytes.
static constexpr int64_t laneNumbers = 4;
static constexpr int64_t laneVectors = blockSize / (warpSize * laneNumbers);

static int64_t getBlocks(int64_t elements) {
  return llvm::divideCeil(elements, blockSize);
}

/// A grid with a warp for each of \p blocks blocks of elements.
static Grid getGrid(int64_t blocks) {
  return {static_cast<int64_t>(llvm::divideCeil(blocks * warpSize, threads)),
          threads};
}

namespace {

/// One of a thread's vectors: where it begins in its part, moved to the part's
/// last one if it lies past the end, and whether it does not (null: never).
struct Place {
  Value position, exists;
};

/// What a warp does with its block of elements.
class BlockEmitter {
public:
  /// \p blocks blocks in all, in parts of \p elements each.
  BlockEmitter(ThreadBuilder &tb, int64_t blocks, int64_t elements)
      : tb(tb), lane(tb.rem(tb.thread(), warpSize)) {
    tb.lanes = laneNumbers;
    number = tb.add(tb.mul(tb.block(), threads / warpSize),
                    tb.div(tb.thread(), warpSize));
    // All threads of a warp take part in what they exchange.
    if (blocks * warpSize % threads) {
      exists = tb.isLess(number, tb.index(blocks));
      number = tb.min(number, tb.index(blocks - 1));
    }
    int64_t blocksOfPart = getBlocks(elements);
    part = tb.div(number, blocksOfPart);
    block = tb.rem(number, blocksOfPart);
    Value first = tb.add(tb.mul(block, blockSize), tb.mul(lane, laneNumbers));
    for (int64_t v = 0; v < laneVectors; ++v) {
      Place place = {tb.add(first, v * warpSize * laneNumbers), {}};
      if (elements % blockSize) {
        place.exists = tb.isLess(place.position, tb.index(elements));
        place.position =
            tb.min(place.position, tb.index(elements - laneNumbers));
      }
      places.push_back(place);
    }
  }

  ThreadBuilder &tb;
  Value lane, number;
  Value exists; ///< whether there is a block for this warp; null: always
  Value part, block;
  SmallVector<Place> places;
};

struct QuantizeKernel
    : KernelEmissionOpInterface::ExternalModel<QuantizeKernel,
                                               zero::QuantizeOp> {
  SmallVector<Grid> getGrids(Operation *op) const {
    return {getGrid(getBlocks(getElements(op->getOperand(0))))};
  }

  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    OpBuilder &b = tb.builder;
    int64_t elements = getElements(op->getOperand(0));
    BlockEmitter e(tb, getBlocks(elements), elements);
    Value in = buffers.inputs[0], out = buffers.outputs[0];
    // A vector past the end is one of the block's own, loaded once more.
    SmallVector<Value> numbers;
    for (const Place &place : e.places)
      numbers.push_back(tb.load(in, place.position));
    Value most = codegen::getMagnitude(tb, numbers[0]);
    for (Value vector : llvm::drop_begin(numbers))
      most = tb.max(most, codegen::getMagnitude(tb, vector));
    most = vector::ReductionOp::create(b, tb.loc, vector::CombiningKind::MAXSI,
                                       most);
    most = tb.combineWarp(most, warpSize,
                          [&](Value x, Value y) { return tb.max(x, y); });
    codegen::BlockScale scale = codegen::getBlockScale(tb, most);
    Value at = tb.add(tb.mul(e.block, 4), elements);
    tb.onlyIf(tb.both(tb.isEqual(e.lane, tb.index(0)), e.exists), [&] {
      tb.storeScalar(scale.stored, codegen::getScaleBuffer(tb, out, at),
                     tb.index(0));
    });
    Value divisor = tb.splat(scale.divisor);
    for (auto [place, vector] : llvm::zip(e.places, numbers)) {
      Value bytes = codegen::toBytes(tb, vector, divisor);
      tb.onlyIf(
          tb.both(place.exists, e.exists),
          [&, position = place.position] { tb.store(bytes, out, position); });
    }
  }
};

struct DequantizeKernel
    : KernelEmissionOpInterface::ExternalModel<DequantizeKernel,
                                               zero::DequantizeOp> {
  static int64_t getPartElements(Operation *op) {
    int64_t parts = cast<zero::DequantizeOp>(op).getParts();
    return getElements(op->getResult(0)) / parts;
  }
  static int64_t getAllBlocks(Operation *op) {
    return cast<zero::DequantizeOp>(op).getParts() *
           getBlocks(getPartElements(op));
  }

  SmallVector<Grid> getGrids(Operation *op) const {
    return {getGrid(getAllBlocks(op))};
  }

  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    int64_t elements = getPartElements(op);
    BlockEmitter e(tb, getAllBlocks(op), elements);
    Value in = buffers.inputs[0], out = buffers.outputs[0];
    Value message = tb.mul(e.part, zero::getQuantizedBytes(elements));
    Value at = tb.add(tb.add(message, tb.mul(e.block, 4)), elements);
    Value scale = tb.splat(
        tb.loadScalar(codegen::getScaleBuffer(tb, in, at), tb.index(0)));
    SmallVector<Value> bytes;
    for (const Place &place : e.places)
      bytes.push_back(tb.load(in, tb.add(message, place.position)));
    Value to = tb.mul(e.part, elements);
    for (auto [place, vector] : llvm::zip(e.places, bytes)) {
      Value numbers = codegen::fromBytes(tb, vector, scale);
      tb.onlyIf(tb.both(place.exists, e.exists),
                [&, position = place.position] {
                  tb.store(numbers, out, tb.add(to, position));
                });
    }
  }
};

} // namespace

void tessera::cuda::registerQuantize(MLIRContext *context) {
  zero::QuantizeOp::attachInterface<QuantizeKernel>(*context);
  zero::DequantizeOp::attachInterface<DequantizeKernel>(*context);
}
