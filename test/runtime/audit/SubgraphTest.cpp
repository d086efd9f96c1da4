//===- SubgraphTest.cpp - Tests of the graphs of an audit -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Subgraph.h"
#include "runtime/data/Adjacency.h"
#include "runtime/data/GraphFile.h"
#include "test/runtime/data/GraphBytes.h"
#include "test/runtime/data/ListedEdges.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <random>

using namespace tessera::runtime;

namespace {

using Ints = std::vector<int32_t>;
using Floats = std::vector<float>;
Edges edgesOf(const EdgeSource &source) {
  Edges edges;
  source.forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i)
      edges.push_back({block.source[i], block.target[i], block.weight[i]});
  });
  return edges;
}

struct Rows {
  Ints rowPtr, col;
  Floats weight;
};

/// The rows of \p source, and in \p transpose the columns'.
Rows rowsOf(const EdgeSource &source, AdjacencyForm form,
            Rows *transpose = nullptr) {
  NodeWeights nodes;
  std::string error;
  EXPECT_TRUE(weighNodes(source, form, nodes, error)) << error;
  int64_t edges = countAdjacency(source, form);
  auto make = [&] {
    return Rows{Ints(source.nodeCount() + 1, -7), Ints(edges, -7),
                Floats(edges, -7)};
  };
  Rows rows = make(), other = make();
  auto view = [](Rows &each) {
    return SparseRows{each.rowPtr.data(), each.col.data(), each.weight.data()};
  };
  buildAdjacency(source, form, nodes, view(rows), view(other));
  EXPECT_EQ(rows.rowPtr.back(), edges);
  if (transpose)
    *transpose = other;
  return rows;
}

constexpr AdjacencyForm gcn = {true, true}, plain = {false, false};

/// 0 -> 1, 1 -> 0, 1 -> 2, 2 -> 1, 2 -> 3, 3 -> 3, 0 -> 2.
ListedEdges smallOne(bool weighted = false) {
  return {4,
          {{0, 1, 1},
           {1, 0, 2},
           {1, 2, 3},
           {2, 1, 4},
           {2, 3, 5},
           {3, 3, 6},
           {0, 2, 7}},
          weighted};
}

TEST(Subgraph, InducedEdgesAreNumberedInTheListsOrder) {
  ListedEdges whole = smallOne(true);
  Ints nodes = {3, 1, 2};
  InducedEdges induced(whole, nodes);
  EXPECT_EQ(induced.nodeCount(), 3);
  EXPECT_EQ(edgesOf(induced),
            (Edges{{1, 2, 3}, {2, 1, 4}, {2, 0, 5}, {0, 0, 6}}));
}

/// A scrambled subgraph trains without an error, and badly: an edge of the
/// subgraph must be one of the whole between the nodes that features and
/// labels are taken of.
TEST(Subgraph, RelabellingKeepsWhoIsWhoseNeighbour) {
  std::mt19937 random(1);
  Edges edges;
  for (int i = 0; i < 5000; ++i) {
    auto source = int32_t(random() % 200), target = int32_t(random() % 200);
    edges.push_back({source, target, float(source * 1000 + target)});
  }
  ListedEdges whole(200, edges, true);
  Ints nodes(200);
  for (int32_t i = 0; i < 200; ++i)
    nodes[i] = i;
  std::shuffle(nodes.begin(), nodes.end(), random);
  nodes.resize(80);
  InducedEdges induced(whole, nodes);
  // By the definition.
  Edges expected;
  for (const Edge &edge : edges) {
    auto source = std::find(nodes.begin(), nodes.end(), edge.source);
    auto target = std::find(nodes.begin(), nodes.end(), edge.target);
    if (source != nodes.end() && target != nodes.end())
      expected.push_back({int32_t(source - nodes.begin()),
                          int32_t(target - nodes.begin()), edge.weight});
  }
  EXPECT_GT(expected.size(), 500u);
  EXPECT_EQ(edgesOf(induced), expected);
  // Through compressed rows, too: a weight says whose edge it was.
  Rows transpose, rows = rowsOf(induced, plain, &transpose);
  for (int32_t row = 0; row < 80; ++row)
    for (int32_t i = rows.rowPtr[row]; i < rows.rowPtr[row + 1]; ++i)
      EXPECT_EQ(rows.weight[i], float(nodes[rows.col[i]] * 1000 + nodes[row]));
  for (int32_t row = 0; row < 80; ++row)
    for (int32_t i = transpose.rowPtr[row]; i < transpose.rowPtr[row + 1]; ++i)
      EXPECT_EQ(transpose.weight[i],
                float(nodes[row] * 1000 + nodes[transpose.col[i]]));
}

TEST(Subgraph, DegreesAreThoseOfTheSubgraph) {
  ListedEdges whole = smallOne();
  Ints nodes = {1, 2};
  // 1 -> 2 and 2 -> 1 alone, each degree 2 with the loop.
  Rows rows = rowsOf(InducedEdges(whole, nodes), gcn);
  EXPECT_EQ(rows.col, (Ints{0, 1, 0, 1}));
  for (float weight : rows.weight)
    EXPECT_FLOAT_EQ(weight, 0.5f);
}

TEST(Subgraph, OfAllNodesIsTheGraphToTheBit) {
  std::mt19937 random(2);
  for (bool weighted : {false, true}) {
    Edges edges;
    for (int i = 0; i < 5000; ++i)
      edges.push_back({int32_t(random() % 50), int32_t(random() % 50),
                       weighted ? float(random() % 99) / 7 : 1.0f});
    ListedEdges whole(50, edges, weighted);
    Ints nodes(50);
    for (int32_t i = 0; i < 50; ++i)
      nodes[i] = i;
    InducedEdges induced(whole, nodes);
    SampledEdges sampled(whole, 5000, 1, 1);
    for (AdjacencyForm form : {gcn, plain}) {
      Rows expectedT, expected = rowsOf(whole, form, &expectedT);
      for (const EdgeSource *source :
           std::initializer_list<const EdgeSource *>{&induced, &sampled}) {
        Rows actualT, actual = rowsOf(*source, form, &actualT);
        EXPECT_EQ(actual.rowPtr, expected.rowPtr);
        EXPECT_EQ(actual.col, expected.col);
        EXPECT_EQ(actual.weight, expected.weight);
        EXPECT_EQ(actualT.rowPtr, expectedT.rowPtr);
        EXPECT_EQ(actualT.col, expectedT.col);
        EXPECT_EQ(actualT.weight, expectedT.weight);
      }
    }
  }
}

/// Star: 1 to 5 -> 0, and back; 5 -> 6; 0 -> 0. Node 7 alone.
ListedEdges star() {
  Edges edges;
  for (int32_t leaf = 1; leaf <= 5; ++leaf) {
    edges.push_back({leaf, 0});
    edges.push_back({0, leaf});
  }
  edges.push_back({5, 6});
  edges.push_back({0, 0});
  return {8, edges};
}

/// Not all edges of nodes with few, and not the edges that go out.
TEST(Nsd, KeepsTheLesserOfKAndTheDegreeOfIncomingEdges) {
  ListedEdges whole = star();
  std::vector<int64_t> degrees = inDegrees(whole);
  EXPECT_EQ(degrees, (std::vector<int64_t>{5, 1, 1, 1, 1, 1, 1, 0}));
  for (int64_t k = 1; k <= 6; ++k) {
    SampledEdges sampled(whole, k, 11, 0);
    std::vector<int64_t> kept = inDegrees(sampled);
    for (size_t node = 0; node < kept.size(); ++node)
      EXPECT_EQ(kept[node], std::min(k, degrees[node])) << k << " " << node;
    // Node 0 sends to all five leaves whatever k is, and keeps its loop.
    int64_t out = 0, loops = 0;
    for (const Edge &edge : edgesOf(sampled)) {
      out += edge.source == 0 && edge.target != 0;
      loops += edge.source == edge.target;
    }
    EXPECT_EQ(out, 5);
    EXPECT_EQ(loops, 1);
  }
}

TEST(Nsd, KeepsEachNeighbourAsOftenAsOthers) {
  ListedEdges whole = star();
  std::map<Ints, int> pairs;
  for (uint64_t query = 0; query < 10000; ++query) {
    Ints sources;
    for (const Edge &edge : edgesOf(SampledEdges(whole, 2, 1, query)))
      if (edge.target == 0 && edge.source != 0)
        sources.push_back(edge.source);
    ++pairs[sources];
  }
  // All 10 pairs, by chi-square with 9 degrees of freedom at 99.9 %.
  EXPECT_EQ(pairs.size(), 10u);
  double statistic = 0;
  for (auto &[pair, count] : pairs)
    statistic += (count - 1000.0) * (count - 1000.0) / 1000;
  EXPECT_LT(statistic, 27.9);
}

TEST(Nsd, DrawsOncePerQuery) {
  Edges edges;
  for (int32_t i = 1; i < 100; ++i)
    edges.push_back({i, 0});
  ListedEdges whole(100, edges);
  SampledEdges sampled(whole, 5, 3, 8);
  Edges first = edgesOf(sampled);
  EXPECT_EQ(edgesOf(sampled), first);
  EXPECT_EQ(edgesOf(SampledEdges(whole, 5, 3, 8)), first);
  EXPECT_NE(edgesOf(SampledEdges(whole, 5, 3, 9)), first);
  EXPECT_NE(edgesOf(SampledEdges(whole, 5, 4, 8)), first);
}

TEST(Nsd, RenormalisesDegreesOnWhatIsKept) {
  Rows rows = rowsOf(SampledEdges(star(), 2, 1, 0), gcn);
  Rows whole = rowsOf(star(), gcn);
  // Node 0: two neighbours of degree 2 and itself, degree 3 in place of 6.
  ASSERT_EQ(rows.rowPtr[1], 3);
  for (int32_t i = 0; i < 3; ++i)
    EXPECT_FLOAT_EQ(rows.weight[i],
                    rows.col[i] == 0 ? 1 / 3.0f : 1 / std::sqrt(6.0f));
  EXPECT_FLOAT_EQ(whole.weight[0], 1 / 6.0f);
}

TEST(Nsd, WorksOnASubgraph) {
  ListedEdges whole = star();
  Ints nodes = {0, 3, 4, 5};
  InducedEdges induced(whole, nodes);
  SampledEdges sampled(induced, 2, 1, 0);
  EXPECT_EQ(sampled.nodeCount(), 4);
  EXPECT_EQ(inDegrees(sampled), (std::vector<int64_t>{2, 1, 1, 1}));
}

TEST(Subgraph, WithoutEdgesHasLoopsAlone) {
  ListedEdges whole = smallOne(true);
  NoEdges none(whole);
  EXPECT_EQ(countAdjacency(none, plain), 0);
  Rows rows = rowsOf(none, gcn);
  EXPECT_EQ(rows.col, (Ints{0, 1, 2, 3}));
  EXPECT_EQ(rows.weight, (Floats{1, 1, 1, 1}));
}

TEST(Subgraph, CountsTheEdgesThatRowsTake) {
  ListedEdges whole = smallOne();
  EXPECT_EQ(countAdjacency(whole, plain), 7);
  EXPECT_EQ(countAdjacency(whole, gcn), 6 + 4);
  EXPECT_EQ(capacityError("the subgraph of the target's members", 10, 9),
            "the subgraph of the target's members has 10 edges and the "
            "executable has room for 9: compile it with audit.edge_capacity "
            "10 or more, or with 0 for all edges");
}

TEST(Subgraph, ReadsAFilesEdges) {
  std::string bytes = smallGraph().bytes(), error;
  auto file = GraphFile::read(bytes, "g", error);
  ASSERT_TRUE(file) << error;
  Ints nodes = {2, 1};
  InducedEdges induced(*file, nodes);
  EXPECT_EQ(edgesOf(induced), (Edges{{0, 1}, {0, 0}}));
  EXPECT_EQ(induced.path(), "g");
}

TEST(Subgraph, SaysHowAlikeNeighboursAre) {
  Ints labels = {0, 0, 1, 1};
  std::vector<double> shares = nodeHomophily(smallOne(), labels);
  EXPECT_EQ(shares[0], 1);   // 1
  EXPECT_EQ(shares[1], 0.5); // 0, 2
  EXPECT_EQ(shares[2], 0);   // 1, 0
  EXPECT_EQ(shares[3], 1);   // 2
  EXPECT_TRUE(std::isnan(nodeHomophily(NoEdges(smallOne()), labels)[0]));
  // 0 <- 1, 0 <- 2: one of two.
  EXPECT_EQ(nodeHomophily(ListedEdges(3, {{1, 0}, {2, 0}}), Ints{0, 0, 1})[0],
            0.5);
  labels[1] = -1;
  EXPECT_TRUE(std::isnan(nodeHomophily(smallOne(), labels)[0]));
}

} // namespace
