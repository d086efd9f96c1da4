//===- KernelsTest.cpp - Kernels that move and add rows ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/Numbers.h"
#include "gtest/gtest.h"
#include <cmath>
#include <numeric>

using namespace tessera::test;

namespace {

//===----------------------------------------------------------------------===//
// graph.aggregate
//===----------------------------------------------------------------------===//

/// A random weighted graph, or matrix, and its transpose.
struct Graph {
  std::vector<int32_t> start, source, startT, sourceT;
  std::vector<float> weight, weightT;

  Graph(int64_t nodes, int64_t columns, int64_t edges) {
    std::mt19937 generator(7);
    std::uniform_int_distribution<int32_t> row(0, nodes - 1),
        column(0, columns - 1);
    std::vector<float> weights = randomNumbers(edges, 1, 5);
    std::vector<std::vector<std::pair<int32_t, float>>> rows(nodes),
        rowsT(columns);
    for (int64_t e = 0; e < edges; ++e) {
      int32_t from = column(generator), to = row(generator) / 2;
      rows[to].push_back({from, weights[e]});
      rowsT[from].push_back({to, weights[e]});
    }
    flatten(rows, start, source, weight);
    flatten(rowsT, startT, sourceT, weightT);
  }

  static void
  flatten(const std::vector<std::vector<std::pair<int32_t, float>>> &rows,
          std::vector<int32_t> &start, std::vector<int32_t> &source,
          std::vector<float> &weight) {
    start.push_back(0);
    for (const auto &row : rows) {
      for (auto [j, w] : row) {
        source.push_back(j);
        weight.push_back(w);
      }
      start.push_back(source.size());
    }
  }
};

class Aggregate
    : public testing::TestWithParam<std::tuple<int64_t, int64_t, bool>> {};

TEST_P(Aggregate, SumsTheNeighbours) {
  auto [columns, width, transpose] = GetParam();
  constexpr int64_t nodes = 50, edges = 400, capacity = 420;
  Graph graph(nodes, columns, edges);
  std::string col = tensor({capacity}, "i32"), weight = tensor({capacity});
  int64_t in = transpose ? nodes : columns, out = transpose ? columns : nodes;
  std::string x = tensor({in, width}), y = tensor({out, width});
  std::string csr = "!graph.csr<50x" + std::to_string(columns) + ", 420>";
  CompiledKernel kernel(kernelText(
      {tensor({nodes + 1}, "i32"), col, weight, tensor({columns + 1}, "i32"),
       col, weight, x},
      {y},
      "%g = graph.csr %a0, %a1, %a2 transposed %a3, %a4, %a5 : " + csr +
          "\n%r0 = graph.aggregate %g, %a6" + (transpose ? " transpose" : "") +
          " : " + csr + ", " + x));
  EXPECT_EQ(kernel.getIterations(), out);
  // What is behind the last edge is no source.
  for (auto *sources : {&graph.source, &graph.sourceT})
    sources->resize(capacity, INT32_MAX);
  std::vector<float> input = randomNumbers(in * width, 1, 3);
  std::vector<float> result(out * width, -1);
  kernel.run({graph.start.data(), graph.source.data(), graph.weight.data(),
              graph.startT.data(), graph.sourceT.data(), graph.weightT.data(),
              input.data(), result.data()},
             3);
  std::vector<double> expected(result.size());
  for (int64_t i = 0; i < nodes; ++i)
    for (int32_t e = graph.start[i]; e < graph.start[i + 1]; ++e) {
      int64_t from = graph.source[e], to = i;
      if (transpose)
        std::swap(from, to);
      for (int64_t c = 0; c < width; ++c)
        expected[to * width + c] +=
            static_cast<double>(graph.weight[e]) * input[from * width + c];
    }
  EXPECT_LT(relativeError(result, expected), 3e-7);
}

INSTANTIATE_TEST_SUITE_P(
    Widths, Aggregate,
    testing::Combine(testing::Values(50, 13, 190),
                     testing::Values(1, 7, 16, 40, 256, 300), testing::Bool()));

//===----------------------------------------------------------------------===//
// graph.max, graph.max_ties, graph.max_gradient
//===----------------------------------------------------------------------===//

/// The kernel of `OP %g, OPERANDS...`, its operands being matrices of
/// \p operandRows rows, and what it gives on \p graph.
std::vector<float> runOnGraph(Graph &graph, const std::string &op,
                              int64_t columns, int64_t width,
                              std::vector<std::vector<float>> operands,
                              int64_t resultRows) {
  int64_t nodes = graph.start.size() - 1, edges = graph.source.size();
  std::string col = tensor({edges}, "i32"), weight = tensor({edges});
  std::vector<std::string> types = {tensor({nodes + 1}, "i32"),   col, weight,
                                    tensor({columns + 1}, "i32"), col, weight};
  std::string csr = "!graph.csr<" + std::to_string(nodes) + "x" +
                    std::to_string(columns) + ", " + std::to_string(edges) +
                    ">";
  std::string values, shapes;
  std::vector<void *> buffers = {graph.start.data(),   graph.source.data(),
                                 graph.weight.data(),  graph.startT.data(),
                                 graph.sourceT.data(), graph.weightT.data()};
  for (size_t i = 0; i < operands.size(); ++i) {
    int64_t rows = operands[i].size() / width;
    types.push_back(tensor({rows, width}));
    values += ", %a" + std::to_string(6 + i);
    if (i < 2)
      shapes += ", " + types.back();
    buffers.push_back(operands[i].data());
  }
  std::vector<float> result(resultRows * width, -1);
  buffers.push_back(result.data());
  CompiledKernel kernel(kernelText(
      types, {tensor({resultRows, width})},
      "%g = graph.csr %a0, %a1, %a2 transposed %a3, %a4, %a5 : " + csr +
          "\n%r0 = " + op + " %g" + values + " : " + csr + shapes));
  EXPECT_EQ(kernel.getIterations(), resultRows);
  kernel.run(buffers, 3);
  return result;
}

class NeighborMax
    : public testing::TestWithParam<std::tuple<int64_t, int64_t>> {};

// Of few different numbers, so that there are ties.
TEST_P(NeighborMax, AndWhatItsGradientTakes) {
  auto [columns, width] = GetParam();
  constexpr int64_t nodes = 50;
  Graph graph(nodes, columns, 300);
  std::vector<float> x = randomNumbers(columns * width, 1, 3);
  for (float &number : x)
    number = std::round(2 * number);
  std::vector<float> share = randomNumbers(nodes * width, 1, 4);
  std::vector<float> largest(nodes * width), ties(nodes * width);
  std::vector<double> gradient(columns * width);
  for (int64_t i = 0; i < nodes; ++i)
    for (int64_t c = 0; c < width; ++c) {
      auto forEdges = [&](auto body) {
        for (int32_t e = graph.start[i]; e < graph.start[i + 1]; ++e)
          body(graph.source[e] * width + c);
      };
      float &most = largest[i * width + c];
      most = graph.start[i] < graph.start[i + 1] ? -100.0f : 0.0f;
      forEdges([&](int64_t j) { most = std::max(most, x[j]); });
      forEdges([&](int64_t j) {
        if (x[j] != most)
          return;
        ties[i * width + c] += 1;
        gradient[j] += share[i * width + c];
      });
    }
  EXPECT_EQ(runOnGraph(graph, "graph.max", columns, width, {x}, nodes),
            largest);
  EXPECT_EQ(
      runOnGraph(graph, "graph.max_ties", columns, width, {x, largest}, nodes),
      ties);
  EXPECT_GT(*llvm::max_element(ties), 1);
  EXPECT_LT(relativeError(runOnGraph(graph, "graph.max_gradient", columns,
                                     width, {x, largest, share}, columns),
                          gradient),
            3e-7);
}

INSTANTIATE_TEST_SUITE_P(Widths, NeighborMax,
                         testing::Combine(testing::Values(50, 13),
                                          testing::Values(1, 7, 16, 40, 200)));

//===----------------------------------------------------------------------===//
// nn.scatter_add
//===----------------------------------------------------------------------===//

class ScatterAdd : public testing::TestWithParam<int64_t> {
protected:
  int64_t width = GetParam(), tableRows = 9, tokens = 64;
  std::vector<int32_t> indices = std::vector<int32_t>(tokens);
  std::vector<float> init = randomNumbers(tableRows * width, 1, 1);
  std::vector<float> rows = randomNumbers(tokens * width, 1, 2);
  std::string tableType = tensor({tableRows, width});
  std::string indexType = tensor({tokens}, "i32");
  std::string rowType = tensor({tokens, width});

  void SetUp() override {
    for (int64_t i = 0; i < tokens; ++i)
      indices[i] = i * i % tableRows;
  }
  /// In fp32 and ascending order, so that bits can be compared.
  std::vector<float> expected(std::vector<float> table) const {
    for (int64_t i = 0; i < tokens; ++i)
      for (int64_t c = 0; c < width; ++c)
        table[indices[i] * width + c] += rows[i * width + c];
    return table;
  }
  std::string op(const std::string &into, int argument) const {
    return "%r0 = nn.scatter_add %a" + std::to_string(argument + 1) + ", %a" +
           std::to_string(argument) + " into " + into + " : " + rowType + ", " +
           indexType + ", " + tableType;
  }
};

TEST_P(ScatterAdd, InPlaceAndApart) {
  CompiledKernel kernel(kernelText({tableType, indexType, rowType}, {tableType},
                                   op("%a0", 1), {0}));
  std::vector<float> out(init.size(), -1), table = init;
  kernel.run({init.data(), indices.data(), rows.data(), out.data()}, 2);
  EXPECT_EQ(out, expected(init));
  EXPECT_EQ(table, init);
  kernel.run({table.data(), indices.data(), rows.data(), table.data()}, 2);
  EXPECT_EQ(table, out);
}

TEST_P(ScatterAdd, IntoZero) {
  CompiledKernel kernel(kernelText({indexType, rowType}, {tableType},
                                   "%zero = arith.constant dense<0.0> : " +
                                       tableType + "\n" + op("%zero", 0)));
  std::vector<float> out(init.size(), -1);
  kernel.run({indices.data(), rows.data(), out.data()}, 2);
  EXPECT_EQ(out, expected(std::vector<float>(init.size())));
}

INSTANTIATE_TEST_SUITE_P(Widths, ScatterAdd,
                         testing::Values(1, 16, 24, 64, 100, 128));

//===----------------------------------------------------------------------===//
// nn.transpose
//===----------------------------------------------------------------------===//

using Permutation = std::pair<std::vector<int64_t>, std::vector<int64_t>>;
class Transpose : public testing::TestWithParam<Permutation> {};

TEST_P(Transpose, MovesEveryElement) {
  auto [sizes, permutation] = GetParam();
  std::vector<int64_t> resultSizes;
  std::string list;
  for (int64_t dim : permutation) {
    resultSizes.push_back(sizes[dim]);
    list += (list.empty() ? "" : ", ") + std::to_string(dim);
  }
  CompiledKernel kernel(kernelText({tensor(sizes)}, {tensor(resultSizes)},
                                   "%r0 = nn.transpose %a0 by [" + list +
                                       "] : " + tensor(sizes) + " -> " +
                                       tensor(resultSizes)));
  int64_t count = 1;
  for (int64_t size : sizes)
    count *= size;
  std::vector<float> x(count), y(count, -1), expected(count);
  std::iota(x.begin(), x.end(), 0);
  for (int64_t i = 0; i < count; ++i) {
    // Coordinates of element i of the result, and its place in the input.
    std::vector<int64_t> at(sizes.size());
    int64_t rest = i, place = 0;
    for (size_t dim = sizes.size(); dim--;) {
      at[permutation[dim]] = rest % resultSizes[dim];
      rest /= resultSizes[dim];
    }
    for (size_t dim = 0; dim < sizes.size(); ++dim)
      place = place * sizes[dim] + at[dim];
    expected[i] = x[place];
  }
  kernel.run({x.data(), y.data()}, 3);
  EXPECT_EQ(y, expected);
}

INSTANTIATE_TEST_SUITE_P(
    Permutations, Transpose,
    testing::Values(Permutation{{32, 48}, {1, 0}}, Permutation{{33, 5}, {1, 0}},
                    Permutation{{3, 20, 35}, {0, 2, 1}},
                    Permutation{{3, 20, 35}, {1, 0, 2}},
                    Permutation{{4, 17, 18}, {2, 1, 0}},
                    Permutation{{4, 17, 18}, {2, 0, 1}},
                    Permutation{{2, 3, 16, 32}, {0, 2, 1, 3}},
                    Permutation{{19}, {0}}));

} // namespace
