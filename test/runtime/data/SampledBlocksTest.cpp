//===- SampledBlocksTest.cpp - Tests of blocks of sampled subgraphs -------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/SampledBlocks.h"
#include "test/runtime/data/ListedEdges.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <random>

using namespace tessera::runtime;

namespace {

using Ints = std::vector<int32_t>;
using Floats = std::vector<float>;

constexpr AdjacencyForm symmetric = {true, true},
                        noLoops = {.selfLoops = false, .symmetric = true},
                        mean = {.selfLoops = false,
                                .symmetric = false,
                                .mean = true},
                        ones = {.selfLoops = true,
                                .symmetric = false,
                                .ones = true},
                        plain = {.selfLoops = false, .symmetric = false};

/// Edges of one row or column as (column or row, weight), ascending.
using Entries = std::vector<std::pair<int32_t, float>>;

Entries entriesOf(const int32_t *rowPtr, const int32_t *col,
                  const float *weight, int64_t row) {
  Entries entries;
  for (int32_t i = rowPtr[row]; i < rowPtr[row + 1]; ++i)
    entries.push_back({col[i], weight[i]});
  std::sort(entries.begin(), entries.end());
  return entries;
}

/// 0 and 1 expand; 2 and 3 are found last. 1 has been drawn to itself, once.
SampledGraph drawn() {
  return {.counts = {1, 2, 4},
          .nodes = {10, 11, 12, 13},
          .rowPtr = {0, 1, 4},
          .source = {1, 2, 1, 3},
          .weight = {2, 3, 5, 1}};
}

TEST(SampledBlocks, LayersHaveAHopLessEach) {
  SampledBlocks blocks(plain, {true, true});
  blocks.build(drawn());
  EXPECT_EQ(blocks.rows(0), 2);
  EXPECT_EQ(blocks.columns(0), 4);
  EXPECT_EQ(blocks.entries(0), 4);
  EXPECT_EQ(blocks.rows(1), 1);
  EXPECT_EQ(blocks.columns(1), 2);
  EXPECT_EQ(blocks.entries(1), 1);
  EXPECT_EQ(Ints(blocks.cols(), blocks.cols() + 4), (Ints{1, 2, 1, 3}));
  EXPECT_EQ(Floats(blocks.weights(), blocks.weights() + 4),
            (Floats{2, 3, 5, 1}));
  const SparseRows &first = blocks.transpose(0), &last = blocks.transpose(1);
  EXPECT_EQ(Ints(first.rowPtr, first.rowPtr + 5), (Ints{0, 0, 2, 3, 4}));
  EXPECT_EQ(Ints(first.col, first.col + 4), (Ints{0, 1, 1, 1}));
  EXPECT_EQ(Floats(first.weight, first.weight + 4), (Floats{2, 5, 3, 1}));
  EXPECT_EQ(Ints(last.rowPtr, last.rowPtr + 3), (Ints{0, 0, 1}));
  EXPECT_EQ(last.col[0], 0);
}

TEST(SampledBlocks, DegreesAreOfTheWholeSubgraph) {
  SampledBlocks blocks(symmetric, {false, false});
  blocks.build(drawn());
  // Node 1 has its own loop of weight 5, the others one of weight 1.
  auto root = [](double degree) { return 1 / std::sqrt(degree); };
  EXPECT_EQ(blocks.entries(0), 5);
  EXPECT_EQ(Ints(blocks.cols(), blocks.cols() + 5), (Ints{1, 0, 2, 3, 1}));
  double zero = root(2 + 1), one = root(3 + 1 + 5);
  for (auto [i, expected] :
       std::vector<std::pair<int, double>>{{0, 2 * one * zero},
                                           {1, zero * zero},
                                           {2, 3 * one},
                                           {3, one},
                                           {4, 5 * one * one}})
    EXPECT_FLOAT_EQ(blocks.weights()[i], static_cast<float>(expected)) << i;
  // Of the last block, too: its rows are the first of block 0.
  EXPECT_EQ(blocks.entries(1), 2);
}

TEST(SampledBlocks, NodesWithoutEdgesWeighNothing) {
  SampledBlocks blocks(noLoops, {false, false});
  blocks.build(drawn());
  // Nothing was drawn into 2 and 3.
  EXPECT_EQ(blocks.entries(0), 4);
  EXPECT_EQ(blocks.weights()[1], 0);
  EXPECT_EQ(blocks.weights()[3], 0);
  EXPECT_FLOAT_EQ(blocks.weights()[2], 5.0f / 9);
}

TEST(SampledBlocks, MeansAndOnesReadNoWeights) {
  SampledBlocks means(mean, {false, false});
  means.build(drawn());
  EXPECT_EQ(Floats(means.weights(), means.weights() + 4),
            (Floats{1, 1 / 3.0f, 1 / 3.0f, 1 / 3.0f}));
  SampledBlocks counts(ones, {false, false});
  counts.build(drawn());
  EXPECT_EQ(Floats(counts.weights(), counts.weights() + 5),
            (Floats{1, 1, 1, 1, 1}));
}

TEST(SampledBlocks, NothingSampledIsEmpty) {
  SampledBlocks blocks(symmetric, {true, true});
  blocks.build({.counts = {0, 0, 0}, .rowPtr = {0}});
  EXPECT_EQ(blocks.entries(0), 0);
  EXPECT_EQ(blocks.columns(0), 0);
  EXPECT_EQ(blocks.rowPtrs()[0], 0);
  EXPECT_EQ(blocks.transpose(0).rowPtr[0], 0);
}

Edges randomEdges(int64_t nodes, int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  Edges edges;
  for (int64_t i = 0; i < count; ++i)
    edges.push_back({static_cast<int32_t>(random() % nodes),
                     static_cast<int32_t>(random() % (nodes - 3)),
                     static_cast<float>(random() % 8 + 1)});
  // A node has one edge to itself at most, as which of several counts differs.
  std::vector<bool> loops(nodes);
  std::erase_if(edges, [&](const Edge &edge) {
    if (edge.source != edge.target)
      return false;
    bool again = loops[edge.source];
    loops[edge.source] = true;
    return again;
  });
  return edges;
}

TEST(SampledBlocks, AllNodesWithAllEdgesAreTheWholeGraph) {
  constexpr int64_t nodes = 40;
  for (bool weighted : {false, true})
    for (AdjacencyForm form : {symmetric, noLoops, mean, ones, plain}) {
      ListedEdges source(nodes, randomEdges(nodes, 200, 8), weighted);
      int64_t count = countAdjacency(source, form);
      NodeWeights weights;
      std::string error;
      ASSERT_TRUE(weighNodes(source, form, weights, error));
      Ints rowPtr(nodes + 1), rowPtrT(nodes + 1), col(count), colT(count);
      Floats weight(count), weightT(count);
      buildAdjacency(source, form, weights,
                     {rowPtr.data(), col.data(), weight.data()},
                     {rowPtrT.data(), colT.data(), weightT.data()});

      InEdges inEdges(source, weighted);
      Ints seeds(nodes);
      std::iota(seeds.begin(), seeds.end(), 0);
      SampledGraph graph;
      NeighborSampler(inEdges, {{-1, -1}}, 1).sample(seeds, 0, graph);
      SampledBlocks blocks(form, {true, true});
      blocks.build(graph);
      for (int64_t block : {0, 1}) {
        ASSERT_EQ(blocks.rows(block), nodes);
        ASSERT_EQ(blocks.entries(block), count);
        const SparseRows &transpose = blocks.transpose(block);
        for (int64_t node = 0; node < nodes; ++node) {
          EXPECT_EQ(entriesOf(blocks.rowPtrs(), blocks.cols(), blocks.weights(),
                              node),
                    entriesOf(rowPtr.data(), col.data(), weight.data(), node));
          EXPECT_EQ(
              entriesOf(transpose.rowPtr, transpose.col, transpose.weight,
                        node),
              entriesOf(rowPtrT.data(), colT.data(), weightT.data(), node));
        }
      }
    }
}

/// Sums over neighbours, twice.
TEST(SampledBlocks, FullNeighbourhoodsGiveWhatTheWholeGraphGives) {
  constexpr int64_t nodes = 40;
  Edges edges = randomEdges(nodes, 200, 8);
  ListedEdges source(nodes, edges);
  Floats x(nodes);
  for (int64_t node = 0; node < nodes; ++node)
    x[node] = static_cast<float>(node * node % 17);
  Floats whole = x;
  for (int layer = 0; layer < 2; ++layer) {
    Floats sums(nodes, 0), counts(nodes, 0);
    for (const Edge &edge : edges) {
      sums[edge.target] += whole[edge.source];
      counts[edge.target] += 1;
    }
    for (int64_t node = 0; node < nodes; ++node)
      whole[node] = counts[node] > 0 ? sums[node] / counts[node] : 0;
  }
  InEdges inEdges(source, false);
  SampledGraph graph;
  Ints seeds = {3, 39, 20, 7};
  NeighborSampler(inEdges, {{-1, -1}}, 1).sample(seeds, 0, graph);
  SampledBlocks blocks(mean, {false, false});
  blocks.build(graph);
  Floats values;
  for (int32_t node : graph.nodes)
    values.push_back(x[node]);
  for (int64_t block = 0; block < 2; ++block) {
    ASSERT_EQ(std::ssize(values), blocks.columns(block));
    Floats next;
    for (int64_t row = 0; row < blocks.rows(block); ++row) {
      float sum = 0;
      for (auto [col, weight] :
           entriesOf(blocks.rowPtrs(), blocks.cols(), blocks.weights(), row))
        sum += weight * values[col];
      next.push_back(sum);
    }
    values = next;
  }
  ASSERT_EQ(values.size(), seeds.size());
  for (size_t i = 0; i < seeds.size(); ++i)
    EXPECT_NEAR(values[i], whole[seeds[i]], 1e-4);
}

} // namespace
