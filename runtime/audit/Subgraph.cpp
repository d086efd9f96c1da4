//===- Subgraph.cpp - Graphs made from another graph ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Subgraph.h"
#include "runtime/audit/Draws.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace tessera::runtime {

namespace {

/// Gathers edges into blocks.
template <typename Visit> class Gathering {
public:
  Gathering(Visit visit, void *body) : visit(visit), body(body) {}

  void add(int32_t source, int32_t target, float weight) {
    block.source[block.count] = source;
    block.target[block.count] = target;
    block.weight[block.count] = weight;
    if (++block.count == EdgeBlock::room)
      flush();
  }
  void flush() {
    if (block.count)
      visit(body, block);
    block.count = 0;
  }

private:
  Visit visit;
  void *body;
  EdgeBlock block;
};

} // namespace

InducedEdges::InducedEdges(const EdgeSource &whole,
                           std::span<const int32_t> nodes)
    : whole(whole), count(std::ssize(nodes)), numbers(whole.nodeCount(), -1) {
  for (size_t i = 0; i < nodes.size(); ++i)
    numbers[nodes[i]] = static_cast<int32_t>(i);
}

void InducedEdges::visitEdges(Visit visit, void *body) const {
  Gathering gathering(visit, body);
  whole.forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i) {
      int32_t source = numbers[block.source[i]];
      int32_t target = numbers[block.target[i]];
      if (source >= 0 && target >= 0)
        gathering.add(source, target, block.weight[i]);
    }
  });
  gathering.flush();
}

SampledEdges::SampledEdges(const EdgeSource &whole, int64_t neighbors,
                           uint64_t seed, uint64_t query)
    : whole(whole) {
  std::vector<int64_t> degrees = inDegrees(whole);
  begin.resize(degrees.size() + 1);
  std::partial_sum(degrees.begin(), degrees.end(), begin.begin() + 1);
  isKept.assign(begin.back(), false);
  std::vector<uint32_t> places;
  for (size_t node = 0; node < degrees.size(); ++node) {
    int64_t kept = std::min(neighbors, degrees[node]);
    if (kept == degrees[node]) {
      std::fill_n(isKept.begin() + begin[node], kept, true);
      continue;
    }
    places.resize(degrees[node]);
    std::iota(places.begin(), places.end(), 0);
    Draws draws(seed, Draw::Neighbors, query, node);
    draws.shuffle(std::span(places), kept);
    for (int64_t i = 0; i < kept; ++i)
      isKept[begin[node] + places[i]] = true;
  }
}

void SampledEdges::visitEdges(Visit visit, void *body) const {
  Gathering gathering(visit, body);
  // The incoming edge of each node that comes next.
  std::vector<int64_t> next(begin.begin(), begin.end() - 1);
  whole.forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i) {
      int32_t source = block.source[i], target = block.target[i];
      if (source == target || isKept[next[target]++])
        gathering.add(source, target, block.weight[i]);
    }
  });
  gathering.flush();
}

std::string capacityError(const std::string &graph, int64_t edges,
                          int64_t capacity) {
  return graph + " has " + std::to_string(edges) +
         " edges and the executable has room for " + std::to_string(capacity) +
         ": compile it with audit.edge_capacity " + std::to_string(edges) +
         " or more, or with 0 for all edges";
}

std::vector<int64_t> inDegrees(const EdgeSource &edges) {
  std::vector<int64_t> degrees(edges.nodeCount());
  edges.forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i)
      degrees[block.target[i]] += block.source[i] != block.target[i];
  });
  edges.release();
  return degrees;
}

std::vector<double> nodeHomophily(const EdgeSource &edges,
                                  std::span<const int32_t> labels) {
  std::vector<double> same(edges.nodeCount()), all(edges.nodeCount());
  edges.forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i) {
      int32_t source = block.source[i], target = block.target[i];
      if (source == target || labels[source] < 0 || labels[target] < 0)
        continue;
      same[target] += labels[source] == labels[target];
      all[target] += 1;
    }
  });
  edges.release();
  for (size_t node = 0; node < same.size(); ++node)
    same[node] = all[node] > 0 ? same[node] / all[node] : std::nan("");
  return same;
}

} // namespace tessera::runtime
