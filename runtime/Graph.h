//===- Graph.h - A graph and its splits -------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_GRAPH_H
#define TESSERA_RUNTIME_GRAPH_H

#include "runtime/Data.h"
#include "runtime/Safetensors.h"
#include <vector>

namespace tessera {

/// Compressed rows: row i has the columns col[rowPtr[i] .. rowPtr[i + 1]),
/// ascending.
struct SparseRows {
  std::vector<int32_t> rowPtr, col;
  std::vector<float> weight;
};

/// The edges of a graph as rows over targets and as the transpose.
struct Adjacency {
  SparseRows rows, transpose;
};

/// Builds both from \p edges pairs source -> target. With \p selfLoops every
/// node gets one edge to itself (an existing one stays and is not doubled).
/// \p symmetric weighs an edge j -> i by (d_i d_j)^-1/2, where d counts the
/// edges into a node (Kipf and Welling, "Semi-supervised classification with
/// graph convolutional networks", ICLR 2017); else by 1.
Adjacency buildAdjacency(int64_t nodes, const std::vector<int32_t> &sources,
                         const std::vector<int32_t> &targets, bool selfLoops,
                         bool symmetric);

/// A safetensors file with x [nodes, features], edge_index [2, edges], y
/// [nodes], and train_mask, val_mask, test_mask [nodes].
class Graph {
public:
  /// Ends the process where the file does not fit the model.
  Graph(const Manifest &manifest, const std::string &path);

  /// The nodes of a split: "train", "val" or "test".
  const std::vector<int32_t> &split(const std::string &name) const;

  /// Fills the inputs that depend on the graph alone: features, row_ptr, col,
  /// weight and their transposes. False for other names.
  bool fill(const Slot &slot, char *address) const;

  /// Fills classes for nodes [begin, end) of \p split, -100 for all others.
  void fillTargets(const Slot &slot, char *address, const std::string &split,
                   int64_t begin, int64_t end) const;

  const std::string &path() const { return filePath; }

private:
  std::string filePath;
  int64_t nodes;
  std::unique_ptr<SafetensorsFile> file;
  const Tensor *features = nullptr; ///< stays in the file
  std::vector<int32_t> classes;
  Adjacency adjacency;
  std::vector<int32_t> splits[3];
};

std::unique_ptr<BatchSource> openGraphBatches(const Manifest &manifest,
                                              const std::string &path, int rank,
                                              int ranks);

} // namespace tessera

#endif // TESSERA_RUNTIME_GRAPH_H
