//===- NeighborSamplerTest.cpp - Tests of sampled neighbourhoods ----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/NeighborSampler.h"
#include "runtime/data/SampleRoom.h"
#include "test/runtime/data/ListedEdges.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <thread>

using namespace tessera::runtime;

namespace {

using Ints = std::pmr::vector<int32_t>;

/// \p edges with each edge's place as its weight, by which tests know it.
ListedEdges numbered(int64_t nodes, Edges edges) {
  for (size_t i = 0; i < edges.size(); ++i)
    edges[i].weight = static_cast<float>(i);
  return {nodes, std::move(edges), true};
}

/// The edges that were drawn, ascending.
Ints edgesOf(const SampledGraph &graph) {
  Ints edges(graph.weight.begin(), graph.weight.end());
  std::sort(edges.begin(), edges.end());
  return edges;
}

/// How likely each multiset of edges is, by going through all draws.
class Enumeration {
public:
  Enumeration(const Edges &edges, FanOut fanOut, const Ints &seeds)
      : edges(edges), fanOut(std::move(fanOut)) {
    visit(0, seeds, 0, {}, std::set(seeds.begin(), seeds.end()), {}, 1);
  }

  std::map<Ints, double> probabilities;

private:
  /// Draws for \p frontier[\p at] and those behind it; \p next are the nodes
  /// that this hop has found.
  void visit(size_t hop, const Ints &frontier, size_t at, const Ints &next,
             const std::set<int32_t> &known, const Ints &drawn, double p) {
    if (hop == fanOut.counts.size()) {
      Ints sorted = drawn;
      std::sort(sorted.begin(), sorted.end());
      probabilities[sorted] += p;
      return;
    }
    if (at == frontier.size())
      return visit(hop + 1, next, 0, {}, known, drawn, p);
    Ints into;
    for (size_t i = 0; i < edges.size(); ++i)
      if (edges[i].target == frontier[at])
        into.push_back(static_cast<int32_t>(i));
    int64_t wanted = fanOut.counts[hop];
    bool all = wanted < 0 || (!fanOut.replace && wanted >= std::ssize(into));
    std::vector<Ints> choices;
    if (all || into.empty())
      choices = {into};
    else
      choose(into, wanted, 0, {}, choices);
    for (const Ints &choice : choices) {
      Ints found = next, soFar = drawn;
      std::set<int32_t> nowKnown = known;
      for (int32_t edge : choice) {
        soFar.push_back(edge);
        if (nowKnown.insert(edges[edge].source).second)
          found.push_back(edges[edge].source);
      }
      visit(hop, frontier, at + 1, found, nowKnown, soFar,
            p / static_cast<double>(choices.size()));
    }
  }

  /// All equally likely draws: sets without replacement, sequences with it.
  void choose(const Ints &into, int64_t wanted, size_t begin, const Ints &drawn,
              std::vector<Ints> &choices) {
    if (std::ssize(drawn) == wanted) {
      choices.push_back(drawn);
      return;
    }
    for (size_t i = fanOut.replace ? 0 : begin; i < into.size(); ++i) {
      Ints more = drawn;
      more.push_back(into[i]);
      choose(into, wanted, i + 1, more, choices);
    }
  }

  const Edges &edges;
  FanOut fanOut;
};

/// The 99.9th percentile of chi-square with \p freedom degrees of freedom
/// (Wilson and Hilferty, "The distribution of chi-square", 1931): 28.1 for 9,
/// where tables have 27.9.
double criticalValue(double freedom) {
  double part = 2 / (9 * freedom);
  return freedom * std::pow(1 - part + 3.0902 * std::sqrt(part), 3);
}

/// Compares \p samples draws with the exact probabilities.
void expectExact(int64_t nodes, const Edges &edges, const FanOut &fanOut,
                 const Ints &seeds, int samples) {
  Enumeration exact(edges, fanOut, seeds);
  InEdges inEdges(numbered(nodes, edges), true);
  NeighborSampler sampler(inEdges, fanOut, 17);
  std::map<Ints, int> counts;
  SampledGraph graph;
  for (int i = 0; i < samples; ++i) {
    sampler.sample(seeds, i, graph);
    ++counts[edgesOf(graph)];
  }
  double statistic = 0, sum = 0;
  for (const auto &[drawn, probability] : exact.probabilities) {
    double expected = probability * samples;
    ASSERT_GE(expected, 5) << "too few samples for chi-square";
    int count = counts.contains(drawn) ? counts[drawn] : 0;
    statistic += (count - expected) * (count - expected) / expected;
    sum += count;
  }
  // Nothing was drawn that cannot be.
  EXPECT_EQ(sum, samples);
  double freedom = static_cast<double>(exact.probabilities.size()) - 1;
  EXPECT_GT(freedom, 4);
  EXPECT_LT(statistic, criticalValue(freedom)) << freedom;
}

/// Duplicates into 1, loops of 2 and 4, nothing into 3.
const Edges small = {{1, 0}, {2, 0}, {3, 0}, {4, 0}, {2, 1}, {5, 1},
                     {5, 1}, {2, 2}, {0, 2}, {3, 2}, {0, 4}, {1, 4},
                     {2, 4}, {4, 4}, {0, 5}, {1, 5}};

TEST(NeighborSampler, CriticalValuesAreThoseOfTables) {
  EXPECT_NEAR(criticalValue(9), 27.877, 0.2);
  EXPECT_NEAR(criticalValue(100), 149.449, 0.2);
}

TEST(NeighborSampler, DrawsEachSetAsOftenAsOthers) {
  Edges star;
  for (int32_t i = 1; i <= 8; ++i)
    star.push_back({i, 0});
  // 8, 56 and 28 sets.
  for (int64_t k : {1, 3, 6})
    expectExact(9, star, {{k}}, {0}, 20000);
}

TEST(NeighborSampler, DrawsTwoHopsAsEnumerated) {
  expectExact(6, small, {{2, 2}}, {0}, 60000);
  expectExact(6, small, {{2, 1}}, {0, 4}, 60000);
  expectExact(6, small, {{1, 2}}, {1, 5}, 60000);
  expectExact(6, small, {{1, -1}}, {0, 2}, 20000);
  expectExact(6, small, {{-1, 2}}, {4}, 60000);
}

TEST(NeighborSampler, DrawsThreeHopsAsEnumerated) {
  expectExact(6, small, {{1, 2, 1}}, {0}, 60000);
}

TEST(NeighborSampler, DrawsWithReplacementAsEnumerated) {
  expectExact(6, small, {{3}, true}, {1}, 20000);
  expectExact(6, small, {{2, 1}, true}, {0}, 60000);
  expectExact(6, small, {{1, 3}, true}, {0, 5}, 100000);
}

/// A graph of \p nodes nodes with a few of large degree, isolated nodes,
/// duplicates and loops.
Edges randomEdges(int64_t nodes, int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  Edges edges;
  for (int64_t i = 0; i < count; ++i) {
    auto source = static_cast<int32_t>(random() % nodes);
    auto target = static_cast<int32_t>(random() % nodes);
    if (i % 3 == 0)
      target %= 3;
    if (target % 5 != 4)
      edges.push_back({source, target});
    if (i % 7 == 0 && !edges.empty())
      edges.push_back(edges.back());
    if (i % 11 == 0)
      edges.push_back({source, source});
  }
  return edges;
}

// What is within some hops is a prefix, which has room.
TEST(NeighborSampler, KeepsTheRules) {
  std::mt19937 random(5);
  for (uint32_t round = 0; round < 200; ++round) {
    int64_t nodes = 1 + random() % 60;
    Edges edges = randomEdges(nodes, random() % 300, round);
    FanOut fanOut{{}, round % 3 == 0};
    for (size_t hop = 0; hop < 1 + round % 3; ++hop)
      fanOut.counts.push_back(random() % 5 ? 1 + random() % 6 : -1);
    Ints seeds(nodes);
    std::iota(seeds.begin(), seeds.end(), 0);
    std::shuffle(seeds.begin(), seeds.end(), random);
    seeds.resize(random() % (nodes + 1));
    ListedEdges listed = numbered(nodes, edges);
    InEdges inEdges(listed, true);
    NeighborSampler sampler(inEdges, fanOut, round);
    SampledGraph graph;
    sampler.sample(seeds, round, graph);

    ASSERT_EQ(graph.counts.size(), fanOut.counts.size() + 1);
    EXPECT_EQ(graph.counts.front(), std::ssize(seeds));
    EXPECT_TRUE(std::is_sorted(graph.counts.begin(), graph.counts.end()));
    EXPECT_EQ(graph.counts.back(), std::ssize(graph.nodes));
    EXPECT_TRUE(std::equal(seeds.begin(), seeds.end(), graph.nodes.begin()));
    EXPECT_EQ(std::set(graph.nodes.begin(), graph.nodes.end()).size(),
              graph.nodes.size());
    ASSERT_EQ(std::ssize(graph.rowPtr), graph.expanded() + 1);
    SampleRoom room({nodes, std::ssize(edges), fanOut.counts, std::ssize(seeds),
                     fanOut.replace});
    for (size_t hop = 0; hop < graph.counts.size(); ++hop)
      EXPECT_LE(graph.counts[hop], room.nodesWithin(hop));
    for (size_t hop = 0; hop < fanOut.counts.size(); ++hop)
      EXPECT_LE(graph.rowPtr[graph.counts[hop]], room.edgesWithin(hop));
    EXPECT_EQ(graph.edges(), std::ssize(graph.source));
    int64_t found = graph.counts.front();
    for (size_t hop = 0; hop < fanOut.counts.size(); ++hop) {
      int64_t begin = hop ? graph.counts[hop - 1] : 0;
      for (int64_t row = begin; row < graph.counts[hop]; ++row) {
        int64_t degree = inEdges.degree(graph.nodes[row]);
        int64_t wanted = fanOut.counts[hop];
        bool all = wanted < 0 || (!fanOut.replace && wanted > degree);
        int64_t drawn = graph.rowPtr[row + 1] - graph.rowPtr[row];
        EXPECT_EQ(drawn, all || degree == 0 ? degree : wanted);
        std::set<float> distinct;
        for (int32_t i = graph.rowPtr[row]; i < graph.rowPtr[row + 1]; ++i) {
          // Local numbers, in the order of discovery.
          ASSERT_LE(graph.source[i], found);
          found += graph.source[i] == found;
          const Edge &edge = edges[static_cast<size_t>(graph.weight[i])];
          EXPECT_EQ(edge.target, graph.nodes[row]);
          EXPECT_EQ(edge.source, graph.nodes[graph.source[i]]);
          distinct.insert(graph.weight[i]);
        }
        if (!fanOut.replace || wanted < 0)
          EXPECT_EQ(std::ssize(distinct), drawn);
      }
      EXPECT_EQ(found, graph.counts[hop + 1]);
    }
  }
}

TEST(NeighborSampler, WithoutWeightsEdgesWeighOne) {
  InEdges inEdges(numbered(6, small), false);
  NeighborSampler sampler(inEdges, {{-1}}, 1);
  SampledGraph graph;
  sampler.sample(Ints{1}, 0, graph);
  EXPECT_EQ(graph.nodes, (Ints{1, 2, 5}));
  EXPECT_EQ(graph.source, (Ints{1, 2, 2}));
  EXPECT_EQ(graph.weight, (std::pmr::vector<float>{1, 1, 1}));
}

TEST(NeighborSampler, AnyThreadAndOrderDrawTheSame) {
  Edges edges = randomEdges(500, 4000, 3);
  InEdges inEdges(numbered(500, edges), true);
  FanOut fanOut{{4, 3, 2}};
  auto sampleAll = [&](int threads) {
    std::vector<SampledGraph> graphs(64);
    std::vector<std::thread> all;
    for (int thread = 0; thread < threads; ++thread)
      all.emplace_back([&, thread] {
        NeighborSampler sampler(inEdges, fanOut, 9);
        for (int i = 63 - thread; i >= 0; i -= threads)
          sampler.sample(Ints{i, 64 + i, 200 + i}, i, graphs[i]);
      });
    for (std::thread &thread : all)
      thread.join();
    return graphs;
  };
  std::vector<SampledGraph> one = sampleAll(1);
  EXPECT_TRUE(one == sampleAll(2));
  EXPECT_TRUE(one == sampleAll(5));
}

TEST(NeighborSampler, DrawsDependOnSeedPositionAndNodeAlone) {
  Edges edges;
  for (int32_t i = 1; i < 100; ++i)
    for (int32_t target : {0, 1})
      edges.push_back({i, target});
  InEdges inEdges(numbered(100, edges), true);
  SampledGraph graph;
  auto draw = [&](uint64_t seed, uint64_t position, const Ints &seeds) {
    NeighborSampler(inEdges, {{5}}, seed).sample(seeds, position, graph);
    return Ints(graph.weight.end() - 5, graph.weight.end());
  };
  Ints first = draw(3, 8, {0});
  EXPECT_EQ(draw(3, 8, {0}), first);
  // Whatever else is expanded before it.
  EXPECT_EQ(draw(3, 8, {1, 0}), first);
  EXPECT_NE(draw(4, 8, {0}), first);
  EXPECT_NE(draw(3 + (uint64_t(1) << 32), 8, {0}), first);
  EXPECT_NE(draw(3, 9, {0}), first);
  EXPECT_NE(draw(3, 8 + (uint64_t(1) << 32), {0}), first);
  EXPECT_NE(draw(3, 8, {1}), first);
}

TEST(NeighborSampler, NoSeedsGiveNothing) {
  InEdges inEdges(numbered(6, small), true);
  NeighborSampler sampler(inEdges, {{2, 2}}, 1);
  SampledGraph graph;
  sampler.sample({}, 0, graph);
  EXPECT_EQ(graph.counts, (std::vector<int64_t>{0, 0, 0}));
  EXPECT_EQ(graph.rowPtr, Ints{0});
  EXPECT_EQ(graph.edges(), 0);
}

} // namespace
