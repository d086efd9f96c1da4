//===- InterpretComposites.cpp - Composites by definition -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cpu/RandomReference.h"
#include "test/passes/train/Interpreter.h"
#include <algorithm>
#include <cmath>
#include <numbers>

using namespace mlir;
using namespace tessera;
using namespace tessera::test;

/// The logarithm of the sum of exponentials of row \p row.
static double logSumExp(const Array &x, int64_t row) {
  double sum = 0;
  for (int64_t j = 0; j < x.columns(); ++j)
    sum += std::exp(x.at(row, j));
  return std::log(sum);
}

static void layerNorm(const Array &x, const Array &weight, const Array &bias,
                      double epsilon, Array &y, Array &mean, Array &rstd) {
  for (int64_t i = 0; i < x.rows(); ++i) {
    double sum = 0, squares = 0;
    for (int64_t j = 0; j < x.columns(); ++j)
      sum += x.at(i, j);
    mean.data[i] = sum / x.columns();
    for (int64_t j = 0; j < x.columns(); ++j)
      squares += std::pow(x.at(i, j) - mean.data[i], 2);
    rstd.data[i] = 1 / std::sqrt(squares / x.columns() + epsilon);
    for (int64_t j = 0; j < x.columns(); ++j)
      y.at(i, j) = (x.at(i, j) - mean.data[i]) * rstd.data[i] * weight.data[j] +
                   bias.data[j];
  }
}

/// Elements \p from to \p from + \p count - 1 of \p x, normalised; what they
/// are multiplied by.
static double rmsNorm(const Array &x, int64_t from, int64_t count,
                      const Array &weight, double epsilon, Array &y) {
  double squares = 0;
  for (int64_t j = 0; j < count; ++j)
    squares += x.data[from + j] * x.data[from + j];
  double rstd = 1 / std::sqrt(squares / count + epsilon);
  for (int64_t j = 0; j < count; ++j)
    y.data[from + j] = x.data[from + j] * rstd * weight.data[j];
  return rstd;
}

/// Rotates column pairs (i, i + half) of each head of queries and keys by the
/// angles of \p table.
static void rotate(nn::RotaryOp op, const Array &x, const Array &table,
                   Array &y) {
  y.data = x.data;
  int64_t positions = table.shape[1], half = table.shape[2];
  for (int64_t i = 0; i < x.rows(); ++i)
    for (int64_t head = 0; head < op.getChangedHeads(); ++head)
      for (int64_t c = 0; c < half; ++c) {
        int64_t at = i % positions * half + c, column = head * 2 * half + c;
        double cosine = table.data[at],
               sine = table.data[positions * half + at];
        if (op.getBack())
          sine = -sine;
        double a = x.at(i, column), b = x.at(i, column + half);
        y.at(i, column) = a * cosine - b * sine;
        y.at(i, column + half) = b * cosine + a * sine;
      }
}

/// x · wᵀ.
static Array headLogits(const Array &x, const Array &w) {
  Array logits;
  logits.shape = {x.rows(), w.rows()};
  logits.data.resize(x.rows() * w.rows());
  for (int64_t i = 0; i < x.rows(); ++i)
    for (int64_t j = 0; j < w.rows(); ++j)
      for (int64_t k = 0; k < x.columns(); ++k)
        logits.at(i, j) += x.at(i, k) * w.at(j, k);
  return logits;
}

/// The loss of \p logits, and its gradient where \p gradient is not null.
static double crossEntropy(const Array &logits, const Array &targets,
                           double scale, Array *gradient) {
  double loss = 0;
  for (int64_t i = 0; i < logits.rows(); ++i) {
    if (targets.data[i] < 0)
      continue;
    int64_t target = targets.data[i];
    double lse = logSumExp(logits, i);
    loss += scale * (lse - logits.at(i, target));
    for (int64_t j = 0; gradient && j < logits.columns(); ++j)
      gradient->at(i, j) =
          scale * (std::exp(logits.at(i, j) - lse) - (j == target));
  }
  return loss;
}

static Stream streamOf(const Array &words) {
  Stream stream;
  llvm::transform(words.data, stream.begin(),
                  [](double word) { return static_cast<int32_t>(word); });
  return stream;
}

namespace {
/// One head of one batch row, dense.
template <typename Op> struct Head {
  Op op;
  int64_t batch, head;
  /// The operand `draw`, if there is one.
  std::vector<Array> draw;

  /// What the probability of query \p i and key \p j is multiplied by.
  double factor(int64_t i, int64_t j) {
    if (draw.empty())
      return 1;
    return dropFactor(drawBits(streamOf(draw[0]), draw[1].data[batch], j,
                               op.getSequence(), i, head),
                      op.getRate().convertToDouble());
  }

  /// The row of token \p i.
  int64_t row(int64_t i) { return batch * op.getSequence() + i; }
  /// The column of element \p c of the queries (\p which = 0), keys (1) or
  /// values (2), from the documented order of the packed columns.
  int64_t packed(int64_t which, int64_t c) {
    int64_t heads = op.getHeads(), kvHeads = op.getKvHeads();
    int64_t block = head;
    if (op.getLayout() == nn::QKVLayout::Interleaved)
      block = head * 3 + which;
    else if (which != 0)
      block = heads + (which - 1) * kvHeads + head * kvHeads / heads;
    return block * op.getHeadDim() + c;
  }
  /// Whether query \p i may see key \p j.
  bool isVisible(int64_t i, int64_t j) {
    return (!op.getCausal() || j <= i) &&
           (!op.getWindow() || i - static_cast<int64_t>(*op.getWindow()) < j);
  }
  /// Press et al., arXiv 2108.12409, extended as BLOOM does: with p the largest
  /// power of two up to n, the heads beyond p take every other slope of 2p.
  double slope() {
    int64_t heads = op.getHeads(), power = 1;
    while (2 * power <= heads)
      power *= 2;
    if (head < power)
      return std::pow(2.0, -8.0 * (head + 1) / power);
    return std::pow(2.0, -8.0 * (2 * (head - power) + 1) / (2 * power));
  }
  /// The probabilities [sequence, sequence], zero where masked; \p lse, one
  /// value per row, counts the bias from the query.
  Array probabilities(const Array &qkv, std::vector<double> &lse) {
    int64_t sequence = op.getSequence();
    Array p;
    p.shape = {sequence, sequence};
    p.data.resize(sequence * sequence);
    lse.assign(sequence, 0);
    for (int64_t i = 0; i < sequence; ++i) {
      double sum = 0;
      for (int64_t j = 0; j < sequence; ++j) {
        if (!isVisible(i, j))
          continue;
        double dot = 0;
        for (int64_t c = 0; c < op.getHeadDim(); ++c)
          dot += qkv.at(row(i), packed(0, c)) * qkv.at(row(j), packed(1, c));
        double score = op.getScale().convertToDouble() * dot;
        if (op.getAlibi())
          score += slope() * (j - i);
        sum += p.at(i, j) = std::exp(score);
      }
      for (int64_t j = 0; j < sequence; ++j)
        p.at(i, j) /= sum;
      lse[i] = std::log(sum);
    }
    return p;
  }

  void forward(const Array &qkv, Array &out, Array &lse) {
    std::vector<double> rowLse;
    Array p = probabilities(qkv, rowLse);
    for (int64_t i = 0; i < op.getSequence(); ++i) {
      lse.at(batch * op.getHeads() + head, i) = rowLse[i];
      for (int64_t c = 0; c < op.getHeadDim(); ++c)
        for (int64_t j = 0; j < op.getSequence(); ++j)
          out.at(row(i), head * op.getHeadDim() + c) +=
              factor(i, j) * p.at(i, j) * qkv.at(row(j), packed(2, c));
    }
  }

  /// dV = Pᵀ dO; dP = dO Vᵀ; dS = P (dP - rowsum(P dP)); dQ = scale dS K;
  /// dK = scale dSᵀ Q.
  void backward(const Array &qkv, const Array &gradient, Array &result) {
    std::vector<double> lse;
    Array p = probabilities(qkv, lse);
    int64_t sequence = op.getSequence(), dim = op.getHeadDim();
    double scale = op.getScale().convertToDouble();
    for (int64_t i = 0; i < sequence; ++i) {
      std::vector<double> dp(sequence);
      double dot = 0;
      for (int64_t j = 0; j < sequence; ++j) {
        for (int64_t c = 0; c < dim; ++c) {
          double dout = factor(i, j) * gradient.at(row(i), head * dim + c);
          dp[j] += dout * qkv.at(row(j), packed(2, c));
          result.at(row(j), packed(2, c)) += p.at(i, j) * dout;
        }
        dot += p.at(i, j) * dp[j];
      }
      for (int64_t j = 0; j < sequence; ++j) {
        double ds = scale * p.at(i, j) * (dp[j] - dot);
        for (int64_t c = 0; c < dim; ++c) {
          result.at(row(i), packed(0, c)) += ds * qkv.at(row(j), packed(1, c));
          result.at(row(j), packed(1, c)) += ds * qkv.at(row(i), packed(0, c));
        }
      }
    }
  }
};
} // namespace

template <typename Op, typename Function>
static void forEachHead(Op op, const std::vector<Array> &draw,
                        Function function) {
  for (int64_t batch = 0; batch < static_cast<int64_t>(op.getBatch()); ++batch)
    for (int64_t head = 0; head < static_cast<int64_t>(op.getHeads()); ++head)
      function(Head<Op>{op, batch, head, draw});
}

bool Interpreter::visitComposite(Operation &op) {
  if (auto norm = dyn_cast<nn::LayerNormOp>(op)) {
    layerNorm(operand(op, 0), operand(op, 1), operand(op, 2),
              norm.getEpsilon().convertToDouble(), define(norm.getResult()),
              define(norm.getMean()), define(norm.getRstd()));
    return true;
  }
  if (auto norm = dyn_cast<nn::RmsNormOp>(op)) {
    const Array &x = operand(op, 0);
    Array &y = define(norm.getResult()), &rstd = define(norm.getRstd());
    for (int64_t i = 0; i < x.rows(); ++i)
      rstd.data[i] = rmsNorm(x, i * x.columns(), x.columns(), operand(op, 1),
                             norm.getEpsilon().convertToDouble(), y);
    return true;
  }
  if (auto norm = dyn_cast<nn::HeadNormOp>(op)) {
    const Array &x = operand(op, 0);
    Array &y = define(norm.getResult()), &rstd = define(norm.getRstd());
    y.data = x.data;
    int64_t dim = norm.getHeadDim(), heads = norm.getHeads();
    for (int64_t i = 0; i < x.rows(); ++i)
      for (int64_t head = 0; head < rstd.columns(); ++head)
        rstd.at(i, head) =
            head >= norm.getChangedHeads()
                ? 1
                : rmsNorm(x, i * x.columns() + head * dim, dim,
                          operand(op, head < heads ? 1 : 2),
                          norm.getEpsilon().convertToDouble(), y);
    return true;
  }
  if (auto rotary = dyn_cast<nn::RotaryOp>(op)) {
    rotate(rotary, operand(op, 0), operand(op, 1), define(rotary.getResult()));
    return true;
  }
  if (isa<nn::GeluOp, nn::ReluOp, nn::Relu2Op, nn::EluOp, nn::SiluOp>(op)) {
    Array &y = define(op.getResult(0));
    llvm::transform(operand(op, 0).data, y.data.begin(), [&](double x) {
      if (isa<nn::ReluOp>(op))
        return std::max(x, 0.0);
      if (isa<nn::Relu2Op>(op))
        return x > 0 ? x * x : 0.0;
      if (isa<nn::SiluOp>(op))
        return x / (1 + std::exp(-x));
      if (isa<nn::EluOp>(op))
        return x > 0 ? x : std::expm1(x);
      double inner =
          std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
      return 0.5 * x * (1 + std::tanh(inner));
    });
    return true;
  }
  if (isa<nn::GeluGradOp>(op)) {
    const Array &x = operand(op, 0), &gradient = operand(op, 1);
    Array &y = define(op.getResult(0));
    for (size_t i = 0; i < y.data.size(); ++i) {
      double c = std::sqrt(2 / std::numbers::pi), at = x.data[i];
      double t = std::tanh(c * (at + 0.044715 * at * at * at));
      double slope = c * (1 + 3 * 0.044715 * at * at);
      y.data[i] =
          gradient.data[i] * (0.5 * (1 + t) + 0.5 * at * (1 - t * t) * slope);
    }
    return true;
  }
  if (isa<nn::DropoutOp, nn::RandomBitsOp>(op)) {
    auto dropout = dyn_cast<nn::DropoutOp>(op);
    Stream stream = streamOf(operand(op, dropout ? 1 : 0));
    const Array *samples = op.getNumOperands() == (dropout ? 3U : 2U)
                               ? &get(op.getOperands().back())
                               : nullptr;
    Array &y = define(op.getResult(0));
    int64_t ofSample = samples ? y.rows() / samples->shape[0] : 1;
    for (int64_t i = 0; i < y.rows(); ++i)
      for (int64_t j = 0; j < y.columns(); ++j) {
        auto sample =
            static_cast<int32_t>(samples ? samples->data[i / ofSample] : i);
        uint32_t bits = drawBits(stream, sample, i % ofSample, y.columns(), j);
        y.at(i, j) =
            dropout ? operand(op, 0).at(i, j) *
                          dropFactor(bits, dropout.getRate().convertToDouble())
                    : static_cast<int32_t>(bits);
      }
    return true;
  }
  if (isa<nn::SoftmaxOp>(op)) {
    const Array &x = operand(op, 0);
    Array &y = define(op.getResult(0));
    for (int64_t i = 0; i < x.rows(); ++i)
      for (int64_t j = 0; j < x.columns(); ++j)
        y.at(i, j) = std::exp(x.at(i, j) - logSumExp(x, i));
    return true;
  }
  if (auto attention = dyn_cast<nn::AttentionOp>(op)) {
    Array &out = define(attention.getResult()),
          &lse = define(attention.getLse());
    forEachHead(attention, getAll(attention.getDraw()),
                [&](auto head) { head.forward(operand(op, 0), out, lse); });
    return true;
  }
  if (auto attention = dyn_cast<nn::AttentionGradOp>(op)) {
    // The kernel takes `out` and `lse` for those of the forward pass.
    Array out(attention.getOut().getType()), lse(attention.getLse().getType());
    Array &result = define(attention.getResult());
    forEachHead(attention, getAll(attention.getDraw()), [&](auto head) {
      head.forward(operand(op, 0), out, lse);
      head.backward(operand(op, 0), get(attention.getGradient()), result);
    });
    return out.data == get(attention.getOut()).data &&
           lse.data == get(attention.getLse()).data;
  }
  if (isa<nn::CrossEntropyOp>(op)) {
    define(op.getResult(0)).data[0] = crossEntropy(
        operand(op, 0), operand(op, 1), operand(op, 2).data[0], nullptr);
    return true;
  }
  if (auto head = dyn_cast<nn::LinearCrossEntropyOp>(op)) {
    const Array &x = operand(op, 0), &w = operand(op, 1);
    Array logits = headLogits(x, w), gradient;
    gradient.shape = logits.shape;
    gradient.data.resize(logits.data.size());
    define(head.getLoss()).data[0] =
        crossEntropy(logits, operand(op, 2), operand(op, 3).data[0], &gradient);
    Array &dx = define(head.getInputGradient()),
          &dw = define(head.getWeightGradient());
    for (int64_t i = 0; i < x.rows(); ++i)
      for (int64_t j = 0; j < w.rows(); ++j)
        for (int64_t k = 0; k < x.columns(); ++k) {
          dx.at(i, k) += gradient.at(i, j) * w.at(j, k);
          dw.at(j, k) += gradient.at(i, j) * x.at(i, k);
        }
    return true;
  }
  if (auto aggregate = dyn_cast<graph::AggregateOp>(op)) {
    auto csr = aggregate.getGraph().getDefiningOp<graph::CSROp>();
    bool back = aggregate.getTranspose();
    const Array &pointers = get(back ? csr.getRowPtrT() : csr.getRowPtr()),
                &sources = get(back ? csr.getColT() : csr.getCol()),
                &weights = get(back ? csr.getWeightT() : csr.getWeight()),
                &x = get(aggregate.getInput());
    Array &y = define(aggregate.getResult());
    for (int64_t i = 0; i < y.rows(); ++i)
      for (int64_t e = pointers.data[i]; e < pointers.data[i + 1]; ++e)
        for (int64_t j = 0; j < y.columns(); ++j)
          y.at(i, j) += weights.data[e] * x.at(sources.data[e], j);
    return true;
  }
  return false;
}
