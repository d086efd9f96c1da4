//===- RowMatmul.cpp - The kernel of nn.row_matmul --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Weights come from memory once and meet all rows, of which there are few: the
// time is that of memory. A warp has a strip of columns, or a part of its inner
// dimension where columns are too few to keep a GPU busy. It goes along the
// inner dimension by steps, several of them on their way at a time, and the
// parts of a strip, warps of one block, are added in their order. How steps are
// dealt to parts and lanes follows from the shape and the type of the weights
// alone, and so does the order of an element's sum, whichever rows are computed
// side by side.
//
// Factors of 16 bits are tensor cores'. The strip's columns are rows of their
// left operand, the rows columns of the right one, so that eight rows cost as
// much as one. Their fragments are loaded from memory as they are: what a lane
// calls inner position 2 t, 2 t + 1, 2 t + 8 or 2 t + 9 may be any position, if
// both operands mean the same by it, and so they are those that one access of
// memory brings.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/KernelEmission.h"
#include "codegen/cuda/Kernels.h"
#include "codegen/cuda/RowGroups.h"
#include "codegen/cuda/WarpMatmul.h"
#include "dialects/nn/NN.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;

namespace {

constexpr int64_t threads = 256, warps = threads / warpSize;
/// Sums that a warp leaves for each of its lanes: all warps' fill 32 KiB of
/// shared memory.
constexpr int64_t mostSums = 32;
/// Accesses of weights that a lane has on their way at a time.
constexpr int64_t inFlight = 8;
/// Warps that keep the memory of a large GPU busy.
constexpr int64_t manyWarps = 2048;
/// Weights [in, out]: rows of weights that lanes of a warp are at, and columns
/// from which on strips are as wide as accesses allow.
constexpr int64_t rowsDown = 4, manyColumns = 4096;
/// Consecutive inner positions of a lane with weights [in, out].
constexpr int64_t runLength = 4;

/// Who computes what.
struct Mapping {
  int64_t rows, inner, columns;
  bool isTransposed; ///< weights are [out, in]
  bool usesTensorCores;
  int64_t lanes;      ///< weights of an access of memory
  int64_t strip;      ///< columns of a warp
  int64_t step;       ///< inner positions of a step
  int64_t unroll;     ///< steps on their way at a time
  int64_t parts;      ///< warps that share a strip
  int64_t rowsAtOnce; ///< that a weight meets, a power of two

  explicit Mapping(nn::RowMatmulOp op);

  /// Columns of a block.
  int64_t width() const { return strip * warps / parts; }
  Grid getGrid() const {
    // Two blocks, so that one loads while the other adds its parts.
    return {static_cast<int64_t>(llvm::divideCeil(columns, width())), threads,
            2};
  }

private:
  void setTensorCores(int64_t most);
  void setMultiplyAdds(int64_t most);
};

Mapping::Mapping(nn::RowMatmulOp op)
    : rows(op.getRows()), inner(op.getInner()), columns(op.getColumns()),
      isTransposed(op.getTransposeB()) {
  Type weight = op.getB().getType().getElementType();
  lanes = getAccessLanes({weight}, isTransposed ? inner : columns);
  usesTensorCores = !weight.isF32() &&
                    weight == op.getA().getType().getElementType() &&
                    (isTransposed || lanes > 1);
  auto most = static_cast<int64_t>(llvm::PowerOf2Ceil(rows));
  if (usesTensorCores)
    setTensorCores(most);
  else
    setMultiplyAdds(most);
  // With weights [out, in] rows decide how many columns a warp has, and must
  // not decide more.
  int64_t strips = llvm::divideCeil(columns, isTransposed ? 16 : strip);
  int64_t steps = llvm::divideCeil(inner, step);
  parts = std::min<int64_t>(
      warps, llvm::PowerOf2Ceil(llvm::divideCeil(manyWarps, strips)));
  while (parts > steps)
    parts /= 2;
}

void Mapping::setTensorCores(int64_t most) {
  constexpr int64_t blockColumns = WarpMatmul::blockColumns;
  int64_t sums; // for each block of rows
  if (isTransposed) {
    strip = WarpMatmul::matrixRows;
    step = 2 * WarpMatmul::matrixRows;
    sums = WarpMatmul::blockNumbers;
    unroll = inFlight / 2;
  } else {
    // Narrow strips make more warps.
    if (columns < manyColumns)
      lanes = std::min<int64_t>(lanes, 4);
    strip = lanes * blockColumns;
    step = rowsDown * runLength;
    sums = lanes / 2 * WarpMatmul::blockNumbers;
    unroll = inFlight / runLength;
  }
  rowsAtOnce = std::clamp(most, blockColumns, blockColumns * mostSums / sums);
}

void Mapping::setMultiplyAdds(int64_t most) {
  if (isTransposed) {
    rowsAtOnce = std::min<int64_t>(most, 16);
    strip = std::min<int64_t>(4, mostSums / rowsAtOnce);
    step = warpSize * lanes;
    unroll = inFlight / strip;
    return;
  }
  strip = lanes * warpSize / rowsDown;
  step = rowsDown * runLength;
  unroll = inFlight / runLength;
  // Four lanes have the sums of the same columns, of which each keeps a part.
  rowsAtOnce = std::min<int64_t>(most, 2 * mostSums / lanes);
}

class RowMatmulEmitter {
public:
  RowMatmulEmitter(nn::RowMatmulOp op, ThreadBuilder &tb,
                   const KernelBuffers &buffers)
      : map(op), tb(tb) {
    a = tb.flatten(buffers.inputs[0]);
    b = tb.flatten(buffers.inputs[1]);
    Value read =
        tb.toIndex(tb.loadScalar(tb.flatten(buffers.inputs[2]), tb.index(0)));
    count = tb.min(read, tb.index(map.rows));
    if (op.getBias())
      bias = tb.flatten(buffers.inputs[3]);
    out = tb.flatten(buffers.outputs[0]);
    lane = tb.rem(tb.thread(), warpSize);
    Value warp = tb.div(tb.thread(), warpSize);
    part = tb.rem(warp, map.parts);
    start = tb.mul(tb.block(), map.width());
    first = tb.add(start, tb.mul(tb.div(warp, map.parts), map.strip));
    tileSize = map.rowsAtOnce * map.strip;
    tiles = tb.shared(warps * tileSize, tb.builder.getF32Type());
    tile = tb.mul(warp, tileSize);
    rowLanes = getAccessLanes({getElementTypeOrSelf(a.getType())}, map.inner);
  }

  void emit() {
    if (map.rows <= map.rowsAtOnce)
      return tb.onlyIf(tb.isLess(tb.index(0), count),
                       [&] { emitRows(tb.index(0)); });
    tb.loop(tb.index(0), count, map.rowsAtOnce, [&](Value row) {
      emitRows(row);
      tb.barrier();
    });
  }

private:
  /// The weights of a step that a lane has.
  struct Weights {
    Value inner; ///< the lane's first position
    SmallVector<Value> vectors;
  };

  /// Rows from \p from on, as many as there are at once.
  void emitRows(Value from) {
    row = from;
    if (map.usesTensorCores)
      map.isTransposed ? emitTensorDots() : emitTensorSums();
    else
      map.isTransposed ? emitDots() : emitSums();
    tb.barrier();
    emitEnd();
  }

  //===--------------------------------------------------------------------===//
  // Along the inner dimension
  //===--------------------------------------------------------------------===//

  using Load = function_ref<Weights(Value inner, bool mayEnd)>;
  using Add = function_ref<void(const Weights &, MutableArrayRef<Value> sums,
                                bool mayEnd)>;

  /// The \p number sums of a lane over the steps of this warp. Weights at
  /// positions past the end, where a step may end, must be zero.
  SmallVector<Value> overSteps(int64_t number, Load load, Add add) {
    int64_t whole = map.inner / map.step;
    auto addSteps = [&](Value at, int64_t steps, ValueRange carried,
                        bool mayEnd) {
      SmallVector<Weights> loaded;
      for (int64_t i = 0; i < steps; ++i)
        loaded.push_back(
            load(tb.mul(tb.add(at, i * map.parts), map.step), mayEnd));
      SmallVector<Value> sums(carried);
      for (const Weights &weights : loaded)
        add(weights, sums, mayEnd);
      return sums;
    };
    SmallVector<Value> sums(number, tb.number(0));
    Value at = part;
    if (whole >= map.unroll) {
      Value own =
          tb.div(tb.sub(tb.index(whole + map.parts - 1), part), map.parts);
      Value even =
          tb.add(part, tb.mul(tb.div(own, map.unroll), map.unroll * map.parts));
      sums = tb.loop(at, even, map.unroll * map.parts, sums,
                     [&](Value step, ValueRange carried) {
                       return addSteps(step, map.unroll, carried, false);
                     });
      at = even;
    }
    return tb.loop(at, tb.index(llvm::divideCeil(map.inner, map.step)),
                   map.parts, sums, [&](Value step, ValueRange carried) {
                     return addSteps(step, 1, carried,
                                     map.inner % map.step != 0);
                   });
  }

  /// \p size consecutive numbers of \p buffer, in its type, from \p position
  /// on: row \p start, inner position \p at. Accesses bring \p lanes. Where
  /// they \p mayEnd those past the row's end are zero.
  Value loadInner(Value buffer, Value start, Value at, int64_t size,
                  int64_t lanes, bool mayEnd) {
    lanes = std::min(lanes, size);
    llvm::SaveAndRestore restore(tb.lanes, lanes);
    SmallVector<Value> pieces;
    for (int64_t i = 0; i < size; i += lanes) {
      Value place = tb.add(at, i), exists;
      if (mayEnd) {
        exists = tb.isLess(place, tb.index(map.inner));
        place = tb.min(place, tb.index(map.inner - lanes));
      }
      Value piece = tb.loadRaw(buffer, tb.add(start, place));
      pieces.push_back(exists ? orZero(exists, piece) : piece);
    }
    if (pieces.size() == 1)
      return pieces.front();
    SmallVector<Value> numbers;
    for (Value piece : pieces)
      for (int64_t i = 0; i < lanes; ++i)
        numbers.push_back(extract(piece, i));
    auto type = VectorType::get({size}, getElementTypeOrSelf(pieces.front()));
    return vector::FromElementsOp::create(tb.builder, tb.loc, type, numbers);
  }

  Value extract(Value vector, int64_t i) {
    return vector::ExtractOp::create(tb.builder, tb.loc, vector, i);
  }
  Value orZero(Value exists, Value vector) {
    Value zero = arith::ConstantOp::create(
        tb.builder, tb.loc, tb.builder.getZeroAttr(vector.getType()));
    return tb.select(exists, vector, zero);
  }
  /// Where row \p r of those at once begins in \p a; the last row where there
  /// are not so many.
  Value startOfRow(Value r) {
    Value at = tb.add(row, r);
    if (map.rows % map.rowsAtOnce)
      at = tb.min(at, tb.index(map.rows - 1));
    return tb.mul(at, map.inner);
  }
  /// \p column, or one that exists: \p lanes columns from it on.
  Value clampColumn(Value column, int64_t lanes) {
    if (map.columns % map.width() == 0)
      return column;
    return tb.min(column, tb.index(map.columns - lanes));
  }
  /// Two numbers of a register, element \p i of \p x and \p j of \p y.
  Value pair(Value x, int64_t i, Value y, int64_t j) {
    int64_t size = cast<VectorType>(x.getType()).getDimSize(0);
    return vector::ShuffleOp::create(tb.builder, tb.loc, x, y,
                                     ArrayRef<int64_t>{i, size + j});
  }
  Value pair(Value x, int64_t i) { return pair(x, i, x, i + 1); }

  //===--------------------------------------------------------------------===//
  // By multiply-adds
  //===--------------------------------------------------------------------===//

  SmallVector<Value> startsOfRows() {
    SmallVector<Value> starts;
    for (int64_t r = 0; r < map.rowsAtOnce; ++r)
      starts.push_back(startOfRow(tb.index(r)));
    return starts;
  }

  /// Adds the products of a step's \p weights, vectors of \p columns columns or
  /// of \p run inner positions as they lie in memory, to the sums of all rows,
  /// [rows, columns].
  void addProducts(const Weights &weights, ArrayRef<Value> rowStarts,
                   int64_t run, int64_t columns, MutableArrayRef<Value> sums,
                   bool mayEnd) {
    SmallVector<Value> wide;
    for (Value vector : weights.vectors)
      wide.push_back(tb.widen(vector));
    for (auto [r, rowStart] : llvm::enumerate(rowStarts)) {
      Value x = tb.widen(
          loadInner(a, rowStart, weights.inner, run, rowLanes, mayEnd));
      for (int64_t k = 0; k < run; ++k)
        for (int64_t c = 0; c < columns; ++c) {
          Value weight =
              map.isTransposed ? extract(wide[c], k) : extract(wide[k], c);
          Value &sum = sums[r * columns + c];
          sum = tb.fma(extract(x, k), weight, sum);
        }
    }
  }

  /// Weights [out, in]: a sum for each row and column, one chain a lane.
  void emitDots() {
    SmallVector<Value> rowStarts = startsOfRows(), columnStarts;
    for (int64_t c = 0; c < map.strip; ++c)
      columnStarts.push_back(
          tb.mul(clampColumn(tb.add(first, c), 1), map.inner));
    Value own = tb.mul(lane, map.lanes);
    auto load = [&](Value inner, bool mayEnd) {
      Weights weights{tb.add(inner, own), {}};
      for (Value column : columnStarts)
        weights.vectors.push_back(
            loadInner(b, column, weights.inner, map.lanes, map.lanes, mayEnd));
      return weights;
    };
    auto add = [&](const Weights &weights, MutableArrayRef<Value> sums,
                   bool mayEnd) {
      addProducts(weights, rowStarts, map.lanes, map.strip, sums, mayEnd);
    };
    ThreadBuilder::Spread spread = tb.sumLanes(
        overSteps(map.rowsAtOnce * map.strip, load, add), warpSize / 2, 1);
    for (auto [i, sum] : llvm::enumerate(spread.numbers))
      storeSum(sum, tb.add(spread.first, i));
  }

  /// Weights [in, out]: a lane's columns are an access of memory, and its rows
  /// of weights a run of a step.
  void emitSums() {
    Value across = tb.mul(tb.rem(lane, warpSize / rowsDown), map.lanes);
    Value down = tb.mul(tb.div(lane, warpSize / rowsDown), runLength);
    Value column = clampColumn(tb.add(first, across), map.lanes);
    SmallVector<Value> rowStarts = startsOfRows();
    auto load = [&](Value inner, bool mayEnd) {
      return loadRun(tb.add(inner, down), column, mayEnd);
    };
    auto add = [&](const Weights &weights, MutableArrayRef<Value> sums,
                   bool mayEnd) {
      addProducts(weights, rowStarts, runLength, map.lanes, sums, mayEnd);
    };
    ThreadBuilder::Spread spread =
        tb.sumLanes(overSteps(map.rowsAtOnce * map.lanes, load, add),
                    warpSize / 2, warpSize / rowsDown);
    for (auto [i, sum] : llvm::enumerate(spread.numbers)) {
      Value number = tb.add(spread.first, i);
      Value place =
          tb.add(tb.mul(tb.div(number, map.lanes), map.strip), across);
      storeSum(sum, tb.add(place, tb.rem(number, map.lanes)));
    }
  }

  /// An access of each of the rows of weights [in, out] from \p inner on that
  /// are a run.
  Weights loadRun(Value inner, Value column, bool mayEnd) {
    llvm::SaveAndRestore restore(tb.lanes, map.lanes);
    Weights weights{inner, {}};
    for (int64_t k = 0; k < runLength; ++k) {
      Value at = tb.add(inner, k), exists;
      if (mayEnd) {
        exists = tb.isLess(at, tb.index(map.inner));
        at = tb.min(at, tb.index(map.inner - 1));
      }
      Value vector = tb.loadRaw(b, tb.add(tb.mul(at, map.columns), column));
      weights.vectors.push_back(exists ? orZero(exists, vector) : vector);
    }
    return weights;
  }

  //===--------------------------------------------------------------------===//
  // By tensor cores
  //===--------------------------------------------------------------------===//

  /// Weights [out, in]: lane 4 g + t has columns g and g + 8 of the strip, and
  /// of a step's inner positions eight from 8 t on.
  void emitTensorDots() {
    constexpr int64_t blockColumns = WarpMatmul::blockColumns, ownInner = 8;
    Value group = tb.div(lane, 4), own = tb.mul(tb.rem(lane, 4), ownInner);
    SmallVector<Value> columnStarts, rowStarts;
    for (int64_t c : {int64_t(0), blockColumns})
      columnStarts.push_back(
          tb.mul(clampColumn(tb.add(tb.add(first, group), c), 1), map.inner));
    for (int64_t r = 0; r < map.rowsAtOnce; r += blockColumns)
      rowStarts.push_back(startOfRow(tb.add(group, r)));
    auto load = [&](Value inner, bool mayEnd) {
      Weights weights{tb.add(inner, own), {}};
      for (Value column : columnStarts)
        weights.vectors.push_back(
            loadInner(b, column, weights.inner, ownInner, map.lanes, mayEnd));
      return weights;
    };
    auto add = [&](const Weights &weights, MutableArrayRef<Value> sums,
                   bool mayEnd) {
      Value low = weights.vectors[0], high = weights.vectors[1];
      for (auto [block, rowStart] : llvm::enumerate(rowStarts)) {
        Value x =
            loadInner(a, rowStart, weights.inner, ownInner, rowLanes, mayEnd);
        for (int64_t k = 0; k < ownInner; k += 4)
          addByTensorCores(tb,
                           {pair(low, k), pair(high, k), pair(low, k + 2),
                            pair(high, k + 2)},
                           {pair(x, k), pair(x, k + 2)},
                           sums.slice(block * WarpMatmul::blockNumbers,
                                      WarpMatmul::blockNumbers));
      }
    };
    SmallVector<Value> sums = overSteps(
        map.rowsAtOnce / blockColumns * WarpMatmul::blockNumbers, load, add);
    storeFragments(sums, {{group, tb.add(group, blockColumns)}});
  }

  /// Weights [in, out]: lane 4 g + t has columns from g accesses on, two for
  /// each product of the tensor cores, and a run of rows of weights.
  void emitTensorSums() {
    constexpr int64_t blockColumns = WarpMatmul::blockColumns;
    constexpr int64_t blockNumbers = WarpMatmul::blockNumbers;
    Value group = tb.div(lane, 4), own = tb.mul(tb.rem(lane, 4), runLength);
    Value across = tb.mul(group, map.lanes);
    Value column = clampColumn(tb.add(first, across), map.lanes);
    SmallVector<Value> rowStarts;
    for (int64_t r = 0; r < map.rowsAtOnce; r += blockColumns)
      rowStarts.push_back(startOfRow(tb.add(group, r)));
    auto load = [&](Value inner, bool mayEnd) {
      return loadRun(tb.add(inner, own), column, mayEnd);
    };
    int64_t ofBlock = map.lanes / 2 * blockNumbers;
    auto add = [&](const Weights &weights, MutableArrayRef<Value> sums,
                   bool mayEnd) {
      SmallVector<Value> xs;
      for (Value rowStart : rowStarts)
        xs.push_back(
            loadInner(a, rowStart, weights.inner, runLength, rowLanes, mayEnd));
      ArrayRef<Value> w = weights.vectors;
      for (int64_t c = 0; c < map.lanes; c += 2) {
        Value left[] = {pair(w[0], c, w[1], c), pair(w[0], c + 1, w[1], c + 1),
                        pair(w[2], c, w[3], c), pair(w[2], c + 1, w[3], c + 1)};
        for (auto [block, x] : llvm::enumerate(xs))
          addByTensorCores(
              tb, left, {pair(x, 0), pair(x, 2)},
              sums.slice(block * ofBlock + c / 2 * blockNumbers, blockNumbers));
      }
    };
    SmallVector<Value> sums =
        overSteps(map.rowsAtOnce / blockColumns * ofBlock, load, add);
    SmallVector<std::array<Value, 2>> columns;
    for (int64_t c = 0; c < map.lanes; c += 2)
      columns.push_back({tb.add(across, c), tb.add(across, c + 1)});
    storeFragments(sums, columns);
  }

  /// Fragments of all blocks of rows; of each block those of all \p columns,
  /// pairs of columns of the strip.
  void storeFragments(ArrayRef<Value> sums,
                      ArrayRef<std::array<Value, 2>> columns) {
    Value member = tb.mul(tb.rem(lane, 4), 2);
    for (auto [n, sum] : llvm::enumerate(sums)) {
      int64_t i = n % WarpMatmul::blockNumbers,
              fragment = n / WarpMatmul::blockNumbers;
      int64_t block = fragment / columns.size();
      Value r = tb.add(member, block * WarpMatmul::blockColumns + i % 2);
      storeSum(sum, tb.add(tb.mul(r, map.strip),
                           columns[fragment % columns.size()][i / 2]));
    }
  }

  //===--------------------------------------------------------------------===//
  // The end
  //===--------------------------------------------------------------------===//

  /// Puts \p sum at \p place of the warp's [rowsAtOnce, strip]. Lanes that
  /// have the same sum put it there together.
  void storeSum(Value sum, Value place) {
    tb.storeScalar(sum, tiles, tb.add(tile, place));
  }

  /// Adds the parts of all sums of the block and stores those that are there.
  void emitEnd() {
    int64_t width = map.width(), all = map.rowsAtOnce * width;
    auto emitElement = [&](Value number) {
      Value r = tb.add(row, tb.div(number, width));
      Value c = tb.rem(number, width);
      Value column = tb.add(start, c), exists = tb.isLess(r, count);
      if (map.columns % width)
        exists = tb.both(exists, tb.isLess(column, tb.index(map.columns)));
      tb.onlyIf(exists, [&] {
        Value place = tb.mul(tb.div(c, map.strip), map.parts * tileSize);
        place = tb.add(place, tb.mul(tb.div(number, width), map.strip));
        place = tb.add(place, tb.rem(c, map.strip));
        Value sum = tb.loadScalar(tiles, place);
        for (int64_t p = 1; p < map.parts; ++p)
          sum = tb.addf(sum, tb.loadScalar(tiles, tb.add(place, p * tileSize)));
        if (bias)
          sum = tb.addf(sum, tb.loadScalar(bias, column));
        tb.storeScalar(sum, out, tb.add(tb.mul(r, map.columns), column));
      });
    };
    if (all % threads == 0)
      return tb.loop(0, all, threads, [&](Value begin) {
        emitElement(tb.add(begin, tb.thread()));
      });
    tb.loop(tb.thread(), tb.index(all), threads, emitElement);
  }

  Mapping map;
  ThreadBuilder &tb;
  Value a, b, count, bias, out;
  Value lane, part;
  Value start, first; ///< columns of the block and of the warp
  Value tiles, tile;  ///< sums of all warps, and where this one's begin
  int64_t tileSize;
  int64_t rowLanes; ///< elements of an access of a
  Value row;        ///< the first of those at once
};

struct RowMatmulKernel
    : KernelEmissionOpInterface::ExternalModel<RowMatmulKernel,
                                               nn::RowMatmulOp> {
  SmallVector<Grid> getGrids(Operation *op) const {
    return {Mapping(cast<nn::RowMatmulOp>(op)).getGrid()};
  }
  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    RowMatmulEmitter(cast<nn::RowMatmulOp>(op), tb, buffers).emit();
  }
};

} // namespace

void tessera::cuda::registerRowMatmul(MLIRContext *context) {
  nn::RowMatmulOp::attachInterface<RowMatmulKernel>(*context);
}
