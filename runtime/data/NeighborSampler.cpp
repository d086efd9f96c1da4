//===- NeighborSampler.cpp - Sampled neighbourhoods of a graph ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/NeighborSampler.h"
#include "runtime/core/Random.h"
#include <algorithm>

namespace tessera::runtime {

InEdges::InEdges(const EdgeSource &edges, bool weighted, Memory memory)
    : weighted(weighted), begins(edges.nodeCount() + 1, memory),
      sources(memory) {
  edges.forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i)
      ++begins[block.target[i] + 1];
  });
  for (size_t node = 1; node < begins.size(); ++node) {
    most = std::max<int64_t>(most, begins[node]);
    begins[node] += begins[node - 1];
  }
  sources.resize(begins.back());
  weights.resize(weighted ? begins.back() : 0);
  // Each node's begin moves to its end as its edges are dealt.
  edges.forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i) {
      int32_t at = begins[block.target[i]]++;
      sources[at] = block.source[i];
      if (weighted)
        weights[at] = block.weight[i];
    }
  });
  edges.release();
  std::copy_backward(begins.begin(), begins.end() - 2, begins.end() - 1);
  begins.front() = 0;
}

NeighborSampler::NeighborSampler(const InEdges &edges, FanOut fanOut,
                                 uint64_t seed, Memory memory)
    : edges(edges), fanOut(std::move(fanOut)), seed(seed),
      numbers(edges.nodes(), -1, memory),
      isChosen((edges.mostInto() + 63) / 64) {
  int64_t most = 0;
  for (int64_t count : this->fanOut.counts)
    most = std::max(most, count);
  chosen.reserve(std::min(most, edges.mostInto()));
}

int64_t NeighborSampler::bytes() const {
  int64_t perEdge = edges.isWeighted() ? 8 : 4;
  return perEdge * edges.edges() + 4 * (2 * edges.nodes() + 1) +
         8 * static_cast<int64_t>(isChosen.size()) +
         4 * static_cast<int64_t>(chosen.capacity());
}

int32_t NeighborSampler::numberOf(int32_t node, SampledGraph &graph) {
  int32_t &number = numbers[node];
  if (number < 0) {
    number = static_cast<int32_t>(graph.nodes.size());
    graph.nodes.push_back(node);
  }
  return number;
}

void NeighborSampler::add(int64_t edge, SampledGraph &graph) {
  graph.source.push_back(numberOf(edges.source(edge), graph));
  graph.weight.push_back(edges.weight(edge));
}

void NeighborSampler::expand(int32_t node, int64_t wanted, uint64_t position,
                             SampledGraph &graph) {
  int64_t begin = edges.begin(node), degree = edges.degree(node);
  bool all = wanted < 0 || (!fanOut.replace && wanted >= degree);
  if (all || degree == 0) {
    for (int64_t i = 0; i < degree; ++i)
      add(begin + i, graph);
    return;
  }
  RandomSequence random(seed, {static_cast<uint32_t>(node),
                               static_cast<uint32_t>(position),
                               neighborsWord(position >> 32)});
  auto draw = [&](int64_t below) {
    return static_cast<int64_t>(random.below(static_cast<uint32_t>(below)));
  };
  if (fanOut.replace) {
    for (int64_t i = 0; i < wanted; ++i)
      add(begin + draw(degree), graph);
    return;
  }
  auto choose = [&](int64_t i) {
    uint64_t &word = isChosen[i / 64], bit = uint64_t(1) << i % 64;
    if (word & bit)
      return false;
    word |= bit;
    chosen.push_back(static_cast<int32_t>(i));
    return true;
  };
  for (int64_t last = degree - wanted; last < degree; ++last)
    if (!choose(draw(last + 1)))
      choose(last);
  for (int32_t i : chosen) {
    add(begin + i, graph);
    isChosen[i / 64] = 0;
  }
  chosen.clear();
}

void NeighborSampler::sample(std::span<const int32_t> seeds, uint64_t position,
                             SampledGraph &graph) {
  graph.counts.clear();
  graph.nodes.clear();
  graph.rowPtr.assign(1, 0);
  graph.source.clear();
  graph.weight.clear();
  for (int32_t node : seeds)
    numberOf(node, graph);
  graph.counts.push_back(static_cast<int64_t>(graph.nodes.size()));
  int64_t begin = 0;
  for (int64_t wanted : fanOut.counts) {
    int64_t end = graph.counts.back();
    for (; begin < end; ++begin) {
      // Nodes lie anywhere, so that each would be waited for.
      static constexpr int64_t ahead = 8;
      if (begin + 2 * ahead < end) {
        edges.prefetchBegin(graph.nodes[begin + 2 * ahead]);
        edges.prefetchEdges(graph.nodes[begin + ahead]);
      }
      expand(graph.nodes[begin], wanted, position, graph);
      graph.rowPtr.push_back(static_cast<int32_t>(graph.source.size()));
    }
    graph.counts.push_back(static_cast<int64_t>(graph.nodes.size()));
  }
  for (int32_t node : graph.nodes)
    numbers[node] = -1;
}

} // namespace tessera::runtime
