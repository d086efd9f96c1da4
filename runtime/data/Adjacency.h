//===- Adjacency.h - A graph's edges as compressed rows ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_ADJACENCY_H
#define TESSERA_RUNTIME_DATA_ADJACENCY_H

#include "runtime/data/EdgeSource.h"
#include <cstdint>
#include <string>
#include <vector>

namespace tessera::runtime {

/// What a model makes of a graph's edges.
struct AdjacencyForm {
  /// Every node has one edge to itself: of those in the file, where there are
  /// some, the last, else one of weight 1.
  bool selfLoops = true;
  /// An edge j -> i of weight w weighs d_j^-1/2 w d_i^-1/2, where d is the sum
  /// of the weights of the edges into a node, and 0 where d is 0; else w (Kipf
  /// and Welling, "Semi-supervised classification with graph convolutional
  /// networks", ICLR 2017; PyTorch Geometric's gcn_norm for weights and loops).
  bool symmetric = true;
  /// Not symmetric: an edge weighs 1 over the number of edges into its node, or
  /// 1. What the file has of weights is not read.
  bool mean = false, ones = false;

  bool readsWeights() const { return !mean && !ones; }
};

/// What the weights of edges take from their nodes.
struct NodeWeights {
  /// Of the edge of each node to itself; empty where there is none to add, or
  /// all of them weigh 1.
  std::vector<float> loop;
  /// d^-1/2; empty where weights are not normalised, or d counts edges and
  /// follows from the rows.
  std::vector<float> factor;
};

/// Computes them for \p edges. False with the reason, which names the node, in
/// \p error where a d is negative or not finite.
bool weighNodes(const EdgeSource &edges, AdjacencyForm form, NodeWeights &nodes,
                std::string &error);

/// Compressed rows in memory of the caller: row i of n has the columns
/// col[rowPtr[i] .. rowPtr[i + 1]), ascending, those that are equal in the
/// order of the source.
struct SparseRows {
  int32_t *rowPtr = nullptr; ///< [n + 1]
  int32_t *col = nullptr;    ///< edges and self-loops
  float *weight = nullptr;   ///< as many
};

/// The edges that buildAdjacency() writes of \p edges, self-loops included.
int64_t countAdjacency(const EdgeSource &edges, AdjacencyForm form);

/// Writes \p edges as \p rows, a row for each target, and as
/// \p transpose, a row for each source. Takes memory for one float per node
/// beside theirs.
void buildAdjacency(const EdgeSource &edges, AdjacencyForm form,
                    const NodeWeights &nodes, SparseRows rows,
                    SparseRows transpose);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_ADJACENCY_H
