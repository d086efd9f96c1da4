//===- AttentionThread.cpp - What attention and its gradient share --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/AttentionThread.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;
using codegen::AttentionShape;
using codegen::HeadRows;

static constexpr int64_t sharedBytes = 48 << 10;
/// Vectors of each copied matrix that a thread loads before it stores them.
static constexpr int64_t inFlight = 4;
/// Vectors, of all matrices, that a thread may hold while it computes: four
/// registers each.
static constexpr int64_t mostPending = 10;

Value cuda::emitExp2(ThreadBuilder &tb, Value x) {
  return math::Exp2Op::create(tb.builder, tb.loc, x);
}

Value cuda::emitAlibiSlope(ThreadBuilder &tb, int64_t heads, Value head) {
  // codegen::getAlibiSlopes's exponents, which are linear in the head.
  auto power = static_cast<int64_t>(llvm::bit_floor<uint64_t>(heads));
  Value number = tb.toF32(tb.toI32(head));
  auto exponent = [&](double first, double step) {
    return tb.fma(number, tb.number(step / power), tb.number(first / power));
  };
  Value result = exponent(-8, -8);
  if (power != heads)
    result = tb.select(tb.isLess(head, tb.index(power)), result,
                       exponent(8.0 * power - 4, -8));
  return tb.mulf(emitExp2(tb, result), tb.number(codegen::log2E));
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

AttentionTiling AttentionTiling::get(const AttentionShape &shape,
                                     ArrayRef<Type> types, int64_t rowMatrices,
                                     int64_t mostColumns) {
  // Tensor cores take two matrices of one type.
  Type element = types[0];
  if (!llvm::all_equal(types))
    element = Float32Type::get(element.getContext());
  int64_t bytes = WarpMatmul::getStride(element, shape.paddedDim) *
                  (element.getIntOrFloatBitWidth() / 8);
  // Many warps hide each other's waiting; many columns make up for the loads of
  // rows. Tiles of 16 columns at least, for that, where they fit.
  static constexpr std::pair<int64_t, int64_t> sizes[] = {
      {4, 64}, {4, 32}, {4, 16}, {2, 32}, {2, 16}, {1, 16}, {1, 8}};
  for (bool sharesColumns : {false, true})
    for (auto [warps, columns] : sizes) {
      AttentionTiling tiling{warps, columns, sharesColumns, element};
      int64_t rows =
          rowMatrices * tiling.rows() + (sharesColumns ? 1 : 2) * columns;
      // Two numbers per column may lie beside the matrices.
      int64_t numbers = 2 * columns * static_cast<int64_t>(sizeof(float));
      if (columns <= mostColumns && rows * bytes + numbers <= sharedBytes)
        return tiling;
    }
  llvm::reportFatalUsageError(
      "attention on GPUs has heads of up to 256 columns");
}

Grid AttentionTiling::getGrid(const AttentionShape &shape, bool rowsAreKeys,
                              std::optional<int64_t> count) const {
  int64_t tiles = llvm::divideCeil(count.value_or(shape.sequence), rows());
  int64_t heads = rowsAreKeys ? shape.kvHeads : shape.heads;
  // A third of the registers is enough for one sum of a head's columns,
  // queries' or results', but not without a limit. Keys have two.
  int64_t resident = !rowsAreKeys && shape.paddedDim <= 128 ? 3 : 1;
  return {shape.batch * heads * tiles, warps * warpSize, resident};
}

AttentionThread::AttentionThread(ThreadBuilder &tb, const AttentionShape &shape,
                                 const AttentionTiling &tiling,
                                 bool rowsAreKeys)
    : tb(tb), shape(shape), tiling(tiling), rowsAreKeys(rowsAreKeys),
      matmul(tb, tiling.element, shape.paddedDim) {
  int64_t heads = rowsAreKeys ? shape.kvHeads : shape.heads;
  Value own = tb.rem(tb.block(), shape.batch * heads);
  Value tile = tb.div(tb.block(), shape.batch * heads);
  batch = tb.div(own, heads);
  token = tb.mul(batch, shape.sequence);
  head = tb.rem(own, heads);
  kvHead = head;
  batchHead = own;
  if (rowsAreKeys && shape.group > 1)
    startHead(tb.index(0));
  else if (shape.group > 1)
    kvHead = tb.div(head, shape.group);
  // Blocks start in their order: the longest ones, of late queries or of early
  // keys, come first.
  if (shape.causal && !rowsAreKeys)
    tile = tb.sub(tb.index(llvm::divideCeil(shape.sequence, tiling.rows()) - 1),
                  tile);
  firstRow = tb.mul(tile, tiling.rows());
  warpRow = tb.mul(tb.div(tb.thread(), warpSize), WarpMatmul::matrixRows);
  for (int64_t i : {0, 1})
    row[i] = tb.add(tb.add(firstRow, warpRow), matmul.getRow(i));
  if (shape.alibi)
    slope = emitAlibiSlope(tb, shape.heads, head);
}

void AttentionThread::startHead(Value member) {
  head = tb.add(tb.mul(kvHead, shape.group), member);
  batchHead = tb.add(tb.mul(batch, shape.heads), head);
  if (shape.alibi)
    slope = emitAlibiSlope(tb, shape.heads, head);
}

void AttentionThread::restrict(Value origin, Value count) {
  // Blocks start in their order; tiles are few.
  firstRow = tb.mul(tb.div(tb.block(), shape.heads), tiling.rows());
  firstRow = tb.add(origin, firstRow);
  for (int64_t i : {0, 1})
    row[i] = tb.add(tb.add(firstRow, warpRow), matmul.getRow(i));
  token = tb.sub(tb.index(0), origin);
  tokensEnd = tb.add(origin, count);
}

HeadRows AttentionThread::getPacked(Value buffer, int64_t which) {
  return HeadRows::ofPacked(tb, shape, buffer, token, which,
                            which == 0 ? head : kvHead);
}

HeadRows AttentionThread::getPlain(Value buffer) {
  return HeadRows::ofOutput(tb, shape, buffer, token, head);
}

AttentionThread::CopyShape AttentionThread::getCopyShape(int64_t rows) const {
  CopyShape result;
  result.lanes = accessBytes * 8 / tiling.element.getIntOrFloatBitWidth();
  while (shape.dim % result.lanes)
    result.lanes /= 2;
  int64_t threads = tiling.warps * warpSize;
  result.across = shape.paddedDim / result.lanes;
  result.pieces = llvm::divideCeil(result.across, threads);
  result.width = std::min(result.across, threads);
  result.step = threads / result.width;
  result.count = result.pieces * llvm::divideCeil(rows, result.step);
  return result;
}

SmallVector<AttentionThread::Vectors>
AttentionThread::loadVectors(ArrayRef<Copy> copies, Value first, int64_t rows,
                             int64_t begin, int64_t end) {
  CopyShape all = getCopyShape(rows);
  llvm::SaveAndRestore restore(tb.lanes, all.lanes);
  int64_t threads = tiling.warps * warpSize;
  Value r0 = tb.div(tb.thread(), all.width), isBusy;
  if (threads % all.width) {
    isBusy = tb.isLess(r0, tb.index(all.step));
    r0 = tb.min(r0, tb.index(all.step - 1));
  }
  Value c0 = tb.rem(tb.thread(), all.width);
  SmallVector<Vectors> loaded;
  for (int64_t i = begin; i < end; ++i) {
    int64_t step = i / all.pieces, piece = i % all.pieces;
    bool endsRows = (step + 1) * all.step > rows;
    bool endsRow = piece * threads + all.width > all.across;
    Value r = tb.add(r0, step * all.step), c = tb.add(c0, piece * threads);
    Value column = tb.mul(c, all.lanes);
    Vectors &vectors = loaded.emplace_back();
    vectors.place = tb.add(tb.mul(r, matmul.stride), column);
    vectors.exists = isBusy;
    if (endsRows)
      vectors.exists = tb.both(vectors.exists, tb.isLess(r, tb.index(rows)));
    if (endsRow)
      vectors.exists =
          tb.both(vectors.exists, tb.isLess(c, tb.index(all.across)));
    Value isInside, row = tb.add(first, r);
    if (tokensEnd)
      isInside = tb.isLess(row, tokensEnd);
    else if (shape.sequence % rows)
      isInside = tb.isLess(row, tb.index(shape.sequence));
    if (tokensEnd)
      row = tb.min(row, tb.sub(tokensEnd, tb.index(1)));
    else if (isInside || endsRows)
      row = tb.min(row, tb.index(shape.sequence - 1));
    if (shape.dim != shape.paddedDim)
      isInside = tb.both(isInside, tb.isLess(column, tb.index(shape.dim)));
    if (shape.dim != shape.paddedDim || endsRow)
      column = tb.min(column, tb.index(shape.dim - all.lanes));
    for (const Copy &copy : copies) {
      Value position = tb.add(copy.from.offset,
                              tb.add(tb.mul(row, copy.from.stride), column));
      Value value = tb.loadRaw(copy.from.buffer, position);
      if (tiling.element.isF32())
        value = tb.widen(value);
      if (isInside) {
        Value zero = arith::ConstantOp::create(
            tb.builder, tb.loc, tb.builder.getZeroAttr(value.getType()));
        value = tb.select(isInside, value, zero);
      }
      vectors.values.push_back(value);
    }
  }
  return loaded;
}

void AttentionThread::storeVectors(ArrayRef<Copy> copies,
                                   ArrayRef<Vectors> all) {
  for (const Vectors &vectors : all)
    tb.onlyIf(vectors.exists, [&] {
      for (auto [copy, value] : llvm::zip(copies, vectors.values))
        tb.store(value, copy.to, vectors.place);
    });
}

void AttentionThread::copyTiles(ArrayRef<Copy> copies, Value first,
                                int64_t rows) {
  int64_t count = getCopyShape(rows).count;
  for (int64_t i = 0; i < count; i += inFlight)
    storeVectors(copies, loadVectors(copies, first, rows, i,
                                     std::min(count, i + inFlight)));
}

AttentionThread::Pending AttentionThread::startCopy(ArrayRef<Copy> copies,
                                                    Value first) {
  Pending pending{SmallVector<Copy>(copies), first, {}};
  int64_t count = getCopyShape(tiling.columns).count;
  // Matmuls in fp32 take longer than memory, and more registers.
  if (!tiling.element.isF32() &&
      count * static_cast<int64_t>(copies.size()) <= mostPending)
    pending.vectors = loadVectors(copies, first, tiling.columns, 0, count);
  return pending;
}

void AttentionThread::finishCopy(const Pending &pending) {
  if (pending.vectors.empty())
    return copyTiles(pending.copies, pending.first, tiling.columns);
  storeVectors(pending.copies, pending.vectors);
}

Value AttentionThread::getNextColumn(Value column) {
  int64_t last = (shape.sequence - 1) / tiling.columns * tiling.columns;
  return tb.min(tb.add(column, tiling.columns), tb.index(last));
}

void AttentionThread::storeRows(ValueRange sums, ArrayRef<Value> factors,
                                HeadRows to) {
  llvm::SaveAndRestore<int64_t> restore(tb.lanes, shape.dim % 2 ? 1 : 2);
  for (int64_t i : {0, 1}) {
    Value exists;
    if (tokensEnd)
      exists = tb.isLess(row[i], tokensEnd);
    else if (shape.sequence % tiling.rows())
      exists = tb.isLess(row[i], tb.index(shape.sequence));
    tb.onlyIf(exists, [&] {
      Value start = tb.add(to.offset, tb.mul(row[i], to.stride));
      for (int64_t block = 0;
           block * WarpMatmul::blockColumns < shape.paddedDim; ++block)
        for (int64_t j = 0; j < 2; j += tb.lanes) {
          Value column = tb.add(matmul.getSumColumn(block), j);
          Value isInside;
          if (shape.dim != shape.paddedDim)
            isInside = tb.isLess(column, tb.index(shape.dim));
          SmallVector<Value> numbers;
          for (int64_t k = j; k < j + tb.lanes; ++k)
            numbers.push_back(
                tb.mulf(sums[block * WarpMatmul::blockNumbers + 2 * i + k],
                        factors[i]));
          tb.onlyIf(isInside, [&] {
            Value pair = vector::FromElementsOp::create(
                tb.builder, tb.loc, tb.vectorType(), numbers);
            tb.store(pair, to.buffer, tb.add(start, column));
          });
        }
    });
  }
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

Value AttentionThread::getBeginColumn() {
  Value first = firstRow;
  if (!rowsAreKeys && shape.hasWindow())
    first = tb.max(tb.sub(firstRow, tb.index(shape.window - 1)), tb.index(0));
  else if (!rowsAreKeys || !shape.causal)
    return tb.index(0);
  return tb.mul(tb.div(first, tiling.columns), tiling.columns);
}

Value AttentionThread::getEndColumn() {
  Value end = tokensEnd ? tokensEnd : tb.index(shape.sequence);
  if (shape.causal && !rowsAreKeys)
    end = tb.min(end, tb.add(firstRow, tiling.rows()));
  if (shape.hasWindow() && rowsAreKeys)
    end = tb.min(end, tb.add(firstRow, tiling.rows() + shape.window - 1));
  return end;
}

void AttentionThread::finishScores(Value column,
                                   WarpMatmul::Fragments &scores) {
  Value scale = tb.number(shape.scale * codegen::log2E);
  Value start = tb.add(column, matmul.getColumn(0));
  Value near[2], step;
  if (shape.alibi) {
    // The bias of a lane's first score in a row, and from there to the others.
    for (int64_t i : {0, 1})
      near[i] = tb.mulf(tb.toF32(rowsAreKeys ? distance(row[i], start)
                                             : distance(start, row[i])),
                        slope);
    step = rowsAreKeys ? tb.subf(tb.number(0), slope) : slope;
  }
  for (auto [n, score] : llvm::enumerate(scores)) {
    if (!shape.alibi) {
      score = tb.mulf(score, scale);
      continue;
    }
    int64_t block = n / WarpMatmul::blockNumbers,
            i = n % WarpMatmul::blockNumbers / 2;
    Value apart = tb.number(block * WarpMatmul::blockColumns + n % 2);
    score = tb.fma(score, scale, tb.fma(apart, step, near[i]));
  }

  // Tiles across the diagonal or the end have pairs that the mask forbids.
  Value crosses;
  auto orCross = [&](Value condition) {
    crosses = crosses
                  ? arith::OrIOp::create(tb.builder, tb.loc, crosses, condition)
                  : condition;
  };
  Value end = tb.add(column, tiling.columns);
  Value first = tb.add(firstRow, warpRow);
  if (shape.causal)
    orCross(rowsAreKeys
                ? tb.isLess(column, tb.add(first, WarpMatmul::matrixRows - 1))
                : tb.isLess(first, tb.sub(end, tb.index(1))));
  if (shape.hasWindow())
    orCross(rowsAreKeys ? tb.isLess(tb.add(first, shape.window), end)
                        : tb.isLess(tb.add(column, shape.window),
                                    tb.add(first, WarpMatmul::matrixRows)));
  if (shape.sequence % tiling.columns)
    orCross(tb.isLess(tb.index(shape.sequence), end));
  if (!crosses)
    return;
  auto branch = scf::IfOp::create(tb.builder, tb.loc,
                                  TypeRange(ValueRange(scores)), crosses,
                                  /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(tb.builder);
    tb.builder.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(tb.builder, tb.loc, mask(column, scores));
    tb.builder.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(tb.builder, tb.loc, scores);
  }
  scores.assign(branch.getResults().begin(), branch.getResults().end());
}

WarpMatmul::Fragments
AttentionThread::mask(Value column, const WarpMatmul::Fragments &scores) {
  // The number of a column in the tile is compared with bounds, [from, to), of
  // each row; a lane's own columns come from constants.
  Value start = tb.add(column, matmul.getColumn(0));
  Value from[2], to[2];
  for (int64_t i : {0, 1}) {
    Value end = tb.index(shape.sequence);
    if (shape.causal && rowsAreKeys)
      from[i] = distance(row[i], start);
    else if (shape.causal)
      end = tb.min(end, tb.add(row[i], 1));
    if (shape.hasWindow() && rowsAreKeys)
      end = tb.min(end, tb.add(row[i], shape.window));
    else if (shape.hasWindow())
      from[i] = distance(tb.add(row[i], 1 - shape.window), start);
    to[i] = distance(end, start);
  }
  WarpMatmul::Fragments masked(scores);
  for (auto [n, score] : llvm::enumerate(masked)) {
    int64_t i = n % WarpMatmul::blockNumbers / 2;
    Value number = tb.toI32(tb.index(
        n / WarpMatmul::blockNumbers * WarpMatmul::blockColumns + n % 2));
    Value isAllowed = tb.isLess(number, to[i]);
    if (from[i])
      isAllowed = arith::AndIOp::create(
          tb.builder, tb.loc, isAllowed,
          arith::CmpIOp::create(tb.builder, tb.loc, arith::CmpIPredicate::sge,
                                number, from[i]));
    score = tb.select(isAllowed, score, tb.number(codegen::maskedScore));
  }
  return masked;
}
