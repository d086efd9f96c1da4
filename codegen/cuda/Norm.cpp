//===- Norm.cpp - Kernels of the gradient's norm ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/kernels/Norm.h"
#include "codegen/cuda/KernelEmission.h"
#include "codegen/cuda/Kernels.h"
#include "codegen/kernels/Buffers.h"
#include "dialects/nn/NN.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;
using codegen::getElements;

namespace {

constexpr int64_t threads = 256;

/// A block of threads sums a block of elements: each thread vectors that lie a
/// block of threads apart, then all of them by warps.
struct PartialSumSquaresKernel
    : KernelEmissionOpInterface::ExternalModel<PartialSumSquaresKernel,
                                               nn::PartialSumSquaresOp> {
  /// Vectors that are on their way at a time.
  static constexpr int64_t unroll = 2;

  SmallVector<Grid> getGrids(Operation *op) const {
    return {{getElements(op->getResult(0)), threads}};
  }

  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    OpBuilder &b = tb.builder;
    int64_t elements = getElements(op->getOperand(0));
    constexpr int64_t blockSize = nn::PartialSumSquaresOp::blockSize;
    tb.lanes = elements % 4 == 0 ? 4 : 1;
    Value input = tb.flatten(buffers.inputs[0]);
    VectorType type = tb.vectorType(b.getF64Type());
    int64_t step = threads * tb.lanes;
    Value first =
        tb.add(tb.mul(tb.block(), blockSize), tb.mul(tb.thread(), tb.lanes));
    Value end = tb.min(tb.add(tb.mul(tb.block(), blockSize), blockSize),
                       tb.index(elements));
    Value zero = arith::ConstantOp::create(b, tb.loc, b.getZeroAttr(type));
    auto addSquare = [&](Value sum, Value number) {
      Value wide = arith::ExtFOp::create(b, tb.loc, type, number);
      return tb.fma(wide, wide, sum);
    };
    Value count = tb.max(tb.sub(end, first), tb.index(0));
    Value even =
        tb.add(first, tb.mul(tb.div(count, step * unroll), step * unroll));
    Value sum = tb.loop(
        first, even, step * unroll, zero, [&](Value at, ValueRange carried) {
          SmallVector<Value> numbers;
          for (int64_t i = 0; i < unroll; ++i)
            numbers.push_back(tb.load(input, tb.add(at, i * step)));
          Value next = carried[0];
          for (Value number : numbers)
            next = addSquare(next, number);
          return SmallVector<Value>{next};
        })[0];
    sum = tb.loop(even, end, step, sum, [&](Value at, ValueRange carried) {
      return SmallVector<Value>{addSquare(carried[0], tb.load(input, at))};
    })[0];
    Value total = vector::ExtractOp::create(b, tb.loc, sum, 0);
    for (int64_t i = 1; i < tb.lanes; ++i)
      total = tb.addf(total, vector::ExtractOp::create(b, tb.loc, sum, i));
    Value none = arith::ConstantOp::create(b, tb.loc, b.getF64FloatAttr(0));
    total = tb.combineBlock(total, threads, none,
                            [&](Value x, Value y) { return tb.addf(x, y); });
    tb.onlyIf(tb.isEqual(tb.thread(), tb.index(0)),
              [&] { tb.storeScalar(total, buffers.outputs[0], tb.block()); });
  }
};

/// One block: thread t sums elements t, t + threads, ...
struct SumPartialsKernel
    : KernelEmissionOpInterface::ExternalModel<SumPartialsKernel,
                                               nn::SumPartialsOp> {
  SmallVector<Grid> getGrids(Operation *) const { return {{1, threads}}; }

  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    OpBuilder &b = tb.builder;
    Value none = arith::ConstantOp::create(b, tb.loc, b.getF64FloatAttr(0));
    Value sum = none;
    for (auto [input, operand] : llvm::zip(buffers.inputs, op->getOperands()))
      sum = tb.loop(tb.thread(), tb.index(getElements(operand)), threads, sum,
                    [&, input = input](Value i, ValueRange carried) {
                      return SmallVector<Value>{
                          tb.addf(carried[0], tb.loadScalar(input, i))};
                    })[0];
    sum = tb.combineBlock(sum, threads, none,
                          [&](Value x, Value y) { return tb.addf(x, y); });
    tb.onlyIf(tb.isEqual(tb.thread(), tb.index(0)), [&] {
      memref::StoreOp::create(b, tb.loc, sum, buffers.outputs[0]);
    });
  }
};

struct ClipScaleKernel
    : KernelEmissionOpInterface::ExternalModel<ClipScaleKernel,
                                               nn::ClipScaleOp> {
  SmallVector<Grid> getGrids(Operation *) const { return {{1, 1}}; }

  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    codegen::emitClipScale(tb, cast<nn::ClipScaleOp>(op), buffers.inputs,
                           buffers.outputs);
  }
};

} // namespace

void tessera::cuda::registerNorm(MLIRContext *context) {
  nn::PartialSumSquaresOp::attachInterface<PartialSumSquaresKernel>(*context);
  nn::SumPartialsOp::attachInterface<SumPartialsKernel>(*context);
  nn::ClipScaleOp::attachInterface<ClipScaleKernel>(*context);
}
