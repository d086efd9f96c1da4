//===- InterpretGraph.cpp - Attention and maxima over edges ------*- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cpu/RandomReference.h"
#include "test/passes/train/Interpreter.h"
#include <cmath>

using namespace mlir;
using namespace tessera;
using namespace tessera::test;

namespace {
/// A score and the slope of LeakyReLU there.
struct Score {
  double value, slope;
};
} // namespace

static Score getScore(double sum, double slope) {
  return {sum > 0 ? sum : slope * sum, sum > 0 ? 1 : slope};
}

/// What the probability of edge \p edge, source j → target i, is multiplied by
/// for head \p head; \p ends are the other ends of the edges from \p begin on.
template <typename Op>
static double getDropFactor(Op op, const Array *stream, const Array *ids,
                            const Array &ends, int64_t begin, int64_t edge,
                            int64_t j, int64_t i, int64_t head) {
  if (!stream)
    return 1;
  int64_t repeats = 0;
  while (edge - repeats > begin &&
         ends.data[edge - repeats - 1] == ends.data[edge])
    ++repeats;
  Stream words;
  llvm::transform(stream->data, words.begin(),
                  [](double word) { return static_cast<int32_t>(word); });
  int64_t row = j + op.getGraph().getType().getColumns() * repeats;
  if (ids) {
    row = static_cast<int64_t>(ids->data[j]);
    i = static_cast<int64_t>(ids->data[i]);
  }
  return dropFactor(drawBits(words, i, row, op.getHeads(), head),
                    op.getRate().convertToDouble());
}

bool Interpreter::visitGraphAttention(Operation &op) {
  if (auto attention = dyn_cast<graph::AttentionOp>(op)) {
    auto csr = attention.getGraph().getDefiningOp<graph::CSROp>();
    const Array &pointers = get(csr.getRowPtr()), &sources = get(csr.getCol()),
                &x = operand(op, 1), &source = operand(op, 2),
                &target = operand(op, 3);
    Array &out = define(op.getResult(0)), &lse = define(op.getResult(1)),
          &sloped = define(op.getResult(2)), &slopes = define(op.getResult(3));
    double slope = attention.getSlope().convertToDouble();
    int64_t width = attention.getHeadWidth();
    const Array *stream =
        attention.getStream() ? &get(attention.getStream()) : nullptr;
    const Array *ids = attention.getIds() ? &get(attention.getIds()) : nullptr;
    for (int64_t i = 0; i < out.rows(); ++i)
      for (int64_t h = 0; h < lse.columns(); ++h) {
        auto scoreOf = [&](int64_t edge) {
          return getScore(source.at(sources.data[edge], h) + target.at(i, h),
                          slope);
        };
        auto begin = static_cast<int64_t>(pointers.data[i]);
        auto end = static_cast<int64_t>(pointers.data[i + 1]);
        double sum = 0;
        for (int64_t edge = begin; edge < end; ++edge)
          sum += std::exp(scoreOf(edge).value);
        lse.at(i, h) = begin == end ? 0 : std::log(sum);
        for (int64_t edge = begin; edge < end; ++edge) {
          Score score = scoreOf(edge);
          double p = std::exp(score.value) / sum;
          slopes.at(i, h) += p * score.slope;
          p *= getDropFactor(attention, stream, ids, sources, begin, edge,
                             sources.data[edge], i, h);
          for (int64_t c = h * width; c < (h + 1) * width; ++c) {
            out.at(i, c) += p * x.at(sources.data[edge], c);
            sloped.at(i, c) += p * score.slope * x.at(sources.data[edge], c);
          }
        }
      }
    return true;
  }
  if (auto attention = dyn_cast<graph::AttentionGradOp>(op)) {
    auto csr = attention.getGraph().getDefiningOp<graph::CSROp>();
    const Array &pointers = get(csr.getRowPtrT()),
                &targets = get(csr.getColT()), &gradient = operand(op, 1),
                &source = operand(op, 2), &target = operand(op, 3),
                &lse = operand(op, 4), &delta = operand(op, 5);
    Array &dx = define(op.getResult(0)), &sloped = define(op.getResult(1)),
          &corrections = define(op.getResult(2));
    double slope = attention.getSlope().convertToDouble();
    int64_t width = attention.getHeadWidth();
    const Array *stream =
        attention.getStream() ? &get(attention.getStream()) : nullptr;
    const Array *ids = attention.getIds() ? &get(attention.getIds()) : nullptr;
    for (int64_t j = 0; j < dx.rows(); ++j)
      for (auto edge = static_cast<int64_t>(pointers.data[j]);
           edge < pointers.data[j + 1]; ++edge)
        for (int64_t h = 0; h < lse.columns(); ++h) {
          auto i = static_cast<int64_t>(targets.data[edge]);
          Score score = getScore(source.at(j, h) + target.at(i, h), slope);
          double p = std::exp(score.value - lse.at(i, h));
          corrections.at(j, h) += p * score.slope * delta.at(i, h);
          p *= getDropFactor(attention, stream, ids, targets, pointers.data[j],
                             edge, j, i, h);
          for (int64_t c = h * width; c < (h + 1) * width; ++c) {
            dx.at(j, c) += p * gradient.at(i, c);
            sloped.at(j, c) += p * score.slope * gradient.at(i, c);
          }
        }
    return true;
  }
  return false;
}

bool Interpreter::visitGraphMax(Operation &op) {
  if (!isa<graph::MaxOp, graph::MaxTiesOp, graph::MaxGradientOp>(op))
    return false;
  auto csr = op.getOperand(0).getDefiningOp<graph::CSROp>();
  const Array &pointers = get(csr.getRowPtr()), &sources = get(csr.getCol()),
              &x = operand(op, 1);
  Array &out = define(op.getResult(0));
  int64_t rows =
      isa<graph::MaxGradientOp>(op) ? operand(op, 2).rows() : out.rows();
  for (int64_t i = 0; i < rows; ++i)
    for (auto edge = static_cast<int64_t>(pointers.data[i]);
         edge < pointers.data[i + 1]; ++edge)
      for (int64_t c = 0; c < x.columns(); ++c) {
        auto j = static_cast<int64_t>(sources.data[edge]);
        if (isa<graph::MaxOp>(op))
          out.at(i, c) = edge == pointers.data[i]
                             ? x.at(j, c)
                             : std::max(out.at(i, c), x.at(j, c));
        else if (x.at(j, c) != operand(op, 2).at(i, c))
          continue;
        else if (isa<graph::MaxTiesOp>(op))
          out.at(i, c) += 1;
        else
          out.at(j, c) += operand(op, 3).at(i, c);
      }
  return true;
}
