//===- Graph.h - A graph and its splits -------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_GRAPH_H
#define TESSERA_RUNTIME_DATA_GRAPH_H

#include "runtime/data/Adjacency.h"
#include "runtime/data/Data.h"
#include "runtime/data/Features.h"
#include "runtime/data/GraphFile.h"
#include "runtime/data/SparseInputs.h"
#include "runtime/program/Context.h"
#include <vector>

namespace tessera::runtime {

/// The class of a node that does not count.
inline constexpr int32_t ignoredTarget = -100;

/// What \p model makes of edges.
AdjacencyForm adjacencyFormOf(const Model &model);

/// Exits the process where \p file is not the graph that \p model says, for
/// which what \p compiled names ("model") was compiled.
void requireShape(const Model &model, const GraphFile &file,
                  const char *compiled);

/// A graph file that fits a model.
class Graph {
public:
  /// Exits the process where the file does not fit the model. Warns of what
  /// nothing uses, unless it is said already.
  Graph(const Manifest &manifest, const std::string &path, bool warns = true);

  /// Why nothing can be learned from it; empty where something can.
  std::string trainingError() const { return file->trainingError(); }

  /// The nodes of a split: "train", "val" or "test".
  const std::vector<int32_t> &split(const std::string &name) const;

  /// The class of each node.
  const std::vector<int32_t> &labels() const { return classes; }
  /// Its edges, until load.
  const EdgeSource &edges() const { return *file; }

  /// Fills \p slots of \p context's program, which depend on the graph alone:
  /// features, row_ptr, col, weight and their transposes, or sparse features'
  /// arrays; edges are sorted in the inputs' own memory. Null, or the first
  /// slot that has another name. Called once: what the file takes is given back
  /// then.
  const Slot *load(const tessera_context &context,
                   const std::vector<const Slot *> &slots);

  /// Fills classes for nodes [begin, end) of \p split, -100 for all others.
  void fillTargets(const Slot &slot, char *address, const std::string &split,
                   int64_t begin, int64_t end) const;

  const std::string &path() const { return filePath; }
  /// Nodes, edges as the file has them and what they are like, on a line. Reads
  /// all edges. Empty after load.
  std::string describeShape() const;
  /// The file, how many nodes each split has, and what weighs the edges.
  std::string describe() const;
  DataFingerprint fingerprint() const;

private:
  /// Fills \p last with the edges of \p rows into training nodes.
  void fillLast(const SparseInputs &last, SparseRows rows) const;
  /// These edges, with loops where the form has them.
  int64_t countLearnedEdges() const;

  const Model model;
  std::string filePath, weightName;
  AdjacencyForm form;
  FeatureForm featureForm;
  std::unique_ptr<GraphFile> file; ///< until load
  NodeWeights nodes;               ///< until load
  std::vector<int32_t> classes;
  std::vector<int32_t> splits[3];
};

std::unique_ptr<BatchSource> openGraphBatches(const Manifest &manifest,
                                              const std::string &path, int rank,
                                              int ranks);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_GRAPH_H
