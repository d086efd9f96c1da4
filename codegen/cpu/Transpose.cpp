//===- Transpose.cpp - The kernel of nn.transpose ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Kernels.h"
#include "codegen/kernels/VectorBuilder.h"
#include "dialects/nn/NN.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

/// A permutation moves rows as they are, or it exchanges the input's last
/// dimension with the result's: then blocks of vectorLanes x vectorLanes are
/// transposed in registers. All other dimensions are walked by the parallel
/// loop.
class TransposeEmitter {
public:
  explicit TransposeEmitter(nn::TransposeOp op) {
    auto input = cast<RankedTensorType>(op.getInput().getType());
    auto result = cast<RankedTensorType>(op.getResult().getType());
    rank = input.getRank();
    sizes = llvm::to_vector(result.getShape());
    SmallVector<int64_t> inputStrides = strides(input.getShape());
    for (int64_t dim : op.getPermutation())
      from.push_back(inputStrides[dim]);
    to = strides(result.getShape());
    last = rank - 1;
    contiguous =
        llvm::find(op.getPermutation(), last) - op.getPermutation().begin();
  }

  int64_t getIterations() const {
    int64_t count = 1;
    for (int64_t dim = 0; dim < rank; ++dim)
      count *= dim == last ? 1 : getSteps(dim);
    return count;
  }

  void emit(KernelBody &body) {
    VectorBuilder vb(body.builder, body.loc);
    Value input = vb.flatten(body.inputs[0]);
    Value output = vb.flatten(body.outputs[0]);
    vb.loop(body.begin, body.end, 1, [&](Value iteration) {
      Value source = vb.index(0), target = vb.index(0), block, rest = iteration;
      for (int64_t dim = last - 1; dim >= 0; --dim) {
        Value step = vb.rem(rest, getSteps(dim));
        rest = vb.div(rest, getSteps(dim));
        if (dim == contiguous)
          block = step = vb.mul(step, vectorLanes);
        source = vb.add(source, vb.mul(step, from[dim]));
        target = vb.add(target, vb.mul(step, to[dim]));
      }
      if (contiguous == last)
        vb.vectors(sizes[last], [&](Value at, Value mask) {
          vb.store(vb.load(input, vb.add(source, at), mask), output,
                   vb.add(target, at), mask);
        });
      else
        vb.loop(0, sizes[last], vectorLanes, [&](Value column) {
          emitBlock(vb, input, vb.add(source, vb.mul(column, from[last])),
                    output, vb.add(target, column), block, column);
        });
    });
  }

private:
  static SmallVector<int64_t> strides(ArrayRef<int64_t> shape) {
    SmallVector<int64_t> result(shape.size(), 1);
    for (size_t dim = shape.size(); dim-- > 1;)
      result[dim - 1] = result[dim] * shape[dim];
    return result;
  }

  /// Iterations along a dimension of the result.
  int64_t getSteps(int64_t dim) const {
    return dim == contiguous ? llvm::divideCeil(sizes[dim], vectorLanes)
                             : sizes[dim];
  }

  /// Row r of the source block is along the input's last dimension, for the
  /// r-th element of the result's last one.
  void emitBlock(VectorBuilder &vb, Value input, Value source, Value output,
                 Value target, Value rowStart, Value columnStart) {
    auto masks = [&](int64_t lanesDim, Value lanesStart, int64_t rowsDim,
                     Value rowsStart, int64_t row) -> Value {
      if (sizes[lanesDim] % vectorLanes == 0 &&
          sizes[rowsDim] % vectorLanes == 0)
        return {};
      Value exists = arith::CmpIOp::create(
          vb.builder, vb.loc, arith::CmpIPredicate::slt, vb.add(rowsStart, row),
          vb.index(sizes[rowsDim]));
      Value count = vb.sub(vb.index(sizes[lanesDim]), lanesStart);
      return vb.mask(arith::SelectOp::create(vb.builder, vb.loc, exists, count,
                                             vb.index(0)));
    };
    SmallVector<Value> block;
    for (int64_t row = 0; row < vectorLanes; ++row)
      block.push_back(
          vb.load(input, vb.add(source, row * from[last]),
                  masks(contiguous, rowStart, last, columnStart, row)));
    block = vb.transpose(block);
    for (int64_t row = 0; row < vectorLanes; ++row)
      vb.store(block[row], output, vb.add(target, row * to[contiguous]),
               masks(last, columnStart, contiguous, rowStart, row));
  }

  int64_t rank, last;
  /// The result's dimension that is the input's last one.
  int64_t contiguous;
  /// The result's sizes; elements from one step along a dimension of the
  /// result to the next, in the input and in the result.
  SmallVector<int64_t> sizes, from, to;
};

struct TransposeKernel
    : KernelEmissionOpInterface::ExternalModel<TransposeKernel,
                                               nn::TransposeOp> {
  int64_t getIterations(Operation *op) const {
    return TransposeEmitter(cast<nn::TransposeOp>(op)).getIterations();
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    TransposeEmitter(cast<nn::TransposeOp>(op)).emit(body);
  }
};

} // namespace

void tessera::cpu::registerTranspose(MLIRContext *context) {
  nn::TransposeOp::attachInterface<TransposeKernel>(*context);
}
