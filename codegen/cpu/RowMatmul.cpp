//===- RowMatmul.cpp - The kernel of nn.row_matmul --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Weights come from memory once and meet all rows. Threads share out columns.
// An element is one chain of multiply-adds along the inner dimension: with
// weights [out, in] one a lane, whose lanes are added by a tree at the end;
// with weights [in, out] one alone, lanes being columns. How many rows and
// columns are computed side by side is only which chains go on at a time: code
// is written for each number of rows up to kMostRows, and all have the same
// bits.
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

/// Rows that are computed side by side; more take turns.
constexpr int64_t kMostRows = 8;
/// Chains that go on at a time: of 32 registers, those that loads leave.
constexpr int64_t kMostChains = 24;
/// Columns (or vectors of columns) side by side at most, and so of an
/// iteration: enough that one row's chains hide the latency of multiply-adds.
constexpr int64_t kMostColumns = 8;

/// Vectors of weights [in, out] that are asked for ahead of use: a row of them
/// is too far from the next for hardware to foresee it.
constexpr int64_t kAhead = 64;

/// How many columns \p rows rows take at a time: a power of two.
constexpr int64_t getWidth(int64_t rows) {
  int64_t width = kMostColumns;
  while (width > 1 && width * rows > kMostChains)
    width /= 2;
  return width;
}

class RowMatmulEmitter {
public:
  RowMatmulEmitter(nn::RowMatmulOp op, KernelBody &body)
      : vb(body.builder, body.loc), body(body), rows(op.getRows()),
        inner(op.getInner()), columns(op.getColumns()),
        isTransposed(op.getTransposeB()) {
    a = vb.flatten(body.inputs[0]);
    b = vb.flatten(body.inputs[1]);
    Value read =
        vb.toIndex(vb.loadScalar(vb.flatten(body.inputs[2]), vb.index(0)));
    count = vb.min(read, vb.index(rows));
    if (op.getBias())
      bias = vb.flatten(body.inputs[3]);
    out = vb.flatten(body.outputs[0]);
  }

  /// Columns of an iteration.
  static int64_t getStrip(nn::RowMatmulOp op) {
    return op.getTransposeB() ? kMostColumns : kMostColumns * kLanes;
  }
  static int64_t getIterations(nn::RowMatmulOp op) {
    return llvm::divideCeil(op.getColumns(), getStrip(op));
  }

  void emit(int64_t strip) {
    vb.loop(body.begin, body.end, 1, [&](Value iteration) {
      Value column = vb.mul(iteration, strip);
      Value end = vb.min(vb.add(column, strip), vb.index(columns));
      vb.loop(vb.index(0), count, kMostRows,
              [&](Value row) { emitRows(row, column, end); });
    });
  }

private:
  /// Rows from \p row on, as many as there are up to kMostRows.
  void emitRows(Value row, Value column, Value end) {
    int64_t most = std::min(rows, kMostRows);
    if (most == 1)
      return emitColumns(row, 1, column, end);
    SmallVector<int64_t> cases;
    for (int64_t number = 1; number < most; ++number)
      cases.push_back(number);
    auto choice =
        scf::IndexSwitchOp::create(vb.builder, vb.loc, TypeRange(),
                                   vb.sub(count, row), cases, cases.size());
    OpBuilder::InsertionGuard guard(vb.builder);
    auto fill = [&](Region &region, int64_t number) {
      vb.builder.createBlock(&region);
      emitColumns(row, number, column, end);
      scf::YieldOp::create(vb.builder, vb.loc);
    };
    for (auto [region, number] : llvm::zip(choice.getCaseRegions(), cases))
      fill(region, number);
    fill(choice.getDefaultRegion(), most);
  }

  /// \p number rows from \p row on, columns [column, end).
  void emitColumns(Value row, int64_t number, Value column, Value end) {
    int64_t width = getWidth(number);
    int64_t unit = isTransposed ? 1 : kLanes;
    Value whole = end;
    bool isWhole = columns % (kMostColumns * unit) == 0;
    if (!isWhole)
      whole = vb.add(column, vb.mul(vb.div(vb.sub(end, column), width * unit),
                                    width * unit));
    vb.loop(column, whole, width * unit,
            [&](Value at) { emitBlock(row, number, at, width, Value()); });
    if (!isWhole)
      vb.loop(whole, end, unit, [&](Value at) {
        emitBlock(row, number, at, 1,
                  isTransposed ? Value() : vb.mask(vb.sub(end, at)));
      });
  }

  void emitBlock(Value row, int64_t number, Value column, int64_t width,
                 Value mask) {
    if (isTransposed)
      emitDots(row, number, column, width);
    else
      emitSums(row, number, column, width, mask);
  }

  /// Weights [out, in]: \p width columns, a chain for each of their lanes.
  void emitDots(Value row, int64_t number, Value column, int64_t width) {
    Value aStart = vb.mul(row, inner), bStart = vb.mul(column, inner);
    // The columns that are next follow in memory, as many short streams.
    Value next = vb.min(vb.add(bStart, width * inner),
                        vb.index((columns - width) * inner));
    auto step = [&](Value k, ValueRange sums, Value mask) {
      SmallVector<Value> following(sums), weights;
      for (int64_t n = 0; n < width; ++n)
        weights.push_back(
            vb.load(b, vb.add(vb.add(bStart, n * inner), k), mask));
      for (int64_t n = 0; n < width; ++n)
        prefetch(vb.add(vb.add(next, n * inner), k));
      for (int64_t r = 0; r < number; ++r) {
        Value x = vb.load(a, vb.add(vb.add(aStart, r * inner), k), mask);
        for (int64_t n = 0; n < width; ++n) {
          Value &sum = following[r * width + n];
          sum = vb.fma(x, weights[n], sum);
        }
      }
      return following;
    };
    SmallVector<Value> sums(number * width, vb.splat(0.0));
    int64_t whole = inner / kLanes * kLanes;
    if (whole)
      sums = vb.loop(
          vb.index(0), vb.index(whole), kLanes, sums,
          [&](Value k, ValueRange values) { return step(k, values, Value()); });
    if (whole < inner)
      sums = step(vb.index(whole), sums, vb.mask(inner - whole));
    for (int64_t r = 0; r < number; ++r)
      for (int64_t n = 0; n < width; ++n) {
        Value at = vb.add(column, n);
        Value sum = addLanes(sums[r * width + n]);
        if (bias)
          sum = vb.addf(sum, vb.loadScalar(bias, at));
        vb.storeScalar(sum, out, vb.add(vb.mul(vb.add(row, r), columns), at));
      }
  }

  /// Asks for the weights at \p position.
  void prefetch(Value position) {
    memref::PrefetchOp::create(vb.builder, vb.loc, b, position,
                               /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
  }

  /// The sum of all lanes: halves are added until one lane is left.
  Value addLanes(Value vector) {
    for (int64_t lanes = kLanes / 2; lanes >= 1; lanes /= 2) {
      auto half = [&](int64_t first) -> Value {
        auto chosen = llvm::to_vector(llvm::seq(first, first + lanes));
        return vector::ShuffleOp::create(vb.builder, vb.loc, vector, vector,
                                         chosen);
      };
      vector = vb.addf(half(0), half(lanes));
    }
    return vector::ExtractOp::create(vb.builder, vb.loc, vector, 0);
  }

  /// Weights [in, out]: \p width vectors of columns, a chain for each column.
  void emitSums(Value row, int64_t number, Value column, int64_t width,
                Value mask) {
    Value aStart = vb.mul(row, inner);
    SmallVector<Value> sums(number * width, vb.splat(0.0));
    sums = vb.loop(
        vb.index(0), vb.index(inner), 1, sums, [&](Value k, ValueRange values) {
          SmallVector<Value> next(values), weights;
          Value bStart = vb.add(vb.mul(k, columns), column);
          for (int64_t n = 0; n < width; ++n)
            weights.push_back(vb.load(b, vb.add(bStart, n * kLanes), mask));
          Value later = vb.min(vb.add(k, kAhead / width), vb.index(inner - 1));
          later = vb.add(vb.mul(later, columns), column);
          for (int64_t n = 0; n < width; ++n)
            prefetch(mask ? later : vb.add(later, n * kLanes));
          for (int64_t r = 0; r < number; ++r) {
            Value x = vb.splat(
                vb.loadScalar(a, vb.add(vb.add(aStart, r * inner), k)));
            for (int64_t n = 0; n < width; ++n) {
              Value &sum = next[r * width + n];
              sum = vb.fma(x, weights[n], sum);
            }
          }
          return next;
        });
    for (int64_t r = 0; r < number; ++r)
      for (int64_t n = 0; n < width; ++n) {
        Value at = vb.add(column, n * kLanes);
        Value sum = sums[r * width + n];
        if (bias)
          sum = vb.addf(sum, vb.load(bias, at, mask));
        vb.store(sum, out, vb.add(vb.mul(vb.add(row, r), columns), at), mask);
      }
  }

  VectorBuilder vb;
  KernelBody &body;
  int64_t rows, inner, columns;
  bool isTransposed;
  Value a, b, count, bias, out;
};

struct RowMatmulKernel
    : KernelEmissionOpInterface::ExternalModel<RowMatmulKernel,
                                               nn::RowMatmulOp> {
  int64_t getIterations(Operation *op) const {
    return RowMatmulEmitter::getIterations(cast<nn::RowMatmulOp>(op));
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    auto matmul = cast<nn::RowMatmulOp>(op);
    RowMatmulEmitter(matmul, body).emit(RowMatmulEmitter::getStrip(matmul));
  }
};

} // namespace

void tessera::cpu::registerRowMatmul(MLIRContext *context) {
  nn::RowMatmulOp::attachInterface<RowMatmulKernel>(*context);
}
