//===- NeighborSampler.h - Sampled neighbourhoods of a graph ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The rules are those of PyTorch Geometric's NeighborLoader (Hamilton, Ying,
// Leskovec: "Inductive representation learning on large graphs", NeurIPS 2017,
// with a fan-out for each hop).
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_NEIGHBORSAMPLER_H
#define TESSERA_RUNTIME_DATA_NEIGHBORSAMPLER_H

#include "runtime/data/EdgeSource.h"
#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

namespace tessera::runtime {

class RandomSequence;

/// Memory that arrays lie in; the heap by default.
using Memory = std::pmr::memory_resource *;

/// The edges into each node of a graph, in host memory.
class InEdges {
public:
  /// Those of \p edges, of each node in the order of the source; with their
  /// weights where \p weighted. Fewer than 2^31. All but weights lie in
  /// \p memory.
  InEdges(const EdgeSource &edges, bool weighted,
          Memory memory = std::pmr::get_default_resource());

  int64_t nodes() const { return static_cast<int64_t>(begins.size()) - 1; }
  int64_t edges() const { return begins.back(); }
  bool isWeighted() const { return weighted; }
  /// Where the edges into \p node begin; they end where the next node's do.
  int32_t begin(int64_t node) const { return begins[node]; }
  int64_t degree(int64_t node) const { return begins[node + 1] - begins[node]; }
  /// The largest degree.
  int64_t mostInto() const { return most; }
  int32_t source(int64_t edge) const { return sources[edge]; }
  float weight(int64_t edge) const { return weighted ? weights[edge] : 1.0f; }

  /// Has memory fetch where the edges into \p node are, and, once that is
  /// there, the first of them.
  void prefetchBegin(int64_t node) const {
    __builtin_prefetch(begins.data() + node);
  }
  void prefetchEdges(int64_t node) const {
    __builtin_prefetch(sources.data() + begins[node]);
  }

private:
  bool weighted;
  int64_t most = 0;
  std::pmr::vector<int32_t> begins; ///< [nodes + 1]
  std::pmr::vector<int32_t> sources;
  std::vector<float> weights; ///< empty unless weighted
};

/// A subgraph that was sampled. It numbers its nodes: the seeds first, then in
/// the order in which they were found. So what is within h hops is a prefix.
struct SampledGraph {
  /// How many nodes are within h hops of the seeds, for h from 0 to the hops.
  std::vector<int64_t> counts;
  std::pmr::vector<int32_t> nodes;  ///< numbers in the whole graph
  std::pmr::vector<int32_t> rowPtr; ///< sampled edges into a node, those of the
                                    ///< nodes whose neighbours were drawn
  std::pmr::vector<int32_t> source; ///< by this subgraph's numbers
  std::pmr::vector<float> weight;   ///< as the file has it, else 1

  /// An empty one in \p memory.
  static SampledGraph in(Memory memory) {
    return {{},
            std::pmr::vector<int32_t>(memory),
            std::pmr::vector<int32_t>(memory),
            std::pmr::vector<int32_t>(memory),
            std::pmr::vector<float>(memory)};
  }

  /// Nodes whose neighbours were drawn: all within a hop less.
  int64_t expanded() const { return counts[counts.size() - 2]; }
  int64_t edges() const { return rowPtr[expanded()]; }

  bool operator==(const SampledGraph &) const = default;
};

/// How neighbours are drawn.
struct FanOut {
  /// How many of the edges into a node, for each hop; -1: all.
  std::vector<int64_t> counts;
  /// Each edge is drawn from all of them, so that some come several times.
  bool replace = false;
};

/// Draws neighbourhoods: hop h + 1 expands the nodes first found by hop h, at
/// hop 0 the seeds. Of a node's d incoming edges min(k, d) are drawn without
/// replacement, each set equally likely, in the order in which Floyd's
/// algorithm meets them (Bentley and Floyd, "A sample of brilliance", 1987);
/// all of them where k is -1. With replacement k are, also where d < k, but
/// none where d is 0. Edges that are there several times and edges of a node to
/// itself are edges like others. Only edges that were drawn are in the
/// subgraph.
///
/// The draws of a node are a function of the seed, the position and the node:
/// so they are the same whoever samples what before.
class NeighborSampler {
public:
  /// \p edges must outlive this. Takes 4 bytes for a node, in \p memory, and a
  /// bit for each of the most edges into one.
  NeighborSampler(const InEdges &edges, FanOut fanOut, uint64_t seed,
                  Memory memory = std::pmr::get_default_resource());

  /// Samples around \p seeds, none of them twice, at the place \p position,
  /// below 2^60, of the order of the data. Allocates nothing where \p graph has
  /// room.
  void sample(std::span<const int32_t> seeds, uint64_t position,
              SampledGraph &graph);

  int64_t hops() const { return static_cast<int64_t>(fanOut.counts.size()); }
  /// Bytes that the sampler and \p edges take beside the subgraphs.
  int64_t bytes() const;

private:
  /// Adds the edges drawn into \p node.
  void expand(int32_t node, int64_t wanted, uint64_t position,
              SampledGraph &graph);
  void add(int64_t edge, SampledGraph &graph);
  int32_t numberOf(int32_t node, SampledGraph &graph);

  const InEdges &edges;
  FanOut fanOut;
  uint64_t seed;
  std::pmr::vector<int32_t>
      numbers;                    ///< of nodes in the subgraph; -1: not in it
  std::vector<uint64_t> isChosen; ///< bits, of the edges into one node
  std::vector<int32_t> chosen;    ///< those of them that are set
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_NEIGHBORSAMPLER_H
