//===- GraphAttentionTest.cpp - Attention over edges, by formulas -*- C++ -*-=//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/Numbers.h"
#include "test/codegen/cpu/RandomReference.h"
#include "gtest/gtest.h"

using namespace tessera::test;

namespace {

/// Edges by target and source, and by source and target as the transpose.
struct Edges {
  std::vector<int32_t> start, source, startT, target;

  /// Of 50 nodes: the upper half without incoming edges, one with more than
  /// any chunk holds, many edges twice.
  Edges() {
    std::mt19937 generator(7);
    std::uniform_int_distribution<int32_t> any(0, nodeCount - 1);
    std::vector<std::vector<int32_t>> rows(nodeCount), rowsT(nodeCount);
    auto add = [&](int32_t from, int32_t to) {
      rows[to].push_back(from);
      rowsT[from].push_back(to);
    };
    for (int64_t e = 0; e < 300; ++e) {
      int32_t from = any(generator), to = any(generator) / 2;
      add(from, to);
      if (e % 7 == 0)
        add(from, to);
    }
    for (int64_t e = 0; e < 150; ++e)
      add(any(generator), 3);
    for (int64_t e = 0; e < 150; ++e)
      add(5, any(generator) / 2);
    flatten(rows, start, source);
    flatten(rowsT, startT, target);
  }

  int64_t count() const { return source.size(); }

  static constexpr int64_t nodeCount = 50;

private:
  static void flatten(const std::vector<std::vector<int32_t>> &rows,
                      std::vector<int32_t> &start, std::vector<int32_t> &ends) {
    start.push_back(0);
    for (std::vector<int32_t> row : rows) {
      std::sort(row.begin(), row.end());
      ends.insert(ends.end(), row.begin(), row.end());
      start.push_back(ends.size());
    }
  }
};

/// Heads, columns of each, and whether probabilities are dropped.
using Widths = std::tuple<int64_t, int64_t, bool>;

class GraphAttention : public testing::TestWithParam<Widths> {
protected:
  int64_t heads = std::get<0>(GetParam()), columns = std::get<1>(GetParam());
  bool drops = std::get<2>(GetParam());
  int64_t nodes = Edges::nodeCount, width = heads * columns;
  double slope = 0.2, rate = 0.4;
  Stream stream = someStream;
  Edges edges;
  std::vector<float> weight = std::vector<float>(edges.count(), NAN);
  std::vector<float> x = randomNumbers(nodes * width, 1, 1);
  // Scores up to some 10, so that maxima matter.
  std::vector<float> sources = randomNumbers(nodes * heads, 3, 2);
  std::vector<float> targets = randomNumbers(nodes * heads, 3, 3);
  std::vector<float> gradient = randomNumbers(nodes * width, 1, 4);

  std::vector<double> out = zeros(width), lse = zeros(heads),
                      sloped = zeros(width), slopes = zeros(heads),
                      delta = zeros(heads);

  std::vector<double> zeros(int64_t count) const {
    return std::vector<double>(nodes * count);
  }

  /// Calls \p visit with source, target, head, probability, what it is
  /// multiplied by, the slope, and the log of the sum.
  template <typename Function> void forEachEdge(Function visit) const {
    for (int64_t i = 0; i < nodes; ++i)
      for (int64_t h = 0; h < heads; ++h) {
        auto score = [&](int32_t e) {
          double sum =
              static_cast<double>(sources[edges.source[e] * heads + h]) +
              targets[i * heads + h];
          return std::pair(sum > 0 ? sum : slope * sum, sum > 0 ? 1 : slope);
        };
        double total = 0;
        for (int32_t e = edges.start[i]; e < edges.start[i + 1]; ++e)
          total += std::exp(score(e).first);
        int64_t repeats = 0;
        for (int32_t e = edges.start[i]; e < edges.start[i + 1]; ++e) {
          int32_t j = edges.source[e];
          repeats =
              e > edges.start[i] && edges.source[e - 1] == j ? repeats + 1 : 0;
          uint32_t bits = drawBits(stream, i, j + nodes * repeats, heads, h);
          visit(j, i, h, std::exp(score(e).first) / total,
                drops ? dropFactor(bits, rate) : 1, score(e).second,
                std::log(total));
        }
      }
  }

  void SetUp() override {
    forEachEdge([&](int64_t j, int64_t i, int64_t h, double p, double kept,
                    double s, double logSum) {
      for (int64_t c = h * columns; c < (h + 1) * columns; ++c) {
        out[i * width + c] += p * kept * x[j * width + c];
        sloped[i * width + c] += p * kept * s * x[j * width + c];
      }
      slopes[i * heads + h] += p * s;
      lse[i * heads + h] = logSum;
    });
    for (int64_t i = 0; i < nodes; ++i)
      for (int64_t c = 0; c < width; ++c)
        delta[i * heads + c / columns] +=
            gradient[i * width + c] * out[i * width + c];
  }

  CompiledKernel compile(const std::string &op, int inputs, int results) const {
    std::string pointer = tensor({nodes + 1}, "i32"),
                ends = tensor({edges.count()}, "i32"),
                weights = tensor({edges.count()}),
                rows = tensor({nodes, width}), scores = tensor({nodes, heads});
    std::string csr =
        "!graph.csr<50x50, " + std::to_string(edges.count()) + ">";
    std::vector<std::string> arguments = {pointer, ends,    weights, pointer,
                                          ends,    weights, rows};
    std::string operands = "%a6";
    for (int i = 1; i < inputs; ++i) {
      arguments.push_back(scores);
      operands += ", %a" + std::to_string(6 + i);
    }
    if (drops)
      arguments.push_back("tensor<1x4xi32>");
    std::vector<std::string> types;
    std::string names, outputs;
    for (int i = 0; i < results; ++i)
      names += (i ? ", %r" : "%r") + std::to_string(i);
    if (results == 4)
      types = {rows, scores, rows, scores};
    else
      types = {rows, rows, scores};
    return CompiledKernel(kernelText(
        arguments, types,
        "%g = graph.csr %a0, %a1, %a2 transposed %a3, %a4, %a5 : " + csr +
            "\n" + names + " = graph." + op + " %g, " + operands +
            " slope 0.2" +
            (drops ? " dropout 0.4 from %a" + std::to_string(6 + inputs) : "") +
            " : " + csr + ", " + rows + ", " + scores + ", " + scores +
            (drops ? ", tensor<1x4xi32>" : "")));
  }

  /// Runs \p kernel, in pieces and in one; both must give the same bits.
  std::vector<std::vector<float>> run(CompiledKernel &kernel,
                                      std::vector<std::vector<float>> inputs,
                                      const std::vector<int64_t> &results) {
    std::vector<std::vector<float>> first;
    for (int64_t pieces : {1, 3}) {
      std::vector<void *> buffers = {edges.start.data(),  edges.source.data(),
                                     weight.data(),       edges.startT.data(),
                                     edges.target.data(), weight.data()};
      for (std::vector<float> &input : inputs)
        buffers.push_back(input.data());
      if (drops)
        buffers.push_back(stream.data());
      std::vector<std::vector<float>> got;
      for (int64_t count : results)
        got.emplace_back(nodes * count, NAN);
      for (std::vector<float> &result : got)
        buffers.push_back(result.data());
      kernel.run(buffers, pieces);
      if (first.empty())
        first = got;
      EXPECT_EQ(got, first);
    }
    return first;
  }

  static std::vector<float> narrow(const std::vector<double> &numbers) {
    return {numbers.begin(), numbers.end()};
  }
};

TEST_P(GraphAttention, Forward) {
  CompiledKernel kernel = compile("attention", 3, 4);
  EXPECT_EQ(kernel.getIterations(), nodes);
  auto got = run(kernel, {x, sources, targets}, {width, heads, width, heads});
  EXPECT_LT(relativeError(got[0], out), 1e-6);
  EXPECT_LT(relativeError(got[1], lse), 1e-6);
  EXPECT_LT(relativeError(got[2], sloped), 1e-6);
  EXPECT_LT(relativeError(got[3], slopes), 1e-6);
  // Nodes without edges.
  for (int64_t c = 0; c < width; ++c)
    EXPECT_EQ(got[0][(nodes - 1) * width + c], 0);
}

TEST_P(GraphAttention, Gradient) {
  std::vector<double> dx = zeros(width), slopedSum = zeros(width),
                      corrections = zeros(heads);
  forEachEdge([&](int64_t j, int64_t i, int64_t h, double p, double kept,
                  double s, double) {
    for (int64_t c = h * columns; c < (h + 1) * columns; ++c) {
      dx[j * width + c] += p * kept * gradient[i * width + c];
      slopedSum[j * width + c] += p * kept * s * gradient[i * width + c];
    }
    corrections[j * heads + h] += p * s * delta[i * heads + h];
  });
  CompiledKernel kernel = compile("attention_grad", 5, 3);
  EXPECT_EQ(kernel.getIterations(), nodes);
  auto got =
      run(kernel, {gradient, sources, targets, narrow(lse), narrow(delta)},
          {width, width, heads});
  // Log-sum-exps are some 10 and come in fp32, which alone is 5e-7 of a weight.
  EXPECT_LT(relativeError(got[0], dx), 2e-6);
  EXPECT_LT(relativeError(got[1], slopedSum), 2e-6);
  EXPECT_LT(relativeError(got[2], corrections), 2e-6);
}

INSTANTIATE_TEST_SUITE_P(
    Widths, GraphAttention,
    testing::Values(Widths{1, 1, false}, Widths{1, 7, true},
                    Widths{1, 40, false}, Widths{1, 256, true},
                    Widths{3, 5, true}, Widths{3, 17, false},
                    Widths{8, 1, false}, Widths{8, 8, true},
                    Widths{8, 7, false}, Widths{8, 32, false},
                    Widths{5, 16, true}, Widths{2, 130, false},
                    Widths{17, 3, true}, Widths{40, 12, true},
                    Widths{68, 2, true}, Widths{3, 300, false}));

} // namespace
