//===- AttentionGrad.cpp - The kernel of nn.attention_grad ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attention's backward pass (Dao, arXiv 2307.08691). With P the probabilities,
// recomputed from the log-sum-exps, G the gradient of the output and
// delta_i = g_i . out_i:
//
//   dV = P^T G      dS = P o (G V^T - delta)
//   dQ = scale dS K         dK = scale dS^T Q
//
// Grids run one after another: the deltas, in scratch memory; dK and dV, whose
// blocks have rows of keys and walk over the queries of all heads that share
// them, together or, where registers do not hold both, one by one; dQ, whose
// blocks have rows of queries and walk over keys. Each result is the sum of one
// thread, in a fixed order, for two more matmuls per pair (three, one by one)
// than with sums across blocks.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/AttentionThread.h"
#include "codegen/cuda/Kernels.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;
using codegen::AttentionShape;

namespace {

/// Columns of a tile. Wide heads leave fewer registers to scores where two sums
/// are kept, dK and dV; fewer still in fp32, where groups of heads and the end
/// of the sequence within a tile take some, too.
int64_t getMostColumns(const AttentionShape &shape, bool rowsAreKeys,
                       Type element) {
  if (shape.paddedDim <= 64)
    return 64;
  if (element.isF32() && shape.group > 1 &&
      shape.sequence % WarpMatmul::matrixRows != 0)
    return 8;
  return rowsAreKeys ? 32 : 64;
}

/// Threads of a block of the first grid.
constexpr int64_t deltaThreads = 256;

/// What a grid computes.
enum class Part { Deltas, KeysAndValues, Keys, Values, Queries };

/// The grids of \p op, in their order.
SmallVector<Part> getParts(nn::AttentionGradOp op) {
  // In fp32 a wide head has no registers for two sums where heads, windows or
  // the end of the sequence take some.
  AttentionShape shape = AttentionShape::get(op);
  bool isPlain = shape.group == 1 && !shape.hasWindow() &&
                 shape.sequence % WarpMatmul::matrixRows == 0;
  if (op.getQkv().getType().getElementType().isF32() && !isPlain &&
      shape.paddedDim > 64)
    return {Part::Deltas, Part::Keys, Part::Values, Part::Queries};
  return {Part::Deltas, Part::KeysAndValues, Part::Queries};
}

int64_t getTokens(const AttentionShape &shape) {
  return shape.batch * shape.heads * shape.sequence;
}

/// delta of each token and head: some threads of a warp per row of `out`.
class DeltaEmitter {
public:
  DeltaEmitter(const AttentionShape &shape, Type type)
      : shape(shape), lanes(accessBytes * 8 / type.getIntOrFloatBitWidth()) {
    while (shape.dim % lanes)
      lanes /= 2;
    group = std::min<int64_t>(warpSize, llvm::PowerOf2Ceil(shape.dim / lanes));
  }

  Grid getGrid() const {
    return {static_cast<int64_t>(
                llvm::divideCeil(getTokens(shape), deltaThreads / group)),
            deltaThreads};
  }

  void emit(ThreadBuilder &tb, Value out, Value gradient, Value deltas) {
    tb.lanes = lanes;
    int64_t rowsOfBlock = deltaThreads / group;
    Value member = tb.rem(tb.thread(), group);
    Value row =
        tb.add(tb.mul(tb.block(), rowsOfBlock), tb.div(tb.thread(), group));
    Value exists = tb.isEqual(member, tb.index(0));
    if (getTokens(shape) % rowsOfBlock) {
      Value last = tb.index(getTokens(shape) - 1);
      exists = tb.both(exists, tb.isLess(row, tb.add(last, 1)));
      row = tb.min(row, last);
    }
    Value sum =
        tb.loop(tb.mul(member, lanes), tb.index(shape.dim), group * lanes,
                tb.splat(0.0), [&](Value column, ValueRange carried) {
                  Value at = tb.add(tb.mul(row, shape.dim), column);
                  return SmallVector<Value>{tb.fma(
                      tb.load(out, at), tb.load(gradient, at), carried[0])};
                })[0];
    Value delta = tb.combineWarp(
        tb.sum(sum), group, [&](Value a, Value b) { return tb.addf(a, b); });
    tb.onlyIf(exists, [&] {
      // A row of `out` is a token, with its heads side by side.
      Value token = tb.div(row, shape.heads), head = tb.rem(row, shape.heads);
      Value batch = tb.div(token, shape.sequence);
      Value place = tb.add(tb.mul(batch, shape.heads), head);
      tb.storeScalar(
          delta, deltas,
          tb.add(tb.mul(place, shape.sequence), tb.rem(token, shape.sequence)));
    });
  }

private:
  AttentionShape shape;
  int64_t lanes, group;
};

/// The gradients of the rows of a block: keys' and values', or queries'.
class RowGradientEmitter : AttentionThread {
public:
  static AttentionTiling getTiling(nn::AttentionGradOp op, bool rowsAreKeys) {
    AttentionShape shape = AttentionShape::get(op);
    Type element = op.getQkv().getType().getElementType();
    return AttentionTiling::get(
        shape, {element, op.getGradient().getType().getElementType()},
        /*rowMatrices=*/2, getMostColumns(shape, rowsAreKeys, element));
  }

  RowGradientEmitter(nn::AttentionGradOp op, Part part, ThreadBuilder &tb,
                     const KernelBuffers &buffers, Value deltas)
      : AttentionThread(tb, AttentionShape::get(op),
                        getTiling(op, part != Part::Queries),
                        /*rowsAreKeys=*/part != Part::Queries),
        part(part), packed(tb.flatten(buffers.inputs[0])),
        lse(tb.flatten(buffers.inputs[2])),
        gradient(tb.flatten(buffers.inputs[3])),
        result(tb.flatten(buffers.outputs[0])), deltas(deltas),
        drawBuffers(ValueRange(buffers.inputs).drop_front(4)) {}

  void emit() {
    // What scores are products of, and what their gradients are.
    rowTile = makeTile(tiling.rows());
    rowTile2 = makeTile(tiling.rows());
    columnTile = makeTile(tiling.columns);
    columnTile2 = tiling.sharesColumns ? columnTile : makeTile(tiling.columns);
    if (rowsAreKeys) {
      copyTiles(
          {{getPacked(packed, 1), rowTile}, {getPacked(packed, 2), rowTile2}},
          firstRow, tiling.rows());
      for (Value &tile : columnNumbers)
        tile = tb.shared(tiling.columns, tb.builder.getF32Type());
    } else {
      copyTiles(
          {{getPacked(packed, 0), rowTile}, {getPlain(gradient), rowTile2}},
          firstRow, tiling.rows());
      for (int64_t i : {0, 1}) {
        Value place = tb.min(row[i], tb.index(shape.sequence - 1));
        rowNumbers[i] = loadNumbers(place);
      }
    }
    SmallVector<Value> sums =
        matmul.zero(shape.paddedDim * (part == Part::KeysAndValues ? 2 : 1));
    sums = emitColumns(sums);

    Value scale = tb.number(shape.scale), one = tb.number(1);
    ArrayRef<Value> all(sums);
    size_t count = matmul.zero(shape.paddedDim).size();
    if (part != Part::Values)
      storeRows(all.take_front(count), {scale, scale},
                getPacked(result, rowsAreKeys ? 1 : 0));
    if (part == Part::Values || part == Part::KeysAndValues)
      storeRows(all.take_back(count), {one, one}, getPacked(result, 2));
  }

private:
  /// A tile of columns: of the head `member` of those that share the rows'
  /// keys, null where there is but one.
  struct Tile {
    Value member, column;
  };

  /// What all tiles give to the sums of the rows, head after head.
  SmallVector<Value> emitColumns(ValueRange sums) {
    Value begin = getBeginColumn(), end = getEndColumn();
    loadDraw(drawBuffers);
    copyTiles(getCopies(), begin, tiling.columns);
    if (rowsAreKeys)
      storeNumbers(loadColumnNumbers(begin));
    tb.barrier();
    if (!rowsAreKeys || shape.group == 1)
      return tb.loop(begin, end, tiling.columns, sums,
                     [&](Value column, ValueRange carried) {
                       return emitStep({{}, column},
                                       {{}, getNextColumn(column)}, carried);
                     });
    // One loop over the tiles of all heads: where a head ends, the next one's
    // first tile is on its way.
    Value perHead =
        tb.div(tb.add(tb.sub(end, begin), tiling.columns - 1), tiling.columns);
    SmallVector<Value> state(sums);
    state.append({tb.index(0), begin});
    state =
        tb.loop(tb.index(0), tb.mul(perHead, shape.group), 1, state,
                [&](Value, ValueRange carried) {
                  Tile tile{carried.drop_back()[sums.size()], carried.back()};
                  Tile next{tile.member, tb.add(tile.column, tiling.columns)};
                  Value isSame = tb.isLess(next.column, end);
                  next.column = tb.select(isSame, next.column, begin);
                  next.member = tb.select(isSame, tile.member,
                                          tb.min(tb.add(tile.member, 1),
                                                 tb.index(shape.group - 1)));
                  SmallVector<Value> result =
                      emitStep(tile, next, carried.drop_back(2));
                  result.append({next.member, next.column});
                  return result;
                });
    state.truncate(sums.size());
    return state;
  }

  /// A step of that loop, in which the next tile is on its way while \p tile is
  /// worked on.
  SmallVector<Value> emitStep(Tile tile, Tile next, ValueRange sums) {
    if (next.member)
      startHead(next.member);
    Pending pending = startCopy(getCopies(), next.column);
    std::pair<Value, Value> numbers;
    if (rowsAreKeys)
      numbers = loadColumnNumbers(next.column);
    if (tile.member) {
      startHead(tile.member);
      loadDraw(drawBuffers);
    }
    SmallVector<Value> state = emitTile(tile.column, sums);
    tb.barrier();
    finishCopy(pending);
    if (rowsAreKeys)
      storeNumbers(numbers);
    tb.barrier();
    return state;
  }

  /// The matrices of columns: what scores are products of, and what their
  /// gradients are.
  Copy getFirst() {
    return {getPacked(packed, rowsAreKeys ? 0 : 1), columnTile};
  }
  Copy getSecond() {
    return {rowsAreKeys ? getPlain(gradient) : getPacked(packed, 2),
            columnTile2};
  }
  /// Those that are copied ahead.
  SmallVector<Copy> getCopies() {
    if (tiling.sharesColumns)
      return {getFirst()};
    return {getFirst(), getSecond()};
  }

  /// The log-sum-exp of a query in base 2, and its delta.
  std::pair<Value, Value> loadNumbers(Value query) {
    Value place = tb.add(tb.mul(batchHead, shape.sequence), query);
    return {tb.mulf(tb.loadScalar(lse, place), tb.number(codegen::log2E)),
            tb.loadScalar(deltas, place)};
  }

  /// Those of the tile of queries at \p column, one per thread; further threads
  /// repeat some.
  std::pair<Value, Value> loadColumnNumbers(Value column) {
    return loadNumbers(
        tb.min(tb.add(column, tb.thread()), tb.index(shape.sequence - 1)));
  }

  void storeNumbers(std::pair<Value, Value> numbers) {
    tb.onlyIf(tb.isLess(tb.thread(), tb.index(tiling.columns)), [&] {
      tb.storeScalar(numbers.first, columnNumbers[0], tb.thread());
      tb.storeScalar(numbers.second, columnNumbers[1], tb.thread());
    });
  }

  /// Number \p which (0 log-sum-exp, 1 delta) of the query of each fragment.
  SmallVector<Value> getNumbers(int64_t which) {
    SmallVector<Value> numbers;
    for (int64_t block = 0; block < tiling.columns / WarpMatmul::blockColumns;
         ++block) {
      if (!rowsAreKeys) {
        for (auto [shift, delta] : rowNumbers)
          numbers.append(2, which ? delta : shift);
        continue;
      }
      Value pair[2];
      for (int64_t j : {0, 1})
        pair[j] = tb.loadScalar(columnNumbers[which],
                                tb.add(matmul.getColumn(block), j));
      numbers.append({pair[0], pair[1], pair[0], pair[1]});
    }
    return numbers;
  }

  SmallVector<Value> emitTile(Value column, ValueRange carried) {
    // Where both matrices of columns share memory, one takes the other's place.
    auto replaceTile = [&](Copy copy) {
      if (!tiling.sharesColumns)
        return;
      tb.barrier();
      copyTiles({copy}, column, tiling.columns);
      tb.barrier();
    };
    WarpMatmul::Fragments weights =
        matmul.multiply(rowTile, warpRow, columnTile, tiling.columns);
    finishScores(column, weights);
    for (auto [weight, shift] : llvm::zip(weights, getNumbers(0)))
      weight = emitExp2(tb, tb.subf(weight, shift));
    replaceTile(getSecond());
    WarpMatmul::Fragments slopes, factors;
    if (part != Part::Values)
      slopes = matmul.multiply(rowTile2, warpRow, columnTile2, tiling.columns);
    // delta is what it is without dropout, as `out` is of dropped weights,
    // which the values' gradients take, too.
    if (shape.dropout)
      factors = getDropFactors(column);
    for (auto [slope, factor] : llvm::zip(slopes, factors))
      slope = tb.mulf(slope, factor);
    for (auto [slope, weight, delta] :
         llvm::zip(slopes, weights, getNumbers(1)))
      slope = tb.mulf(weight, tb.subf(slope, delta));
    for (auto [weight, factor] : llvm::zip(weights, factors))
      weight = tb.mulf(weight, factor);
    SmallVector<Value> sums(carried);
    size_t count = matmul.zero(shape.paddedDim).size();
    auto accumulate = [&](const WarpMatmul::Fragments &from, Value tile,
                          MutableArrayRef<Value> to) {
      llvm::copy(matmul.accumulate(from, tile, ValueRange(to)), to.begin());
    };
    MutableArrayRef<Value> all(sums);
    if (part == Part::Values || part == Part::KeysAndValues)
      accumulate(weights, columnTile2, all.take_back(count));
    replaceTile(getFirst());
    if (part != Part::Values)
      accumulate(slopes, columnTile, all.take_front(count));
    return sums;
  }

  Part part;
  Value packed, lse, gradient, result, deltas;
  ValueRange drawBuffers;
  Value rowTile, rowTile2, columnTile, columnTile2;
  /// Log-sum-exps and deltas where queries are columns, and where they are
  /// rows.
  Value columnNumbers[2];
  std::pair<Value, Value> rowNumbers[2];
};

struct AttentionGradKernel
    : KernelEmissionOpInterface::ExternalModel<AttentionGradKernel,
                                               nn::AttentionGradOp> {
  static DeltaEmitter getDeltas(nn::AttentionGradOp op) {
    return DeltaEmitter(AttentionShape::get(op),
                        op.getOut().getType().getElementType());
  }

  SmallVector<Grid> getGrids(Operation *op) const {
    auto grad = cast<nn::AttentionGradOp>(op);
    SmallVector<Grid> grids;
    for (Part part : getParts(grad)) {
      bool rowsAreKeys = part != Part::Queries;
      grids.push_back(
          part == Part::Deltas
              ? getDeltas(grad).getGrid()
              : RowGradientEmitter::getTiling(grad, rowsAreKeys)
                    .getGrid(AttentionShape::get(grad), rowsAreKeys));
    }
    return grids;
  }

  int64_t getScratchBytes(Operation *op) const {
    int64_t tokens =
        getTokens(AttentionShape::get(cast<nn::AttentionGradOp>(op)));
    return llvm::alignTo(tokens * sizeof(float), 64);
  }

  void emitThread(Operation *op, unsigned grid, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    auto grad = cast<nn::AttentionGradOp>(op);
    int64_t offset = 0;
    Value deltas =
        tb.carve(buffers.scratch, offset, getTokens(AttentionShape::get(grad)));
    Part part = getParts(grad)[grid];
    if (part == Part::Deltas)
      return getDeltas(grad).emit(tb, tb.flatten(buffers.inputs[1]),
                                  tb.flatten(buffers.inputs[3]), deltas);
    RowGradientEmitter(grad, part, tb, buffers, deltas).emit();
  }
};

} // namespace

void tessera::cuda::registerAttentionGrad(MLIRContext *context) {
  nn::AttentionGradOp::attachInterface<AttentionGradKernel>(*context);
}
