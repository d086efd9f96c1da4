//===- SampleRoom.h - Room for sampled neighbourhoods -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How many nodes and edges a micro-batch of sampled neighbourhoods has at most.
// The compiler gives the train program that much room, and the sampler fills as
// much of it as it draws.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_SAMPLEROOM_H
#define TESSERA_RUNTIME_DATA_SAMPLEROOM_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tessera::runtime {

/// Of a graph and how it is sampled: see training.sampling in spec.proto.
struct SampleSizes {
  int64_t nodes = 0, edges = 0; ///< the graph's, directed, without self-loops
  std::vector<int64_t> fanOut;  ///< by hop from the seeds; -1: all
  int64_t batch = 0;            ///< seeds
  bool replace = false;
};

/// A sparse matrix that has room for so much: the sampled edges into the first
/// `rows` of the micro-batch's nodes, from its first `columns`.
struct BlockRoom {
  int64_t rows = 0, columns = 0, entries = 0;
};

/// Counts above this stand for any larger one: indices are 32-bit.
inline constexpr int64_t sampleRoomLimit = int64_t(1) << 31;

/// Room for a micro-batch.
class SampleRoom {
public:
  explicit SampleRoom(const SampleSizes &sizes) {
    auto limited = [](int64_t count) {
      return std::min(count, sampleRoomLimit);
    };
    bool repeats = false; ///< an edge may have been drawn twice
    int64_t within = sizes.batch, edgesWithin = 0;
    int64_t frontier = within; ///< nodes that are new at this hop
    nodes.push_back(within);
    for (int64_t fanOut : sizes.fanOut) {
      bool takesAll = fanOut < 0;
      int64_t drawn =
          takesAll ? sizes.edges : limited(limited(frontier) * limited(fanOut));
      if (takesAll || !sizes.replace)
        drawn = std::min(drawn, sizes.edges);
      else
        repeats = true;
      edgesWithin = limited(edgesWithin + drawn);
      // A node's edges are drawn from once.
      if (!repeats)
        edgesWithin = std::min(edgesWithin, sizes.edges);
      within = std::min(sizes.nodes, within + drawn);
      frontier = std::min(within, drawn);
      nodes.push_back(within);
      edges.push_back(edgesWithin);
    }
  }

  /// Nodes within \p hop hops of the seeds, from 0 to the number of layers.
  int64_t nodesWithin(size_t hop) const { return nodes[hop]; }
  /// Sampled edges into nodes within \p hop hops, below the number of layers.
  int64_t edgesWithin(size_t hop) const { return edges[hop]; }

  size_t layers() const { return edges.size(); }

  /// What \p layer works on, 0 being the one that reads the features.
  /// \p selfLoops: each row has an entry more.
  BlockRoom block(size_t layer, bool selfLoops) const {
    size_t hop = layers() - 1 - layer;
    return {nodes[hop], nodes[hop + 1],
            edges[hop] + (selfLoops ? nodes[hop] : 0)};
  }

private:
  std::vector<int64_t> nodes, edges;
};

/// How a sampled micro-batch is kept.
struct SampleForm {
  bool selfLoops = false, symmetric = false;
  std::vector<bool> transposed; ///< by layer: whether its block has a transpose
};

/// Bytes of a micro-batch of \p batch seeds with \p room: its seeds, its
/// subgraph, and its blocks with their weights.
inline int64_t microBatchBytes(const SampleRoom &room, int64_t batch,
                               const SampleForm &form) {
  size_t layers = room.layers();
  int64_t nodes = room.nodesWithin(layers);
  int64_t starts = room.nodesWithin(layers - 1) + 1;
  int64_t elements = batch + nodes + starts + 2 * room.edgesWithin(layers - 1) +
                     starts + 2 * room.block(0, form.selfLoops).entries +
                     (form.symmetric ? nodes : 0);
  for (size_t layer = 0; layer < layers; ++layer)
    if (form.transposed[layer])
      elements += nodes + 1 + 2 * room.block(layer, form.selfLoops).entries;
  return 4 * elements;
}

/// Bytes of what sampling takes of a graph without weights, of \p nodes nodes
/// and \p edges edges, beside a few for the largest degree: its edges by the
/// nodes where they end, numbers of nodes, and two micro-batches.
inline int64_t samplingBytes(int64_t nodes, int64_t edges,
                             const SampleRoom &room, int64_t batch,
                             const SampleForm &form) {
  return 4 * (nodes + 1 + edges + nodes) +
         2 * microBatchBytes(room, batch, form);
}

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_SAMPLEROOM_H
