//===- AdjacencyTest.cpp - Tests of compressed rows -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/Adjacency.h"
#include "runtime/data/GraphFile.h"
#include "test/runtime/data/GraphBytes.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <tuple>

using namespace tessera::runtime;

namespace {

using Ints = std::vector<int32_t>;
using Floats = std::vector<float>;

struct Rows {
  Ints rowPtr, col;
  Floats weight;

  void resize(int64_t nodes, int64_t edges) {
    rowPtr.assign(nodes + 1, -7);
    col.assign(edges, -7);
    weight.assign(edges, -7);
  }
  SparseRows view() { return {rowPtr.data(), col.data(), weight.data()}; }
};

struct Adjacency {
  Rows rows, transpose;
  std::string error;
};

Adjacency adjacencyOf(const TensorBytes &graph, AdjacencyForm form) {
  std::string bytes = graph.bytes();
  Adjacency result;
  auto file = GraphFile::read(bytes, "g", result.error);
  NodeWeights nodes;
  if (!file || !weighNodes(*file, form, nodes, result.error))
    return result;
  int64_t count = file->shape().nodes, edges = 0;
  file->forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i)
      edges += !form.selfLoops || block.source[i] != block.target[i];
  });
  edges += form.selfLoops ? count : 0;
  result.rows.resize(count, edges);
  result.transpose.resize(count, edges);
  buildAdjacency(*file, form, nodes, result.rows.view(),
                 result.transpose.view());
  return result;
}

void expectNear(const Floats &actual, const Floats &expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i)
    EXPECT_FLOAT_EQ(actual[i], expected[i]) << i;
}

constexpr AdjacencyForm gcn = {true, true}, plain = {false, false};

// Edges into node 1 come from 0 and 2, those into 0 and 2 from one node each.
// The file's weights do not count.
TEST(Adjacency, MeansAndOnesReadNoWeights) {
  TensorBytes graph = smallGraph();
  graph.set("edge_weight", "F32", {4}, {-2, 0, 1, 1});
  Adjacency mean = adjacencyOf(
      graph, {.selfLoops = false, .symmetric = false, .mean = true});
  EXPECT_EQ(mean.error, "");
  EXPECT_EQ(mean.rows.col, (Ints{1, 0, 2, 2}));
  EXPECT_EQ(mean.rows.weight, (Floats{1, 0.5, 0.5, 1}));
  EXPECT_EQ(mean.transpose.col, (Ints{1, 0, 1, 2}));
  EXPECT_EQ(mean.transpose.weight, (Floats{0.5, 1, 0.5, 1}));
  Adjacency ones =
      adjacencyOf(graph, {.selfLoops = true, .symmetric = false, .ones = true});
  EXPECT_EQ(ones.rows.weight, Floats(6, 1));
  EXPECT_EQ(ones.transpose.weight, Floats(6, 1));
}

TEST(Adjacency, AddsSelfLoopsOnceAndNormalises) {
  auto [rows, transpose, error] = adjacencyOf(smallGraph(), gcn);
  EXPECT_EQ(rows.rowPtr, (Ints{0, 2, 5, 6}));
  EXPECT_EQ(rows.col, (Ints{0, 1, 0, 1, 2, 2}));
  // Edges into the nodes, with self-loops: 2, 3, 1.
  expectNear(rows.weight, {1 / 2.0f, 1 / std::sqrt(6.0f), 1 / std::sqrt(6.0f),
                           1 / 3.0f, 1 / std::sqrt(3.0f), 1.0f});
  EXPECT_EQ(transpose.rowPtr, (Ints{0, 2, 4, 6}));
  EXPECT_EQ(transpose.col, (Ints{0, 1, 0, 1, 1, 2}));
  EXPECT_FLOAT_EQ(transpose.weight[4], 1 / std::sqrt(3.0f));
}

TEST(Adjacency, CanLeaveEdgesAsTheyAre) {
  auto [rows, transpose, error] = adjacencyOf(smallGraph(), plain);
  EXPECT_EQ(rows.rowPtr, (Ints{0, 1, 3, 4}));
  EXPECT_EQ(rows.col, (Ints{1, 0, 2, 2}));
  EXPECT_EQ(rows.weight, (Floats{1, 1, 1, 1}));
}

TEST(Adjacency, HasSelfLoopsWithoutEdges) {
  TensorBytes graph = smallGraph();
  graph.set("edge_index", "I64", {2, 0}, {});
  for (bool weighted : {false, true}) {
    if (weighted)
      graph.set("edge_weight", "F32", {0}, {});
    auto [rows, transpose, error] = adjacencyOf(graph, gcn);
    EXPECT_EQ(rows.rowPtr, (Ints{0, 1, 2, 3}));
    EXPECT_EQ(rows.col, (Ints{0, 1, 2}));
    EXPECT_EQ(rows.weight, (Floats{1, 1, 1}));
    EXPECT_EQ(transpose.rowPtr, rows.rowPtr);
    EXPECT_EQ(transpose.weight, rows.weight);
  }
}

/// 0 -> 1 of 0.5, 2 -> 1 of 2, 1 -> 0 of 4, 2 -> 2 of 3 and of 9.
TensorBytes weightedGraph() {
  TensorBytes graph = smallGraph();
  graph.set("edge_index", "I64", {2, 5}, {0, 2, 1, 2, 2, 1, 1, 0, 2, 2});
  graph.set("edge_weight", "F32", {5}, {0.5, 2, 4, 3, 9});
  return graph;
}

TEST(Adjacency, TakesWeightsAsPyTorchGeometricsGCNConvDoes) {
  auto [rows, transpose, error] = adjacencyOf(weightedGraph(), gcn);
  EXPECT_EQ(rows.col, (Ints{0, 1, 0, 1, 2, 2}));
  // Loops weigh 1, 1 and the last of the file's, 9; the sums of what goes into
  // the nodes are 5, 3.5 and 9.
  float a = 1 / std::sqrt(5.0f), b = 1 / std::sqrt(3.5f), c = 1 / 3.0f;
  expectNear(rows.weight,
             {a * a, 4 * a * b, 0.5f * a * b, b * b, 2 * b * c, 9 * c * c});
  EXPECT_EQ(transpose.col, (Ints{0, 1, 0, 1, 1, 2}));
  EXPECT_EQ(transpose.weight,
            (Floats{rows.weight[0], rows.weight[2], rows.weight[1],
                    rows.weight[3], rows.weight[4], rows.weight[5]}));
}

TEST(Adjacency, TakesWeightsAsTheyAreWhereNothingIsNormalised) {
  auto [rows, transpose, error] =
      adjacencyOf(weightedGraph(), {.selfLoops = true, .symmetric = false});
  EXPECT_EQ(rows.weight, (Floats{1, 4, 0.5, 1, 2, 9}));
  Adjacency untouched = adjacencyOf(weightedGraph(), plain);
  EXPECT_EQ(untouched.rows.col, (Ints{1, 0, 2, 2, 2}));
  EXPECT_EQ(untouched.rows.weight, (Floats{4, 0.5, 2, 3, 9}));
  EXPECT_EQ(untouched.transpose.weight, (Floats{0.5, 4, 2, 3, 9}));
}

TEST(Adjacency, WeighsByNothingWhatHasNoDegree) {
  TensorBytes graph = weightedGraph();
  graph.set("edge_weight", "F32", {5}, {0.5, -0.5, 4, 3, 9});
  auto [rows, transpose, error] =
      adjacencyOf(graph, {.selfLoops = false, .symmetric = true});
  EXPECT_EQ(error, "");
  EXPECT_EQ(rows.weight[1], 0);
  EXPECT_EQ(rows.weight[2], 0);
}

TEST(Adjacency, RefusesDegreesThatHaveNoRoot) {
  TensorBytes graph = weightedGraph();
  graph.set("edge_weight", "F32", {5}, {0.5, -2, 4, 3, 9});
  EXPECT_EQ(adjacencyOf(graph, gcn).error,
            "the graph 'g' cannot be used: the weights in 'edge_weight' of the "
            "edges into node 1, its edge to itself included, have the sum "
            "-0.500000, whose root normalization SYMMETRIC takes; change them, "
            "or give normalization: NONE");
  EXPECT_EQ(adjacencyOf(graph, plain).error, "");
  graph.set("edge_weight", "F32", {5}, {3e38, 3e38, 4, 3, 9});
  EXPECT_NE(adjacencyOf(graph, gcn)
                .error.find("node 1, its edge to itself "
                            "included, have the sum inf"),
            std::string::npos);
}

/// The same by sorting.
Adjacency sorted(const TensorBytes &graph, int64_t nodes, bool selfLoops) {
  std::string bytes = graph.bytes(), error;
  auto file = GraphFile::read(bytes, "g", error);
  struct Edge {
    int32_t source, target;
    float weight;
    size_t place;
  };
  std::vector<Edge> edges;
  std::map<int32_t, float> loops;
  file->forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i)
      if (selfLoops && block.source[i] == block.target[i])
        loops[block.source[i]] = block.weight[i];
      else
        edges.push_back(
            {block.source[i], block.target[i], block.weight[i], edges.size()});
  });
  for (int32_t node = 0; selfLoops && node < nodes; ++node)
    edges.push_back(
        {node, node, loops.contains(node) ? loops[node] : 1.0f, edges.size()});
  std::vector<double> degree(nodes);
  for (const Edge &edge : edges)
    degree[edge.target] += edge.weight;
  Adjacency result;
  auto compress = [&](Rows &rows, auto rowOf, auto columnOf) {
    std::sort(edges.begin(), edges.end(), [&](const Edge &a, const Edge &b) {
      return std::tuple(rowOf(a), columnOf(a), a.place) <
             std::tuple(rowOf(b), columnOf(b), b.place);
    });
    rows.rowPtr.assign(nodes + 1, 0);
    for (const Edge &edge : edges) {
      ++rows.rowPtr[rowOf(edge) + 1];
      rows.col.push_back(columnOf(edge));
      rows.weight.push_back(static_cast<float>(
          edge.weight / std::sqrt(degree[edge.source] * degree[edge.target])));
    }
    for (int64_t i = 0; i < nodes; ++i)
      rows.rowPtr[i + 1] += rows.rowPtr[i];
  };
  auto source = [](const Edge &edge) { return edge.source; };
  auto target = [](const Edge &edge) { return edge.target; };
  compress(result.rows, target, source);
  compress(result.transpose, source, target);
  return result;
}

TEST(Adjacency, IsWhatSortingGives) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 40; ++trial) {
    int64_t nodes = 1 + random() % 30, edges = random() % 5000;
    TensorBytes graph = smallGraph();
    graph.set("x", "U8", {nodes, 1}, std::vector<double>(nodes));
    graph.set("y", "U8", {nodes}, std::vector<double>(nodes));
    for (const char *mask : {"train_mask", "val_mask", "test_mask"})
      graph.set(mask, "BOOL", {nodes}, std::vector<double>(nodes));
    std::vector<double> ends(2 * edges), weights(edges);
    for (double &end : ends)
      end = double(random() % nodes);
    for (double &weight : weights)
      weight = 0.25 * double(1 + random() % 16);
    graph.set("edge_index", "I32", {2, edges}, ends);
    if (trial % 2)
      graph.set("edge_weight", "F32", {edges}, weights);
    bool selfLoops = trial % 4 < 2;
    Adjacency actual = adjacencyOf(graph, {selfLoops, true});
    Adjacency expected = sorted(graph, nodes, selfLoops);
    EXPECT_EQ(actual.rows.rowPtr, expected.rows.rowPtr);
    EXPECT_EQ(actual.rows.col, expected.rows.col);
    expectNear(actual.rows.weight, expected.rows.weight);
    EXPECT_EQ(actual.transpose.rowPtr, expected.transpose.rowPtr);
    EXPECT_EQ(actual.transpose.col, expected.transpose.col);
    expectNear(actual.transpose.weight, expected.transpose.weight);
  }
}

} // namespace
