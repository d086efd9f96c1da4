//===- ScatterAdd.cpp - The kernel of nn.scatter_add ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Blocks of the first grid bring the table to its start value; others order the
// rows by their index, where a row's place is the number of rows that come
// before it. That takes rows^2 comparisons of all with all, by arithmetic 5 us
// for 8192 rows on an H100, and the blocks at work on the table hide it.
//
// In the second grid the first row of each index in that order stands for all
// of them: its group of threads sums them in registers, in ascending order.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/Kernels.h"
#include "codegen/cuda/RowGroups.h"
#include "dialects/nn/NN.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;

namespace {

constexpr int64_t threads = 256;
/// Warps that compare the same rows with a slice of all each.
constexpr int64_t slices = threads / warpSize;
/// Vectors of the table that a thread has on their way at a time.
constexpr int64_t unroll = 4;
/// Blocks that fill a large GPU.
constexpr int64_t manyBlocks = 2048;
/// Rows of one index that are on their way at a time.
constexpr int64_t rowsAtOnce = 4;
/// Before the first and behind the last index in order.
constexpr int32_t noIndex = -1;

/// The sizes of an operation, and who computes what.
struct Mapping {
  explicit Mapping(nn::ScatterAddOp op) {
    auto table = cast<RankedTensorType>(op.getInit().getType());
    width = table.getDimSize(1);
    elements = table.getNumElements();
    rows = cast<RankedTensorType>(op.getIndices().getType()).getNumElements();
    lanes = getAccessLanes(table, elements);
    orderBlocks = llvm::divideCeil(rows, warpSize);
    initBlocks = std::min<int64_t>(
        manyBlocks, llvm::divideCeil(elements, lanes * threads * unroll));
  }

  int64_t width, rows;
  int64_t elements; ///< of the table
  // Of the first grid: elements of a vector of the table; blocks that order the
  // rows and, behind them, blocks that start the table.
  int64_t lanes, orderBlocks, initBlocks;
};

class ScatterAddEmitter {
public:
  ScatterAddEmitter(nn::ScatterAddOp op, ThreadBuilder &tb,
                    const KernelBuffers &buffers)
      : map(op), groups(getGroups(op)), tb(tb), b(tb.builder), loc(tb.loc),
        indices(tb.flatten(buffers.inputs[1])),
        added(tb.flatten(buffers.inputs[2])),
        table(tb.flatten(buffers.outputs[0])) {
    if (buffers.inputs[0]) {
      init = tb.flatten(buffers.inputs[0]);
    } else {
      DenseElementsAttr value;
      matchPattern(op.getInit(), m_Constant(&value));
      number = value.getSplatValue<APFloat>().convertToDouble();
    }
    int64_t offset = 0;
    order = tb.carve(buffers.scratch, offset, map.rows, b.getI32Type());
    sorted = tb.carve(buffers.scratch, offset, map.rows + 2, b.getI32Type());
  }

  static RowGroups getGroups(nn::ScatterAddOp op) {
    Mapping map(op);
    return {map.rows, map.width,
            TypeRange({op.getInit().getType(), op.getRows().getType()})};
  }

  static int64_t getScratchBytes(nn::ScatterAddOp op) {
    Mapping map(op);
    return llvm::alignTo(4 * map.rows, 64) +
           llvm::alignTo(4 * (map.rows + 2), 64);
  }

  void emitFirst() {
    Value orders = tb.isLess(tb.block(), tb.index(map.orderBlocks));
    auto branch = scf::IfOp::create(b, loc, orders, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    emitOrder();
    b.setInsertionPointToStart(branch.elseBlock());
    emitInit();
  }

  void emitSums() {
    groups.emit(tb, [&](Value place, ArrayRef<RowGroups::Place> places) {
      Value key = tb.loadScalar(sorted, tb.add(place, 1));
      Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                            key, tb.loadScalar(sorted, place));
      tb.onlyIf(isFirst, [&] { emitSum(place, key, places); });
    });
  }

private:
  /// How many of the indices from \p begin to \p end are under \p limit, as a
  /// vector of counts.
  Value countUnder(Value limit, Value begin, Value end, Value counts) {
    limit = tb.splat(limit);
    return tb.loop(
        begin, end, tb.lanes, counts, [&](Value at, ValueRange carried) {
          Value under = tb.isLess(tb.load(indices, at), limit);
          Value one = arith::ExtUIOp::create(b, loc, limit.getType(), under);
          return SmallVector<Value>{tb.add(carried[0], one)};
        })[0];
  }

  /// A row comes behind those of a smaller index, and behind those of its own
  /// that stand before it.
  void emitOrder() {
    tb.lanes = getAccessLanes(b.getI32Type(), map.rows);
    Value lane = tb.rem(tb.thread(), warpSize);
    Value first = tb.mul(tb.block(), warpSize);
    Value row = tb.add(first, lane);
    Value exists;
    if (map.rows % warpSize) {
      exists = tb.isLess(row, tb.index(map.rows));
      row = tb.min(row, tb.index(map.rows - 1));
    }
    Value key = tb.loadScalar(indices, row);
    Value one = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(1));

    // The warp's rows count as ones that stand behind it.
    int64_t slice = llvm::alignTo(llvm::divideCeil(map.rows, slices), tb.lanes);
    Value begin = tb.mul(tb.div(tb.thread(), warpSize), slice);
    Value end = tb.min(tb.add(begin, slice), tb.index(map.rows));
    auto counts = tb.vectorType(b.getI32Type());
    Value count = arith::ConstantOp::create(b, loc, b.getZeroAttr(counts));
    count = countUnder(tb.add(key, one), begin, tb.min(end, first), count);
    count = countUnder(key, tb.max(begin, first), end, count);
    count =
        vector::ReductionOp::create(b, loc, vector::CombiningKind::ADD, count);
    Value partial = tb.shared(threads, b.getI32Type());
    tb.storeScalar(count, partial, tb.thread());
    tb.barrier();
    exists = tb.both(exists, tb.isLess(tb.thread(), tb.index(warpSize)));
    tb.onlyIf(exists, [&] {
      Value place = tb.loadScalar(partial, lane);
      for (int64_t i = 1; i < slices; ++i)
        place =
            tb.add(place, tb.loadScalar(partial, tb.add(lane, i * warpSize)));
      place = tb.loop(first, row, 1, place, [&](Value at, ValueRange carried) {
        Value same = tb.isEqual(tb.loadScalar(indices, at), key);
        Value more = arith::ExtUIOp::create(b, loc, b.getI32Type(), same);
        return SmallVector<Value>{tb.add(carried[0], more)};
      })[0];
      place = tb.toIndex(place);
      tb.storeScalar(tb.toI32(row), order, place);
      tb.storeScalar(key, sorted, tb.add(place, 1));
    });
    Value isStart = tb.isEqual(tb.add(tb.thread(), tb.mul(tb.block(), threads)),
                               tb.index(0));
    tb.onlyIf(isStart, [&] {
      Value none =
          arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(noIndex));
      tb.storeScalar(none, sorted, tb.index(0));
      tb.storeScalar(none, sorted, tb.index(map.rows + 1));
    });
  }

  /// Brings the table to its start value: a constant, or the operand where that
  /// lies in another buffer.
  void emitInit() {
    Value apart;
    if (init) {
      auto address = [&](Value buffer) -> Value {
        return memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
      };
      apart = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                    address(init), address(table));
    }
    tb.lanes = map.lanes;
    int64_t across = threads * map.lanes, step = across * unroll;
    Value block = tb.sub(tb.block(), tb.index(map.orderBlocks));
    Value first = tb.add(tb.mul(block, step), tb.mul(tb.thread(), map.lanes));
    tb.onlyIf(apart, [&] {
      tb.loop(
          first, tb.index(map.elements), step * map.initBlocks, [&](Value at) {
            SmallVector<Value> exists, values;
            for (int64_t i = 0; i < unroll; ++i) {
              Value place = tb.add(at, i * across);
              exists.push_back(map.elements % step
                                   ? tb.isLess(place, tb.index(map.elements))
                                   : Value());
              place = tb.min(place, tb.index(map.elements - map.lanes));
              values.push_back(startAt(place));
            }
            for (int64_t i = 0; i < unroll; ++i)
              tb.onlyIf(exists[i], [&] {
                tb.store(values[i], table, tb.add(at, i * across));
              });
          });
    });
  }

  /// The start value of a vector of the table.
  Value startAt(Value place) {
    return init ? tb.load(init, place) : tb.splat(number);
  }

  /// Adds the rows of index \p key, from \p place on in their order, to the
  /// start value.
  void emitSum(Value place, Value key, ArrayRef<RowGroups::Place> places) {
    Value target = tb.mul(tb.toIndex(key), map.width);
    SmallVector<Value> state = {place};
    for (const RowGroups::Place &vector : places)
      state.push_back(startAt(tb.add(target, vector.column)));
    auto types = llvm::to_vector(ValueRange(state).getTypes());
    SmallVector<Location> locations(state.size(), loc);
    auto loop = scf::WhileOp::create(
        b, loc, types, state,
        [&](OpBuilder &, Location, ValueRange carried) {
          auto [next, goesOn] = addRows(carried, key, places);
          scf::ConditionOp::create(b, loc, goesOn, next);
        },
        [&](OpBuilder &, Location, ValueRange carried) {
          scf::YieldOp::create(b, loc, carried);
        });
    for (auto [vector, sum] : llvm::zip(places, loop.getResults().drop_front()))
      tb.onlyIf(vector.exists, [&, sum = sum, column = vector.column] {
        tb.store(sum, table, tb.add(target, column));
      });
  }

  /// Adds the next few rows to what is \p carried, their place and the sums;
  /// also returns whether there may be more of them.
  std::pair<SmallVector<Value>, Value>
  addRows(ValueRange carried, Value key, ArrayRef<RowGroups::Place> places) {
    Value first = carried[0], firstRow, exists;
    SmallVector<Value> known;
    SmallVector<SmallVector<Value>> numbers;
    for (int64_t i = 0; i < rowsAtOnce; ++i) {
      Value at = tb.add(first, i);
      Value next = tb.min(tb.add(at, 1), tb.index(map.rows + 1));
      exists = tb.isEqual(tb.loadScalar(sorted, next), key);
      known.push_back(exists);
      Value row = tb.loadScalar(order, tb.min(at, tb.index(map.rows - 1)));
      // A row of another index is not read: the first one is again.
      firstRow = i ? firstRow : row;
      row = tb.toIndex(i ? tb.select(exists, row, firstRow) : row);
      Value source = tb.mul(row, map.width);
      SmallVector<Value> &loaded = numbers.emplace_back();
      for (const RowGroups::Place &vector : places)
        loaded.push_back(tb.load(added, tb.add(source, vector.column)));
    }
    SmallVector<Value> next(carried);
    next[0] = tb.add(first, rowsAtOnce);
    for (auto [isThere, row] : llvm::zip(known, numbers))
      for (auto [v, vector] : llvm::enumerate(row))
        next[v + 1] =
            tb.select(isThere, tb.addf(next[v + 1], vector), next[v + 1]);
    return {next, exists};
  }

  Mapping map;
  RowGroups groups;
  ThreadBuilder &tb;
  OpBuilder &b;
  Location loc;
  Value indices, added, table;
  /// What the table starts as: a buffer, or a number where that is null.
  Value init;
  double number = 0;
  /// The rows' numbers in order of their indices, and these; the latter begin
  /// and end with noIndex.
  Value order, sorted;
};

struct ScatterAddKernel
    : KernelEmissionOpInterface::ExternalModel<ScatterAddKernel,
                                               nn::ScatterAddOp> {
  SmallVector<Grid> getGrids(Operation *op) const {
    auto scatter = cast<nn::ScatterAddOp>(op);
    Mapping map(scatter);
    return {{map.orderBlocks + map.initBlocks, threads},
            ScatterAddEmitter::getGroups(scatter).getGrid()};
  }
  int64_t getScratchBytes(Operation *op) const {
    return ScatterAddEmitter::getScratchBytes(cast<nn::ScatterAddOp>(op));
  }
  void emitThread(Operation *op, unsigned grid, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    ScatterAddEmitter emitter(cast<nn::ScatterAddOp>(op), tb, buffers);
    if (grid == 0)
      emitter.emitFirst();
    else
      emitter.emitSums();
  }
};

} // namespace

void tessera::cuda::registerScatterAdd(MLIRContext *context) {
  nn::ScatterAddOp::attachInterface<ScatterAddKernel>(*context);
}
