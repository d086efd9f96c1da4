//===- GeneralKernel.cpp - Kernels of rows and columns on a grid *- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a kernel computes at one place is KernelValues' matter, on every target;
// here is who computes which place.
//
// - Elementwise throughout: a thread takes a few vectors, a block apart.
// - By rows: a row belongs to a group of threads, a part of a warp, a warp or a
//   block. Where a thread has few vectors of the row it keeps them in registers
//   from pass to pass; else it walks over the row once per pass.
// - By columns: a block takes a strip of columns and a part of the rows. With
//   several parts, sums go to scratch memory, and a second grid adds them up in
//   order.
//
// Loads that lie past the end are moved to the last vector, so that they need
// no branch and several are in flight; only stores and sums heed the end.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/GeneralKernel.h"
#include "codegen/cuda/KernelMapping.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;
using namespace tessera::nn;
using codegen::KernelValues;
using codegen::Lanes;

namespace {

constexpr Role full = {RoleKind::Full, 1};

class Emitter {
public:
  Emitter(func::FuncOp kernel, const KernelMapping &mapping, ThreadBuilder &tb,
          const KernelBuffers &buffers)
      : map(mapping), tb(tb), buffers(buffers),
        values(kernel, mapping.shape.space, tb, buffers.inputs,
               buffers.outputs) {}

  void emit(unsigned grid) {
    if (map.shape.flat)
      emitElements();
    else if (!map.shape.space.byColumns)
      emitRow();
    else if (grid == 0)
      emitStrip();
    else
      emitParts();
  }

private:
  /// A vector of a thread: where it is, and whether it is there at all (null:
  /// it is).
  struct Place {
    Lanes lanes;
    Value exists;
  };

  /// The vector that begins at \p column, moved to the last one if that is past
  /// the end, which is checked where it \p mayEnd there.
  Place makePlace(Value column, bool mayEnd) {
    if (!mayEnd)
      return {{column, {}}, {}};
    Value exists = tb.isLess(column, tb.index(map.columns()));
    return {{tb.min(column, tb.index(map.columns() - map.lanes)), {}}, exists};
  }

  /// The results \p wanted at \p places: all are computed before the first is
  /// stored, so that no load waits for a store.
  void storeAll(ArrayRef<Place> places, ArrayRef<unsigned> wanted, Value valid,
                MutableArrayRef<KernelValues::Vectors> known) {
    SmallVector<KernelValues::Part> parts = values.getParts(wanted);
    SmallVector<SmallVector<Value>> computed;
    for (auto [place, vectors] : llvm::zip(places, known)) {
      std::swap(values.vectors, vectors);
      SmallVector<Value> &row = computed.emplace_back();
      for (const KernelValues::Part &part : parts)
        row.push_back(values.evaluate(part.value, full, place.lanes));
      std::swap(values.vectors, vectors);
    }
    for (auto [place, row] : llvm::zip(places, computed))
      tb.onlyIf(tb.both(place.exists, valid), [&] {
        for (auto [part, value] : llvm::zip(parts, row))
          values.store(part.result, value,
                       values.getPosition(part, place.lanes));
      });
  }

  //===--------------------------------------------------------------------===//
  // Elementwise throughout
  //===--------------------------------------------------------------------===//

  void emitElements() {
    int64_t threads = map.grid.threads, step = threads * map.lanes;
    values.prepare(values.results);
    Value first = tb.mul(tb.block(), step * map.unroll);
    first = tb.add(first, tb.mul(tb.thread(), map.lanes));
    bool isExact = map.grid.blocks * step * map.unroll == map.columns();
    SmallVector<Place> places;
    for (int64_t i = 0; i < map.unroll; ++i)
      places.push_back(makePlace(tb.add(first, i * step), !isExact));
    SmallVector<KernelValues::Vectors> known(map.unroll);
    storeAll(places,
             llvm::to_vector(llvm::seq<unsigned>(values.results.size())), {},
             known);
  }

  //===--------------------------------------------------------------------===//
  // By rows
  //===--------------------------------------------------------------------===//

  void emitRow() {
    Value member = tb.rem(tb.thread(), map.group);
    firstColumn = tb.mul(member, map.lanes);
    Value row = tb.add(tb.mul(tb.block(), map.rowsOfBlock()),
                       tb.div(tb.thread(), map.group));
    Value exists;
    if (map.rows() % map.rowsOfBlock()) {
      exists = tb.isLess(row, tb.index(map.rows()));
      row = tb.min(row, tb.index(map.rows() - 1));
    }
    values.setRow(row);
    if (map.keeps)
      kept.resize(map.vectors);
    unsigned passes = 0;
    for (ReduceOp reduce : values.reductions)
      passes = std::max(passes, values.getDepth(reduce.getResult()));
    for (unsigned pass = 1; pass <= passes; ++pass)
      reduceRow(pass);

    SmallVector<unsigned> wide;
    SmallVector<std::pair<unsigned, Value>> narrow;
    for (auto [i, result] : llvm::enumerate(values.results))
      if (findReduction(result))
        narrow.push_back({i, values.evaluateRow(result, {RoleKind::Row, 1})});
      else
        wide.push_back(i);
    if (!narrow.empty()) {
      // Others may still read what such a result overwrites.
      if (map.group > warpSize)
        tb.barrier();
      tb.onlyIf(tb.both(tb.isEqual(member, tb.index(0)), exists), [&] {
        for (auto [i, value] : narrow)
          values.storeScalar(i, value, row);
      });
    }
    if (!wide.empty())
      storeRow(wide, exists);
  }

  /// Calls \p write for the vectors that this thread has of the row, a few at a
  /// time, with what is known at each and the carried values; it returns the
  /// next ones.
  SmallVector<Value> overRow(
      SmallVector<Value> carried,
      function_ref<SmallVector<Value>(
          ArrayRef<Place>, MutableArrayRef<KernelValues::Vectors>, ValueRange)>
          write) {
    int64_t step = map.group * map.lanes, columns = map.columns();
    auto placeAt = [&](int64_t i) {
      return makePlace(tb.add(firstColumn, i * step), (i + 1) * step > columns);
    };
    auto writeFrom = [&](int64_t begin, int64_t end,
                         MutableArrayRef<KernelValues::Vectors> known) {
      SmallVector<Place> places;
      for (int64_t i = begin; i < end; ++i)
        places.push_back(placeAt(i));
      carried = write(places, known, carried);
    };
    if (map.keeps) {
      writeFrom(0, map.vectors, kept);
      return carried;
    }
    int64_t even = columns / (step * map.unroll) * map.unroll;
    if (even)
      carried =
          tb.loop(tb.index(0), tb.index(even * step), step * map.unroll,
                  carried, [&](Value at, ValueRange previous) {
                    SmallVector<Place> places;
                    Value column = tb.add(at, firstColumn);
                    for (int64_t i = 0; i < map.unroll; ++i)
                      places.push_back({{tb.add(column, i * step), {}}, {}});
                    SmallVector<KernelValues::Vectors> known(map.unroll);
                    return write(places, known, previous);
                  });
    if (even < map.vectors) {
      SmallVector<KernelValues::Vectors> known(map.vectors - even);
      writeFrom(even, map.vectors, known);
    }
    return carried;
  }

  void reduceRow(unsigned pass) {
    SmallVector<ReduceOp> current;
    SmallVector<Value> operands, sums;
    for (ReduceOp reduce : values.reductions)
      if (values.getDepth(reduce.getResult()) == pass) {
        current.push_back(reduce);
        operands.push_back(reduce.getInput());
        sums.push_back(values.neutral(reduce));
      }
    values.prepare(operands);
    sums = overRow(sums, [&](ArrayRef<Place> places,
                             MutableArrayRef<KernelValues::Vectors> known,
                             ValueRange carried) {
      SmallVector<Value> next(carried);
      SmallVector<SmallVector<Value>> added;
      for (auto [place, vectors] : llvm::zip(places, known)) {
        std::swap(values.vectors, vectors);
        SmallVector<Value> &row = added.emplace_back();
        for (ReduceOp reduce : current) {
          Value value = values.evaluateOperand(reduce, place.lanes);
          if (place.exists)
            value = tb.select(place.exists, value, values.neutral(reduce));
          row.push_back(value);
        }
        std::swap(values.vectors, vectors);
      }
      for (ArrayRef<Value> row : added)
        for (auto [j, reduce] : llvm::enumerate(current))
          next[j] = values.combine(reduce, next[j], row[j]);
      return next;
    });
    for (auto [reduce, sum] : llvm::zip(current, sums)) {
      auto combine = [&, reduce = reduce](Value a, Value b) {
        return values.combine(reduce, a, b);
      };
      Value neutral = vector::ExtractOp::create(tb.builder, tb.loc,
                                                values.neutral(reduce), 0);
      values.setRowResult(reduce,
                          tb.combineBlock(values.reduceLanes(reduce, sum),
                                          map.group, neutral, combine));
    }
  }

  void storeRow(ArrayRef<unsigned> wide, Value exists) {
    SmallVector<Value> wanted;
    for (const KernelValues::Part &part : values.getParts(wide))
      wanted.push_back(part.value);
    values.prepare(wanted);
    overRow({}, [&](ArrayRef<Place> places,
                    MutableArrayRef<KernelValues::Vectors> known, ValueRange) {
      storeAll(places, wide, exists, known);
      return SmallVector<Value>();
    });
  }

  //===--------------------------------------------------------------------===//
  // By columns
  //===--------------------------------------------------------------------===//

  SmallVector<Value> neutrals() {
    SmallVector<Value> result;
    for (ReduceOp reduce : values.reductions)
      result.push_back(values.neutral(reduce));
    return result;
  }

  static Type getSumType(Value neutral) {
    return cast<VectorType>(neutral.getType()).getElementType();
  }

  /// The sums of all parts, [parts, columns], one buffer per reduction.
  SmallVector<Value> carvePartSums() {
    SmallVector<Value> sums;
    int64_t offset = 0;
    for (Value neutral : neutrals())
      sums.push_back(tb.carve(buffers.scratch, offset,
                              map.parts * map.columns(), getSumType(neutral)));
    return sums;
  }

  void emitStrip() {
    Value tx = tb.rem(tb.thread(), map.across);
    Value ty = tb.div(tb.thread(), map.across);
    Value strip = tb.rem(tb.block(), map.strips);
    Value part = tb.div(tb.block(), map.strips);
    Place place =
        makePlace(tb.mul(tb.add(tb.mul(strip, map.across), tx), map.lanes),
                  map.strips * map.across * map.lanes > map.columns());
    SmallVector<Value> sums = sumRows(place.lanes, part, ty);

    // A column's sums lie one behind the other, by rows of threads.
    int64_t width = map.across * map.lanes;
    SmallVector<Value> memory;
    Value own = tb.mul(tb.thread(), map.lanes);
    for (Value sum : sums) {
      memory.push_back(tb.shared(map.down * width, getSumType(sum)));
      tb.store(sum, memory.back(), own);
    }
    tb.barrier();
    tb.onlyIf(tb.both(tb.isEqual(ty, tb.index(0)), place.exists), [&] {
      SmallVector<Value> totals =
          tb.loop(tb.index(1), tb.index(map.down), 1, sums,
                  [&](Value y, ValueRange carried) {
                    Value at = tb.add(own, tb.mul(y, width));
                    SmallVector<Value> next;
                    for (auto [j, reduce] : llvm::enumerate(values.reductions))
                      next.push_back(values.combine(reduce, carried[j],
                                                    tb.load(memory[j], at)));
                    return next;
                  });
      if (map.parts == 1)
        return storeColumns(totals, place.lanes);
      Value at = tb.add(tb.mul(part, map.columns()), place.lanes.column);
      for (auto [sum, total] : llvm::zip(carvePartSums(), totals))
        tb.store(total, sum, at);
    });
  }

  /// What the thread of row number \p ty sums of \p part.
  SmallVector<Value> sumRows(const Lanes &lanes, Value part, Value ty) {
    int64_t step = map.down * KernelMapping::rowsInFlight;
    Value start = tb.mul(part, map.partRows);
    Value count =
        tb.min(tb.sub(tb.index(map.rows()), start), tb.index(map.partRows));
    Value even = tb.add(start, tb.mul(tb.div(count, step), step));
    auto addRows = [&](Value first, int64_t rows, ValueRange carried) {
      SmallVector<SmallVector<Value>> added;
      for (int64_t i = 0; i < rows; ++i) {
        values.setRow(tb.add(first, i * map.down));
        values.vectors.clear();
        SmallVector<Value> &row = added.emplace_back();
        for (ReduceOp reduce : values.reductions)
          row.push_back(values.evaluateOperand(reduce, lanes));
      }
      SmallVector<Value> next(carried);
      for (ArrayRef<Value> row : added)
        for (auto [j, reduce] : llvm::enumerate(values.reductions))
          next[j] = values.combine(reduce, next[j], row[j]);
      return next;
    };
    SmallVector<Value> sums =
        tb.loop(tb.add(start, ty), even, step, neutrals(),
                [&](Value row, ValueRange carried) {
                  return addRows(row, KernelMapping::rowsInFlight, carried);
                });
    sums = tb.loop(tb.add(even, ty), tb.add(start, count), map.down, sums,
                   [&](Value row, ValueRange carried) {
                     return addRows(row, 1, carried);
                   });
    values.setRow({});
    values.vectors.clear();
    return sums;
  }

  /// The results in the columns whose sums are \p totals.
  void storeColumns(ArrayRef<Value> totals, const Lanes &lanes) {
    for (auto [reduce, total] : llvm::zip(values.reductions, totals))
      values.setColumnResult(reduce, total);
    SmallVector<Value> computed;
    for (Value result : values.results)
      computed.push_back(values.evaluate(result, {RoleKind::Column, 1}, lanes));
    for (auto [i, value] : llvm::enumerate(computed))
      values.store(i, value, lanes.column);
  }

  /// The second grid: one thread per vector of columns.
  void emitParts() {
    Value number =
        tb.add(tb.mul(tb.block(), KernelMapping::rowThreads), tb.thread());
    Place place =
        makePlace(tb.mul(number, map.lanes),
                  map.columns() % (KernelMapping::rowThreads * map.lanes) != 0);
    SmallVector<Value> memory = carvePartSums();
    SmallVector<Value> totals = tb.loop(
        tb.index(0), tb.index(map.parts), 1, neutrals(),
        [&](Value part, ValueRange carried) {
          Value at = tb.add(tb.mul(part, map.columns()), place.lanes.column);
          SmallVector<Value> next;
          for (auto [j, reduce] : llvm::enumerate(values.reductions))
            next.push_back(
                values.combine(reduce, carried[j], tb.load(memory[j], at)));
          return next;
        });
    tb.onlyIf(place.exists, [&] { storeColumns(totals, place.lanes); });
  }

  const KernelMapping &map;
  ThreadBuilder &tb;
  const KernelBuffers &buffers;
  KernelValues values;
  Value firstColumn; ///< of this thread's first vector of a row
  /// What is known at each vector of the row, from pass to pass.
  SmallVector<KernelValues::Vectors> kept;
};

} // namespace

SmallVector<Grid> cuda::getGeneralGrids(func::FuncOp kernel) {
  KernelMapping map(kernel);
  SmallVector<Grid> grids = {map.grid};
  if (map.parts > 1)
    grids.push_back({static_cast<int64_t>(llvm::divideCeil(
                         map.columns() / map.lanes, KernelMapping::rowThreads)),
                     KernelMapping::rowThreads});
  return grids;
}

int64_t cuda::getGeneralScratchBytes(func::FuncOp kernel) {
  KernelMapping map(kernel);
  if (map.parts == 1)
    return 0;
  int64_t bytes = 0;
  for (auto reduce : kernel.getBody().front().getOps<ReduceOp>()) {
    Type type = getElementTypeOrSelf(reduce.getResult());
    int64_t size = std::max<int64_t>(4, type.getIntOrFloatBitWidth() / 8);
    bytes += llvm::alignTo(map.parts * map.columns() * size, 64);
  }
  return bytes;
}

void cuda::emitGeneralThread(func::FuncOp kernel, unsigned grid,
                             ThreadBuilder &builder,
                             const KernelBuffers &buffers) {
  KernelMapping map(kernel);
  builder.lanes = map.lanes;
  Emitter(kernel, map, builder, buffers).emit(grid);
}
