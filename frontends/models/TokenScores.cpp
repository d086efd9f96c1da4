//===- TokenScores.cpp - How likely tokens are ----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/TokenScores.h"
#include "dialects/nn/WideResult.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;
using namespace tessera;

namespace {

/// Scores and the negated ids of their tokens in fp32, which holds them all
/// exactly: the lowest of equally likely ids is a maximum then, too.
struct Candidates {
  Value scores, negatedIds;
};

class Scorer {
public:
  Scorer(ModuleWriter &writer, int64_t rows)
      : writer(writer), ops(writer.builder()), loc(writer.loc()), rows(rows) {}

  Value reduce(nn::Reduction kind, Value value, int64_t dim) {
    return nn::ReduceOp::create(ops, loc, writer.f32({rows}), kind, value,
                                ArrayRef<int64_t>{dim});
  }
  /// \p value, [rows], for each element of a shape whose dimension \p dim
  /// counts something else.
  Value spread(Value value, ArrayRef<int64_t> shape, int64_t dim) {
    return nn::createBroadcast(ops, loc, value, shape, {1 - dim});
  }
  Value spreadLike(Value value, Value like, int64_t dim) {
    return spread(value, shapeOf(like), dim);
  }
  /// Each element's place along \p dim.
  Value iota(ArrayRef<int64_t> shape, int64_t dim) {
    return nn::IotaOp::create(ops, loc, writer.i32(shape), dim);
  }
  Value negated(Value value) { return arith::NegFOp::create(ops, loc, value); }
  Value toFloat(Value value) {
    return arith::SIToFPOp::create(ops, loc, writer.f32(shapeOf(value)), value);
  }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) {
    return arith::CmpFOp::create(ops, loc, predicate, a, b);
  }
  /// The elements of \p values where \p condition holds; the others lose
  /// against all numbers.
  Value where(Value condition, Value values) {
    auto type = cast<RankedTensorType>(values.getType());
    Value nothing =
        nn::createSplat(ops, loc, type, -std::numeric_limits<float>::max());
    return arith::SelectOp::create(ops, loc, condition, values, nothing);
  }
  Value concat(ArrayRef<Value> parts) {
    if (parts.size() == 1)
      return parts.front();
    auto type = writer.f32({rows * static_cast<int64_t>(parts.size())});
    return nn::ConcatOp::create(ops, loc, type, parts);
  }
  Value concat(ArrayRef<Value> parts, ArrayRef<int64_t> shape) {
    return writer.reshape(concat(parts), shape);
  }

  /// The sum of exp(x - its maximum) along \p dim.
  Value sumOfExponentials(Value x, Value maximum, int64_t dim) {
    Value shifted =
        arith::SubFOp::create(ops, loc, x, spreadLike(maximum, x, dim));
    return reduce(nn::Reduction::Sum, math::ExpOp::create(ops, loc, shifted),
                  dim);
  }

  /// The \p count best of \p from along \p dim, in order.
  SmallVector<Candidates> best(Candidates from, int64_t count, int64_t dim) {
    SmallVector<Candidates> found;
    Value scores = from.scores, ids = from.negatedIds;
    Value left = scores;
    for (int64_t i = 0; i < count; ++i) {
      using P = arith::CmpFPredicate;
      if (i > 0) {
        // What comes behind the one before.
        Value last = spreadLike(found.back().scores, scores, dim);
        Value lastId = spreadLike(found.back().negatedIds, scores, dim);
        Value equal =
            arith::AndIOp::create(ops, loc, compare(P::OEQ, scores, last),
                                  compare(P::OLT, ids, lastId));
        Value behind = arith::OrIOp::create(
            ops, loc, compare(P::OLT, scores, last), equal);
        left = where(behind, scores);
      }
      Value score = reduce(nn::Reduction::Max, left, dim);
      Value isScore = compare(P::OEQ, left, spreadLike(score, left, dim));
      Value id = reduce(nn::Reduction::Max, where(isScore, ids), dim);
      found.push_back({score, id});
    }
    return found;
  }

  static ArrayRef<int64_t> shapeOf(Value value) {
    return cast<RankedTensorType>(value.getType()).getShape();
  }

  ModuleWriter &writer;
  OpBuilder &ops;
  Location loc;
  int64_t rows;
};

} // namespace

TokenScores tessera::scoreTokens(ModuleWriter &writer, LogitsWriter logits,
                                 int64_t vocabulary, Value targets,
                                 int64_t count, int64_t mostColumns) {
  int64_t rows = Scorer::shapeOf(targets)[0];
  Scorer s(writer, rows);
  OpBuilder &ops = writer.builder();
  Location loc = writer.loc();
  // Parts of one width, so that they share their kernels, but for the last; of
  // whole panels or tiles, in which the head may lie.
  constexpr int64_t unit = 64;
  mostColumns = std::max(unit, mostColumns / unit * unit);
  int64_t parts = llvm::divideCeil(vocabulary, mostColumns);
  int64_t columns = llvm::divideCeil(vocabulary, parts);
  if (parts > 1)
    columns = static_cast<int64_t>(llvm::alignTo(columns, unit));
  parts = llvm::divideCeil(vocabulary, columns);
  // Of each part and row the target's column in that part.
  Value begins = arith::MulIOp::create(
      ops, loc, s.iota({parts, rows}, 0),
      nn::createSplat(ops, loc, writer.i32({parts, rows}), columns));
  Value targetColumns = arith::SubIOp::create(
      ops, loc, nn::createBroadcast(ops, loc, targets, {parts, rows}, {1}),
      begins);
  SmallVector<Value> maxima, sums, ofTargets, bestScores, bestIds;
  for (int64_t part = 0; part < parts; ++part) {
    int64_t begin = part * columns;
    int64_t width = std::min(columns, vocabulary - begin);
    Value scores = logits(begin, width);
    scores.getDefiningOp()->setAttr(nn::wideResultAttrName, ops.getUnitAttr());
    Value column = s.iota({rows, width}, 1);
    Value target =
        writer.reshape(nn::SliceOp::create(ops, loc, writer.i32({1, rows}),
                                           targetColumns, part),
                       {rows});
    Value isTarget =
        arith::CmpIOp::create(ops, loc, arith::CmpIPredicate::eq, column,
                              s.spreadLike(target, column, 1));
    ofTargets.push_back(
        s.reduce(nn::Reduction::Max, s.where(isTarget, scores), 1));
    Candidates all = {scores, s.negated(s.toFloat(column))};
    SmallVector<Candidates> best = s.best(all, std::min(count, width), 1);
    maxima.push_back(best.front().scores);
    sums.push_back(s.sumOfExponentials(scores, maxima.back(), 1));
    for (Candidates &candidate : best) {
      bestScores.push_back(candidate.scores);
      bestIds.push_back(candidate.negatedIds);
    }
  }
  Value maximum = maxima.front(), sum = sums.front();
  Value ofTarget = ofTargets.front();
  SmallVector<Candidates> best;
  for (auto [score, id] : llvm::zip(bestScores, bestIds))
    best.push_back({score, id});
  if (parts > 1) {
    Value allMaxima = s.concat(maxima, {parts, rows});
    maximum = s.reduce(nn::Reduction::Max, allMaxima, 0);
    Value weight = math::ExpOp::create(
        ops, loc,
        arith::SubFOp::create(ops, loc, allMaxima,
                              s.spreadLike(maximum, allMaxima, 0)));
    sum = s.reduce(
        nn::Reduction::Sum,
        arith::MulFOp::create(ops, loc, weight, s.concat(sums, {parts, rows})),
        0);
    ofTarget =
        s.reduce(nn::Reduction::Max, s.concat(ofTargets, {parts, rows}), 0);
    // Candidate i is of part i / count; the last part may have fewer.
    int64_t all = static_cast<int64_t>(bestScores.size());
    Value part = arith::DivSIOp::create(
        ops, loc, s.iota({all, rows}, 0),
        nn::createSplat(ops, loc, writer.i32({all, rows}), count));
    Value offset = s.toFloat(arith::MulIOp::create(
        ops, loc, part,
        nn::createSplat(ops, loc, writer.i32({all, rows}), columns)));
    Value ids =
        arith::SubFOp::create(ops, loc, s.concat(bestIds, {all, rows}), offset);
    best = s.best({s.concat(bestScores, {all, rows}), ids}, count, 0);
  }
  Value logSum = arith::AddFOp::create(ops, loc, maximum,
                                       math::LogOp::create(ops, loc, sum));
  SmallVector<Value> ids, scores;
  for (Candidates &candidate : best) {
    ids.push_back(candidate.negatedIds);
    scores.push_back(candidate.scores);
  }
  Value likeliest =
      arith::FPToSIOp::create(ops, loc, writer.i32({count, rows}),
                              s.negated(s.concat(ids, {count, rows})));
  Value allScores = s.concat(scores, {count, rows});
  Value logs = arith::SubFOp::create(ops, loc, allScores,
                                     s.spreadLike(logSum, allScores, 0));
  return {arith::SubFOp::create(ops, loc, ofTarget, logSum), likeliest, logs};
}
