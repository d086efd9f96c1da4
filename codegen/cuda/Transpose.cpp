//===- Transpose.cpp - The kernel of nn.transpose ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/Kernels.h"
#include "codegen/cuda/RowGroups.h"
#include "dialects/nn/NN.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;

namespace {

constexpr int64_t threads = 256;
/// Bytes of a row of a tile: what a warp moves in one access of 4 bytes each.
constexpr int64_t tileBytes = 128;
/// Bytes of a bank of shared memory.
constexpr int64_t bankBytes = 4;
/// Vectors of a thread where rows move as they are.
constexpr int64_t unroll = 4;

/// A permutation moves rows as they are, or it exchanges the input's last
/// dimension with the result's: then a block of threads moves a tile, which is
/// read by rows of the input and written by rows of the result, and in between
/// lies in shared memory.
class TransposeEmitter {
public:
  explicit TransposeEmitter(nn::TransposeOp op) {
    auto input = cast<RankedTensorType>(op.getInput().getType());
    auto result = cast<RankedTensorType>(op.getResult().getType());
    type = result.getElementType();
    sizes = llvm::to_vector(result.getShape());
    SmallVector<int64_t> inputStrides = computeStrides(input.getShape());
    for (int64_t dim : op.getPermutation())
      from.push_back(inputStrides[dim]);
    to = computeStrides(result.getShape());
    last = input.getRank() - 1;
    contiguous =
        llvm::find(op.getPermutation(), last) - op.getPermutation().begin();
    int64_t bytes = type.getIntOrFloatBitWidth() / 8;
    side = tileBytes / bytes;
    padding = std::max<int64_t>(bankBytes / bytes, 1);
    lanes = getAccessLanes(type, sizes[last]);
    vectors = result.getNumElements() / lanes;
  }

  Grid getGrid() const {
    if (contiguous == last)
      return {static_cast<int64_t>(llvm::divideCeil(vectors, threads * unroll)),
              threads};
    int64_t tiles = 1;
    for (int64_t dim = 0; dim <= last; ++dim)
      tiles *= getSteps(dim);
    return {tiles, threads};
  }

  void emit(ThreadBuilder &tb, const KernelBuffers &buffers) const {
    Value input = tb.flatten(buffers.inputs[0]);
    Value output = tb.flatten(buffers.outputs[0]);
    if (contiguous == last)
      emitRows(tb, input, output);
    else
      emitTile(tb, input, output);
  }

private:
  /// Tiles along a dimension of the result.
  int64_t getSteps(int64_t dim) const {
    return dim == contiguous || dim == last ? llvm::divideCeil(sizes[dim], side)
                                            : sizes[dim];
  }

  void emitRows(ThreadBuilder &tb, Value input, Value output) const {
    tb.lanes = lanes;
    Value first = tb.add(tb.mul(tb.block(), threads * unroll), tb.thread());
    SmallVector<Value> exists(unroll), targets, loaded;
    for (int64_t i = 0; i < unroll; ++i) {
      Value number = tb.add(first, i * threads);
      if (vectors % (threads * unroll)) {
        exists[i] = tb.isLess(number, tb.index(vectors));
        number = tb.min(number, tb.index(vectors - 1));
      }
      targets.push_back(tb.mul(number, lanes));
      Value rest = tb.div(number, sizes[last] / lanes);
      Value source = tb.mul(tb.rem(number, sizes[last] / lanes), lanes);
      for (int64_t dim = last - 1; dim >= 0; --dim) {
        source = tb.add(source, tb.mul(tb.rem(rest, sizes[dim]), from[dim]));
        rest = tb.div(rest, sizes[dim]);
      }
      loaded.push_back(tb.load(input, source));
    }
    for (int64_t i = 0; i < unroll; ++i)
      tb.onlyIf(exists[i], [&] { tb.store(loaded[i], output, targets[i]); });
  }

  void emitTile(ThreadBuilder &tb, Value input, Value output) const {
    Value source = tb.index(0), target = tb.index(0), rest = tb.block();
    Value row, column; // of the tile's first element, in the result
    for (int64_t dim = last; dim >= 0; --dim) {
      Value step = tb.rem(rest, getSteps(dim));
      rest = tb.div(rest, getSteps(dim));
      if (dim == last) {
        column = tb.mul(step, side);
      } else if (dim == contiguous) {
        row = tb.mul(step, side);
      } else {
        source = tb.add(source, tb.mul(step, from[dim]));
        target = tb.add(target, tb.mul(step, to[dim]));
      }
    }
    // A row of threads moves a row of the tile at a time.
    Value tile = tb.shared(side * (side + padding), type);
    Value x = tb.rem(tb.thread(), side), y = tb.div(tb.thread(), side);
    int64_t down = threads / side;
    auto clamp = [&](Value place, int64_t dim) {
      return sizes[dim] % side ? tb.min(place, tb.index(sizes[dim] - 1))
                               : place;
    };
    Value from0 = tb.add(source, clamp(tb.add(row, x), contiguous));
    SmallVector<Value> loaded;
    for (int64_t i = 0; i < side; i += down) {
      Value place = clamp(tb.add(column, tb.add(y, i)), last);
      loaded.push_back(
          tb.loadScalar(input, tb.add(from0, tb.mul(place, from[last]))));
    }
    Value own = tb.add(tb.mul(y, side + padding), x);
    for (auto [i, number] : llvm::enumerate(loaded))
      tb.storeScalar(number, tile, tb.add(own, i * down * (side + padding)));
    tb.barrier();
    own = tb.add(tb.mul(x, side + padding), y);
    auto exists = [&](Value place, int64_t dim) {
      return sizes[dim] % side ? tb.isLess(place, tb.index(sizes[dim]))
                               : Value();
    };
    Value toColumn = tb.add(column, x);
    Value hasColumn = exists(toColumn, last);
    for (int64_t i = 0; i < side; i += down) {
      Value place = tb.add(row, tb.add(y, i));
      tb.onlyIf(tb.both(exists(place, contiguous), hasColumn), [&] {
        tb.storeScalar(
            tb.loadScalar(tile, tb.add(own, i)), output,
            tb.add(tb.add(target, toColumn), tb.mul(place, to[contiguous])));
      });
    }
  }

  Type type;
  int64_t last;
  /// The result's dimension that is the input's last one.
  int64_t contiguous;
  /// The result's sizes; elements from one step along a dimension of the
  /// result to the next, in the input and in the result.
  SmallVector<int64_t> sizes, from, to;
  /// Elements of a row of a tile, and behind it: rows begin in different banks.
  int64_t side, padding;
  /// Where rows move as they are: elements of a vector, and how many there are.
  int64_t lanes, vectors;
};

struct TransposeKernel
    : KernelEmissionOpInterface::ExternalModel<TransposeKernel,
                                               nn::TransposeOp> {
  SmallVector<Grid> getGrids(Operation *op) const {
    return {TransposeEmitter(cast<nn::TransposeOp>(op)).getGrid()};
  }
  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    TransposeEmitter(cast<nn::TransposeOp>(op)).emit(tb, buffers);
  }
};

} // namespace

void tessera::cuda::registerTranspose(MLIRContext *context) {
  nn::TransposeOp::attachInterface<TransposeKernel>(*context);
}
