//===- QuantizedMatmul.cpp - Kernels of weights in blocks -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tile of weights (WeightBlocks.h) comes from memory as one stream and meets
// all rows. Threads share out tiles. Lanes are columns: a lane sums a block's
// products in 32 bits, and the blocks in fp32, one after the other. How many
// rows and tiles are computed side by side is only which sums go on at a time:
// code is written for each number of rows up to a limit, and all have the same
// bits, on CPUs with and without an instruction for bytes.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/ByteDot.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/kernels/Quantize.h"
#include "dialects/nn/NN.h"
#include "dialects/nn/WeightBlocks.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;
using nn::WeightBlocks;

namespace {

static_assert(WeightBlocks::tileColumns == vectorLanes, "a lane is a column");

/// Rows of a few that are computed side by side, with one tile: a thread reads
/// one stream. Two sums a row are kept, of 32 registers.
constexpr int64_t fewRows = 8;
/// Of many rows as many, with two tiles: each weight and each number of a row
/// that is loaded is multiplied several times.
constexpr int64_t manyRows = 6, manyTiles = 2;

/// How many groups of blocks before its use one of a tile is asked for, where
/// several rows meet it: what they multiply takes the place of what a CPU would
/// begin to load by itself.
constexpr int64_t groupsAhead = 8;

/// Blocks of a row that an iteration makes bytes of.
constexpr int64_t blocksAtOnce = 8;

/// Of \p rows rows those that are there.
Value getCount(VectorBuilder &vb, Value buffer, int64_t rows) {
  if (!buffer)
    return vb.index(rows);
  Value read = vb.toIndex(vb.loadScalar(vb.flatten(buffer), vb.index(0)));
  return vb.min(read, vb.index(rows));
}

/// \p bytes, a buffer of i8, as \p count elements of \p type.
Value viewAs(VectorBuilder &vb, Value bytes, Type type) {
  Value flat = vb.flatten(bytes);
  int64_t count = cast<MemRefType>(flat.getType()).getNumElements();
  int64_t size = type.getIntOrFloatBitWidth() / 8;
  return memref::ViewOp::create(vb.builder, vb.loc,
                                MemRefType::get({count / size}, type), flat,
                                vb.index(0), ValueRange());
}

struct QuantizeRowsKernel
    : KernelEmissionOpInterface::ExternalModel<QuantizeRowsKernel,
                                               nn::QuantizeRowsOp> {
  static int64_t getBlocks(nn::QuantizeRowsOp op) {
    return op.getScales().getType().getDimSize(1);
  }

  int64_t getIterations(Operation *op) const {
    auto quantize = cast<nn::QuantizeRowsOp>(op);
    return quantize.getInput().getType().getDimSize(0) *
           llvm::divideCeil(getBlocks(quantize), blocksAtOnce);
  }

  void emitKernel(Operation *op, KernelBody &body) const {
    auto quantize = cast<nn::QuantizeRowsOp>(op);
    VectorBuilder vb(body.builder, body.loc);
    int64_t rows = quantize.getInput().getType().getDimSize(0);
    int64_t blocks = getBlocks(quantize);
    Value count =
        getCount(vb, quantize.getCount() ? body.inputs[1] : Value(), rows);
    // Rows are innermost: only the first are there, and threads get columns.
    vb.loop(body.begin, body.end, 1, [&](Value iteration) {
      Value row = vb.rem(iteration, rows);
      Value first = vb.mul(vb.div(iteration, rows), blocksAtOnce);
      Value last = vb.min(vb.add(first, blocksAtOnce), vb.index(blocks));
      // A row that is not there has none.
      Value isThere = arith::CmpIOp::create(
          vb.builder, vb.loc, arith::CmpIPredicate::slt, row, count);
      last = arith::SelectOp::create(vb.builder, vb.loc, isThere, last, first);
      vb.loop(first, last, 1,
              [&](Value block) { emitBlock(quantize, vb, body, row, block); });
    });
  }

  static void emitBlock(nn::QuantizeRowsOp op, VectorBuilder &vb,
                        KernelBody &body, Value row, Value block) {
    OpBuilder &b = vb.builder;
    int64_t columns = op.getInput().getType().getDimSize(1);
    int64_t blocks = getBlocks(op);
    Value in = vb.flatten(body.inputs[0]);
    Value column = vb.mul(block, WeightBlocks::blockInner);
    Value from = vb.add(vb.mul(row, columns), column);
    Value number = vb.add(vb.mul(row, blocks), block);
    Value to = vb.mul(number, WeightBlocks::blockInner);
    SmallVector<Value> parts;
    Value most;
    for (int64_t i = 0; i < WeightBlocks::blockInner; i += vectorLanes) {
      Value mask;
      if (columns % WeightBlocks::blockInner)
        mask = vb.mask(vb.sub(vb.index(columns), vb.add(column, i)));
      parts.push_back(vb.load(in, vb.add(from, i), mask));
      Value magnitude = getMagnitude(vb, parts.back());
      most = most ? vb.max(most, magnitude) : magnitude;
    }
    most = vector::ReductionOp::create(b, vb.loc, vector::CombiningKind::MAXSI,
                                       most);
    BlockScale scale = getBlockScale(vb, most);
    vb.storeScalar(scale.stored, vb.flatten(body.outputs[1]), number);
    Value divisor = vb.splat(scale.divisor), sum;
    for (auto [i, part] : llvm::enumerate(parts)) {
      Value bytes = toBytes(vb, part, divisor);
      vb.store(bytes, vb.flatten(body.outputs[0]), vb.add(to, i * vectorLanes));
      Value wide = arith::ExtSIOp::create(b, vb.loc,
                                          vb.vectorType(b.getI32Type()), bytes);
      sum = sum ? vb.add(sum, wide) : wide;
    }
    Value total =
        vector::ReductionOp::create(b, vb.loc, vector::CombiningKind::ADD, sum);
    Value weight = arith::ConstantOp::create(
        b, vb.loc, b.getI32IntegerAttr(-WeightBlocks::integerOffset));
    vb.storeScalar(arith::MulIOp::create(b, vb.loc, total, weight),
                   vb.flatten(body.outputs[2]), number);
  }
};

class QuantizedMatmulEmitter {
public:
  QuantizedMatmulEmitter(nn::QuantizedMatmulOp op, KernelBody &body)
      : vb(body.builder, body.loc), body(body), dot(op), rows(op.getRowCount()),
        columns(op.getColumns()), layout{op.getInner(), columns},
        mostRows(getMostRows(op)), mostTiles(getMostTiles(op)) {
    Type f16 = vb.builder.getF16Type();
    x = viewAs(vb, body.inputs[0], vb.builder.getI32Type());
    scales = vb.flatten(body.inputs[1]);
    offsets = vb.flatten(body.inputs[2]);
    weights = body.inputs[3];
    weightScales = viewAs(vb, body.inputs[3], f16);
    size_t next = 4;
    count = getCount(vb, op.getCount() ? body.inputs[next++] : Value(), rows);
    if (op.getBias())
      bias = vb.flatten(body.inputs[next]);
    out = vb.flatten(body.outputs[0]);
  }

  static int64_t getIterations(nn::QuantizedMatmulOp op) {
    int64_t tiles = WeightBlocks{0, op.getColumns()}.getTiles();
    return llvm::divideCeil(tiles, getMostTiles(op));
  }

  void emit() {
    vb.loop(body.begin, body.end, 1, [&](Value iteration) {
      Value tile = vb.mul(iteration, mostTiles);
      vb.loop(vb.index(0), count, mostRows,
              [&](Value row) { emitRows(row, tile); });
    });
  }

private:
  static bool hasManyRows(nn::QuantizedMatmulOp op) {
    return op.getRowCount() > fewRows;
  }
  static int64_t getMostRows(nn::QuantizedMatmulOp op) {
    return hasManyRows(op) ? manyRows : std::min(op.getRowCount(), fewRows);
  }
  static int64_t getMostTiles(nn::QuantizedMatmulOp op) {
    return hasManyRows(op) ? manyTiles : 1;
  }

  /// Rows from \p row on, as many as there are up to mostRows.
  void emitRows(Value row, Value tile) {
    if (mostRows == 1)
      return emitTiles(row, 1, tile);
    SmallVector<int64_t> cases;
    for (int64_t number = 1; number < mostRows; ++number)
      cases.push_back(number);
    auto choice =
        scf::IndexSwitchOp::create(vb.builder, vb.loc, TypeRange(),
                                   vb.sub(count, row), cases, cases.size());
    OpBuilder::InsertionGuard guard(vb.builder);
    auto fill = [&](Region &region, int64_t number) {
      vb.builder.createBlock(&region);
      emitTiles(row, number, tile);
      scf::YieldOp::create(vb.builder, vb.loc);
    };
    for (auto [region, number] : llvm::zip(choice.getCaseRegions(), cases))
      fill(region, number);
    fill(choice.getDefaultRegion(), mostRows);
  }

  /// \p number rows from \p row on, the tiles of an iteration from \p tile on.
  void emitTiles(Value row, int64_t number, Value tile) {
    int64_t left = layout.getTiles() % mostTiles;
    if (left == 0)
      return emitTiles(row, number, tile, mostTiles);
    // The last iteration has fewer.
    Value isLast =
        arith::CmpIOp::create(vb.builder, vb.loc, arith::CmpIPredicate::eq,
                              tile, vb.index(layout.getTiles() - left));
    auto choice = scf::IfOp::create(vb.builder, vb.loc, isLast,
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(vb.builder);
    vb.builder.setInsertionPointToStart(choice.thenBlock());
    emitTiles(row, number, tile, left);
    vb.builder.setInsertionPointToStart(choice.elseBlock());
    emitTiles(row, number, tile, mostTiles);
  }

  void emitTiles(Value row, int64_t number, Value tile, int64_t tiles) {
    auto emitGroup = [&](Value group, int64_t blocks, ValueRange before) {
      SmallVector<Value> sums(before);
      for (int64_t block = 0; block < blocks; ++block)
        sums = emitBlock(row, number, tile, tiles, group, block, sums);
      return sums;
    };
    constexpr int64_t groupBlocks = WeightBlocks::groupBlocks;
    int64_t groups = layout.getBlocks() / groupBlocks;
    SmallVector<Value> sums(number * tiles, vb.splat(0.0));
    sums = vb.loop(vb.index(0), vb.index(groups), 1, sums,
                   [&](Value group, ValueRange before) {
                     // A tile comes from memory for all of few rows.
                     if (rows <= fewRows && number > 1)
                       prefetchGroup(tile, group);
                     return emitGroup(group, groupBlocks, before);
                   });
    sums = emitGroup(vb.index(groups), layout.getBlocks() % groupBlocks, sums);
    for (int64_t r = 0; r < number; ++r)
      for (int64_t n = 0; n < tiles; ++n) {
        Value column = vb.mul(vb.add(tile, n), vectorLanes);
        Value mask;
        if (columns % vectorLanes)
          mask = vb.mask(vb.sub(vb.index(columns), column));
        Value sum = sums[r * tiles + n];
        if (bias)
          sum = vb.addf(sum, vb.load(bias, column, mask));
        Value to = vb.add(vb.mul(vb.add(row, r), columns), column);
        vb.store(sum, out, to, mask);
      }
  }

  /// Asks for group \p group + groupsAhead of \p tile, which may be the next
  /// tile's. It comes to the second cache: the first has room for few lines
  /// that are still to come.
  void prefetchGroup(Value tile, Value group) {
    Value first =
        vb.add(vb.mul(tile, layout.getTileBytes()),
               vb.mul(vb.add(group, groupsAhead), WeightBlocks::groupBytes));
    Value last = vb.index(layout.getBytes() - 1);
    for (int64_t i = 0; i < WeightBlocks::groupBytes; i += 64)
      memref::PrefetchOp::create(vb.builder, vb.loc, weights,
                                 vb.min(vb.add(first, i), last),
                                 /*isWrite=*/false, /*localityHint=*/2,
                                 /*isDataCache=*/true);
  }

  /// The sums of the blocks up to block \p inGroup of group \p group.
  SmallVector<Value> emitBlock(Value row, int64_t number, Value tile,
                               int64_t tiles, Value group, int64_t inGroup,
                               ValueRange before) {
    constexpr int64_t steps = WeightBlocks::blockInner / WeightBlocks::together;
    Value block = vb.add(vb.mul(group, WeightBlocks::groupBlocks), inGroup);
    int64_t blocks = layout.getBlocks();
    SmallVector<Value> blockOfRow;
    for (int64_t r = 0; r < number; ++r)
      blockOfRow.push_back(vb.add(vb.mul(vb.add(row, r), blocks), block));
    SmallVector<Value> first, products(number * tiles);
    for (int64_t n = 0; n < tiles; ++n)
      first.push_back(vb.add(vb.mul(vb.add(tile, n), layout.getTileBytes()),
                             vb.mul(group, WeightBlocks::groupBytes)));
    for (int64_t r = 0; r < number; ++r)
      for (int64_t n = 0; n < tiles; ++n)
        products[r * tiles + n] =
            vb.splat(vb.loadScalar(offsets, blockOfRow[r]));
    for (int64_t step = 0; step < steps; ++step) {
      SmallVector<Value> w;
      for (int64_t n = 0; n < tiles; ++n)
        w.push_back(loadBytes(
            vb.add(first[n], WeightBlocks::getIntegerPlace(inGroup) +
                                 step * WeightBlocks::together * vectorLanes)));
      for (int64_t r = 0; r < number; ++r) {
        Value four =
            vb.loadScalar(x, vb.add(vb.mul(blockOfRow[r], steps), step));
        for (int64_t n = 0; n < tiles; ++n) {
          Value &product = products[r * tiles + n];
          product = dot.emit(vb, product, w[n], four);
        }
      }
    }
    SmallVector<Value> sums(before);
    for (int64_t n = 0; n < tiles; ++n) {
      Value at = vb.add(first[n], WeightBlocks::getScalePlace(inGroup));
      Value scale = vb.load(weightScales, vb.div(at, 2));
      for (int64_t r = 0; r < number; ++r) {
        Value ofRow = vb.splat(vb.loadScalar(scales, blockOfRow[r]));
        Value &sum = sums[r * tiles + n];
        sum = vb.fma(vb.mulf(vb.toF32(products[r * tiles + n]), ofRow), scale,
                     sum);
      }
    }
    return sums;
  }

  /// The weights at byte \p position: four of each lane.
  Value loadBytes(Value position) {
    auto type = VectorType::get({WeightBlocks::together * vectorLanes},
                                vb.builder.getI8Type());
    return vector::LoadOp::create(vb.builder, vb.loc, type, weights, position);
  }

  VectorBuilder vb;
  KernelBody &body;
  ByteDot dot;
  int64_t rows, columns;
  WeightBlocks layout;
  int64_t mostRows, mostTiles;
  Value x, scales, offsets, weights, weightScales, count, bias, out;
};

struct QuantizedMatmulKernel
    : KernelEmissionOpInterface::ExternalModel<QuantizedMatmulKernel,
                                               nn::QuantizedMatmulOp> {
  int64_t getIterations(Operation *op) const {
    return QuantizedMatmulEmitter::getIterations(
        cast<nn::QuantizedMatmulOp>(op));
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    QuantizedMatmulEmitter(cast<nn::QuantizedMatmulOp>(op), body).emit();
  }
};

/// A row is a column of the table, whose weights lie four by four.
struct QuantizedGatherKernel
    : KernelEmissionOpInterface::ExternalModel<QuantizedGatherKernel,
                                               nn::QuantizedGatherOp> {
  int64_t getIterations(Operation *op) const {
    auto gather = cast<nn::QuantizedGatherOp>(op);
    return gather.getResult().getType().getDimSize(0);
  }

  void emitKernel(Operation *op, KernelBody &body) const {
    auto gather = cast<nn::QuantizedGatherOp>(op);
    VectorBuilder vb(body.builder, body.loc);
    vb.lanes = WeightBlocks::together;
    OpBuilder &b = vb.builder;
    int64_t inner = gather.getResult().getType().getDimSize(1);
    WeightBlocks layout = {inner, static_cast<int64_t>(gather.getColumns())};
    Value table = body.inputs[0], out = vb.flatten(body.outputs[0]);
    Value scales = viewAs(vb, table, b.getF16Type());
    Value offset = arith::ConstantOp::create(
        b, vb.loc,
        DenseElementsAttr::get(
            vb.vectorType(b.getI32Type()),
            b.getI32IntegerAttr(WeightBlocks::integerOffset)));
    // Four numbers of a block, of which `mask` are there.
    auto emitFour = [&](Value row, Value column, Value tile, Value inside,
                        Value mask) {
      Value block = vb.div(inside, WeightBlocks::blockInner);
      Value inGroup = vb.rem(block, WeightBlocks::groupBlocks);
      Value lane = vb.rem(column, vectorLanes);
      Value group =
          vb.add(tile, vb.mul(vb.div(block, WeightBlocks::groupBlocks),
                              WeightBlocks::groupBytes));
      Value from = vb.add(group, WeightBlocks::groupScaleBytes);
      from = vb.add(from, vb.mul(inGroup, WeightBlocks::blockBytes));
      from = vb.add(
          from, vb.mul(vb.rem(inside, WeightBlocks::blockInner), vectorLanes));
      from = vb.add(from, vb.mul(lane, WeightBlocks::together));
      Value words = arith::ExtUIOp::create(
          b, vb.loc, vb.vectorType(b.getI32Type()), vb.load(table, from));
      Value at = vb.add(vb.div(group, 2), vb.mul(inGroup, vectorLanes));
      at = vb.add(at, lane);
      Value number = vb.toF32(vb.sub(words, offset));
      vb.store(vb.mulf(number, vb.splat(vb.loadScalar(scales, at))), out,
               vb.add(vb.mul(row, inner), inside), mask);
    };
    vb.loop(body.begin, body.end, 1, [&](Value row) {
      Value column = vb.toIndex(vb.loadScalar(vb.flatten(body.inputs[1]), row));
      Value tile = vb.mul(vb.div(column, vectorLanes), layout.getTileBytes());
      int64_t whole = inner / vb.lanes * vb.lanes;
      if (whole)
        vb.loop(vb.index(0), vb.index(whole), vb.lanes, [&](Value inside) {
          emitFour(row, column, tile, inside, Value());
        });
      if (whole < inner)
        emitFour(row, column, tile, vb.index(whole),
                 vb.mask(vb.index(inner - whole)));
    });
  }
};

} // namespace

void tessera::cpu::registerQuantizedMatmul(MLIRContext *context) {
  nn::QuantizeRowsOp::attachInterface<QuantizeRowsKernel>(*context);
  nn::QuantizedMatmulOp::attachInterface<QuantizedMatmulKernel>(*context);
  nn::QuantizedGatherOp::attachInterface<QuantizedGatherKernel>(*context);
}
