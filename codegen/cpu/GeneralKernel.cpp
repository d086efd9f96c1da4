//===- GeneralKernel.cpp - Kernels of rows and columns ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A kernel by rows computes one row after the other: first its reductions, in
// as many passes over the row as they depend on each other, then the results
// that have an element a column. A kernel by columns computes strips of columns
// and sums over all rows in blocks, which keeps rounding errors small. Vectors
// have vectorLanes lanes; what is left at the end of a row is masked.

#include "codegen/cpu/GeneralKernel.h"
#include "codegen/kernels/KernelValues.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;
using namespace tessera::nn;

namespace {

/// Elements of a block where a kernel is elementwise throughout.
constexpr int64_t blockSize = 1024;
/// Columns of a strip.
constexpr int64_t stripColumns = 4 * vectorLanes;
/// A row with fewer columns fits into registers.
constexpr int64_t narrowRow = 4 * vectorLanes;
/// Rows that are summed before they are added to the strip's total.
constexpr int64_t rowBlock = 128;

class Emitter {
public:
  Emitter(func::FuncOp kernel, KernelBody &body)
      : body(body), builder(body.builder), loc(body.loc),
        vb(body.builder, body.loc), shape(KernelSpace::get(kernel)),
        values(kernel, shape.space, vb, body.inputs, body.outputs),
        columns(shape.space.columns), results(values.results),
        reductions(values.reductions) {}

  void emit() {
    if (shape.flat)
      return emitFlat();
    if (shape.space.byColumns)
      return emitByColumns();
    vb.loop(body.begin, body.end, 1, [&](Value row) { emitRow(row, columns); });
  }

private:
  Value index(int64_t value) { return vb.index(value); }

  /// All lanes, or the first \p count of them.
  Lanes makeLanes(Value column, int64_t count) {
    Lanes lanes{column, {}};
    if (count < vectorLanes)
      lanes.mask = vb.mask(index(count));
    return lanes;
  }

  //===--------------------------------------------------------------------===//
  // By rows
  //===--------------------------------------------------------------------===//

  /// Runs \p write over the \p size columns of a row, \p unroll vectors at a
  /// time while there are enough. \p write gets the vectors of one round and
  /// the carried values and returns the next ones.
  SmallVector<Value> overColumns(
      int64_t size, int64_t unroll, SmallVector<Value> carried,
      function_ref<SmallVector<Value>(ArrayRef<Lanes>, ValueRange)> write) {
    int64_t column = 0;
    // A narrow row is written out, so that what one pass has computed is still
    // in a register for the next.
    for (; size < narrowRow && column + vectorLanes <= size;
         column += vectorLanes) {
      values.vectors.clear();
      carried = write(makeLanes(index(column), vectorLanes), carried);
    }
    for (int64_t vectors : {unroll, int64_t(1)}) {
      int64_t step = vectors * vectorLanes;
      int64_t stop = column + (size - column) / step * step;
      if (column == stop)
        continue;
      carried = vb.loop(index(column), index(stop), step, carried,
                        [&](Value at, ValueRange previous) {
                          values.vectors.clear();
                          SmallVector<Lanes> round;
                          for (int64_t i = 0; i < vectors; ++i)
                            round.push_back(makeLanes(
                                vb.add(at, i * vectorLanes), vectorLanes));
                          return write(round, previous);
                        });
      column = stop;
    }
    if (column < size) {
      values.vectors.clear();
      carried = write(makeLanes(index(column), size - column), carried);
    }
    values.vectors.clear();
    return carried;
  }

  /// The same over the counted part of the one row that a kernel has, each
  /// column in the round and vector where it is without a count: so that sums
  /// have the bits that they have where the rest of the row is 0.
  SmallVector<Value> overCounted(
      int64_t size, int64_t unroll, SmallVector<Value> carried,
      function_ref<SmallVector<Value>(ArrayRef<Lanes>, ValueRange)> write) {
    Value end = vb.mul(body.count, columns / body.room);
    int64_t column = 0;
    for (int64_t vectors : {unroll, int64_t(1)}) {
      int64_t step = vectors * vectorLanes;
      int64_t stop =
          vectors == 1 ? size : column + (size - column) / step * step;
      if (column == stop)
        continue;
      carried =
          vb.loop(index(column), vb.min(end, index(stop)), step, carried,
                  [&](Value at, ValueRange previous) {
                    values.vectors.clear();
                    SmallVector<Lanes> round;
                    for (int64_t i = 0; i < vectors; ++i) {
                      Value first = vb.add(at, i * vectorLanes);
                      round.push_back({first, vb.mask(vb.sub(end, first))});
                    }
                    return write(round, previous);
                  });
      column = stop;
    }
    values.vectors.clear();
    return carried;
  }

  void emitRow(Value at, int64_t size) {
    values.setRow(at);
    unsigned passes = 0;
    for (nn::ReduceOp reduce : reductions)
      passes = std::max(passes, values.getDepth(reduce.getResult()));
    for (unsigned pass = 1; pass <= passes; ++pass)
      reduceRow(pass, size);

    SmallVector<unsigned> wide;
    SmallVector<std::pair<unsigned, Value>> narrow;
    for (auto [i, result] : llvm::enumerate(results))
      if (shape.flat || !findReduction(result))
        wide.push_back(i);
      else
        narrow.push_back({i, values.evaluateRow(result, {RoleKind::Row, 1})});
    // A result may overwrite what others are computed from.
    for (auto [i, value] : narrow)
      values.storeScalar(i, value, at);
    if (wide.empty())
      return;
    // What one value per row costs is paid once, before the columns.
    SmallVector<KernelValues::Part> parts = values.getParts(wide);
    SmallVector<Value> wanted;
    for (const KernelValues::Part &part : parts)
      wanted.push_back(part.value);
    values.prepare(wanted);
    overColumns(size, 2, {}, [&](ArrayRef<Lanes> round, ValueRange) {
      for (const Lanes &lanes : round) {
        values.vectors.clear();
        SmallVector<Value> computed;
        for (Value value : wanted)
          computed.push_back(
              values.evaluate(value, {RoleKind::Full, 1}, lanes));
        for (auto [part, value] : llvm::zip(parts, computed))
          values.store(part.result, value, values.getPosition(part, lanes),
                       lanes.mask);
      }
      return SmallVector<Value>();
    });
  }

  void reduceRow(unsigned pass, int64_t size) {
    SmallVector<nn::ReduceOp> current;
    SmallVector<Value> operands;
    for (nn::ReduceOp reduce : reductions)
      if (values.getDepth(reduce.getResult()) == pass) {
        current.push_back(reduce);
        operands.push_back(reduce.getInput());
      }
    values.prepare(operands);
    int64_t count = current.size();
    // Several sums at once hide the latency of an addition.
    int64_t unroll = size < narrowRow ? 1 : count > 2 ? 2 : 4;
    SmallVector<Value> sums;
    for (int64_t i = 0; i < unroll; ++i)
      for (nn::ReduceOp reduce : current)
        sums.push_back(values.neutral(reduce));
    auto walk = [&](auto write) {
      return body.count && shape.space.rows == 1
                 ? overCounted(size, unroll, sums, write)
                 : overColumns(size, unroll, sums, write);
    };
    sums = walk([&](ArrayRef<Lanes> round, ValueRange carried) {
      SmallVector<Value> next(carried);
      for (auto [i, lanes] : llvm::enumerate(round)) {
        values.vectors.clear();
        for (auto [j, reduce] : llvm::enumerate(current)) {
          Value &sum = next[i * count + j];
          sum = values.combine(reduce, sum,
                               values.evaluateOperand(reduce, lanes));
        }
      }
      return next;
    });
    for (auto [j, reduce] : llvm::enumerate(current)) {
      Value total = sums[j];
      for (int64_t i = 1; i < unroll; ++i)
        total = values.combine(reduce, total, sums[i * count + j]);
      values.setRowResult(reduce, values.reduceLanes(reduce, total));
    }
  }

  //===--------------------------------------------------------------------===//
  // Elementwise throughout
  //===--------------------------------------------------------------------===//

  void emitFlat() {
    int64_t whole = columns / blockSize, rest = columns % blockSize;
    auto block = [&](Value at, int64_t size) {
      // Each block is a row of its own; positions count from its start.
      values.setColumns(blockSize);
      emitRow(at, size);
    };
    vb.loop(body.begin, body.end, 1, [&](Value at) {
      onLast(
          at, whole, rest, [&] { block(at, blockSize); },
          [&] { block(at, rest); });
    });
  }

  /// Iterations 0 to \p whole - 1 are full, the one after is the \p rest.
  void onLast(Value iteration, int64_t whole, int64_t rest,
              function_ref<void()> writeWhole, function_ref<void()> writeRest) {
    if (rest == 0)
      return writeWhole();
    if (whole == 0)
      return writeRest();
    Value isWhole = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::ult, iteration, index(whole));
    auto branch = scf::IfOp::create(builder, loc, isWhole, /*withElse=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    writeWhole();
    builder.setInsertionPointToStart(branch.elseBlock());
    writeRest();
  }

  //===--------------------------------------------------------------------===//
  // By columns
  //===--------------------------------------------------------------------===//

  void emitByColumns() {
    int64_t whole = columns / stripColumns, rest = columns % stripColumns;
    vb.loop(body.begin, body.end, 1, [&](Value at) {
      Value column = vb.mul(at, stripColumns);
      onLast(
          at, whole, rest, [&] { emitStrip(column, stripColumns); },
          [&] { emitStrip(column, rest); });
    });
  }

  void emitStrip(Value column, int64_t size) {
    SmallVector<Lanes> strip;
    for (int64_t at = 0; at < size; at += vectorLanes)
      strip.push_back(
          makeLanes(vb.add(column, at), std::min(vectorLanes, size - at)));
    auto zeros = [&] {
      SmallVector<Value> sums;
      for (size_t i = 0; i < strip.size(); ++i)
        for (nn::ReduceOp reduce : reductions)
          sums.push_back(values.neutral(reduce));
      return sums;
    };
    auto overRows = [&](Value from, Value to) {
      return vb.loop(from, to, 1, zeros(), [&](Value at, ValueRange carried) {
        values.setRow(at);
        SmallVector<Value> next(carried);
        for (auto [i, lanes] : llvm::enumerate(strip)) {
          values.vectors.clear();
          for (auto [j, reduce] : llvm::enumerate(reductions)) {
            Value &sum = next[i * reductions.size() + j];
            sum = values.combine(reduce, sum,
                                 values.evaluateOperand(reduce, lanes));
          }
        }
        return next;
      });
    };
    auto addTo = [&](ValueRange totals, ArrayRef<Value> sums) {
      SmallVector<Value> next;
      for (auto [k, pair] : llvm::enumerate(llvm::zip(totals, sums)))
        next.push_back(values.combine(reductions[k % reductions.size()],
                                      std::get<0>(pair), std::get<1>(pair)));
      return next;
    };
    int64_t rows = shape.space.rows, even = rows / rowBlock * rowBlock;
    SmallVector<Value> totals = zeros();
    if (body.count) {
      // The blocks are those of all rows, as far as there are any.
      Value end = vb.mul(body.count, rows / body.room);
      Value whole = vb.sub(end, vb.rem(end, rowBlock));
      totals = vb.loop(
          index(0), whole, rowBlock, totals, [&](Value at, ValueRange carried) {
            return addTo(carried, overRows(at, vb.add(at, rowBlock)));
          });
      totals = addTo(totals, overRows(whole, end));
      even = rows;
    } else if (even)
      totals =
          vb.loop(index(0), index(even), rowBlock, totals,
                  [&](Value at, ValueRange carried) {
                    return addTo(carried, overRows(at, vb.add(at, rowBlock)));
                  });
    if (even < rows)
      totals = addTo(totals, overRows(index(even), index(rows)));

    values.setRow({});
    for (auto [i, lanes] : llvm::enumerate(strip)) {
      values.vectors.clear();
      for (auto [j, reduce] : llvm::enumerate(reductions))
        values.setColumnResult(reduce, totals[i * reductions.size() + j]);
      SmallVector<Value> computed;
      for (Value result : results)
        computed.push_back(
            values.evaluate(result, {RoleKind::Column, 1}, lanes));
      for (auto [k, value] : llvm::enumerate(computed))
        values.store(k, value, lanes.column, lanes.mask);
    }
  }

  KernelBody &body;
  OpBuilder &builder;
  Location loc;
  VectorBuilder vb;
  KernelSpace shape;
  KernelValues values;
  int64_t columns;
  ArrayRef<Value> results;
  ArrayRef<nn::ReduceOp> reductions;
};

} // namespace

int64_t cpu::getGeneralIterations(func::FuncOp kernel) {
  KernelSpace shape = KernelSpace::get(kernel);
  if (shape.flat)
    return llvm::divideCeil(shape.space.columns, blockSize);
  if (shape.space.byColumns)
    return llvm::divideCeil(shape.space.columns, stripColumns);
  return shape.space.rows;
}

std::optional<CountedIterations> cpu::getCountedIterations(func::FuncOp kernel,
                                                           int64_t room) {
  KernelSpace shape = KernelSpace::get(kernel);
  if (shape.flat) {
    if (shape.space.columns % room)
      return std::nullopt;
    return CountedIterations{shape.space.columns / room, blockSize};
  }
  if (shape.space.byColumns || shape.space.rows % room)
    return std::nullopt;
  return CountedIterations{shape.space.rows / room, 1};
}

void cpu::emitGeneralKernel(func::FuncOp kernel, KernelBody &body) {
  Emitter(kernel, body).emit();
}
