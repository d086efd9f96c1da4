//===- AuditGraph.h - The graph that an audit is about ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_AUDITGRAPH_H
#define TESSERA_RUNTIME_COMMANDS_AUDITGRAPH_H

#include "runtime/data/Adjacency.h"
#include "runtime/data/Data.h"
#include "runtime/data/GraphFile.h"
#include "runtime/data/SampledInputs.h"
#include "runtime/program/Context.h"
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tessera::runtime {

/// A graph of which models train on parts and are asked about others.
class AuditGraph {
public:
  /// As the model of \p manifest reads it. Exits the process where the file
  /// \p path is not the graph, of \p nodes nodes and \p edges edges, that it is
  /// compiled for.
  AuditGraph(const Manifest &manifest, int64_t nodes, int64_t edges,
             const std::string &path);

  const GraphFile &file() const { return *graph; }
  const std::vector<int32_t> &labels() const { return classes; }
  /// The classes of \p nodes.
  std::vector<int32_t> labelsOf(std::span<const int32_t> nodes) const;

  /// All nodes in their order.
  std::span<const int32_t> allNodes() const { return everyNode; }

  /// Fills the inputs of \p context's program that are a graph: \p edges among
  /// \p nodes, of which \p edges numbers the first 0. Inputs that \p slots
  /// names alone. Null, or the first of them that has another name. Exits the
  /// process where the program has too little room for the edges.
  const Slot *load(const tessera_context &context,
                   const std::vector<const Slot *> &slots,
                   const EdgeSource &edges,
                   std::span<const int32_t> nodes) const;
  /// All inputs of a program that predicts.
  void load(const tessera_context &context, const EdgeSource &edges,
            std::span<const int32_t> nodes) const;

private:
  const Model model; ///< As compiled for the subgraph that it trains on.
  AdjacencyForm form;
  std::unique_ptr<GraphFile> graph;
  /// Writes the features of \p nodes as rows of a matrix.
  void copyFeatures(std::span<const int32_t> nodes, float *destination) const;
  void copyFeatures(std::span<const int32_t> nodes, SparseRows rows) const;

  /// Of all nodes: [nodes, model.features], or where they are sparse, the
  /// columns and values of each node's.
  std::vector<float> features, values;
  std::vector<int32_t> rowPtr, columns;
  std::vector<int32_t> classes, everyNode;
};

/// Training on the labels of all nodes of a subgraph: at each step of all of
/// them, or of some with neighbourhoods that are sampled from the subgraph.
class SubgraphBatches final : public BatchSource {
public:
  /// \p edges and \p nodes as of AuditGraph::load, for a model with \p manifest
  /// that samples by \p seed. Exits the process where it has too little room
  /// for the edges.
  SubgraphBatches(const AuditGraph &graph, const EdgeSource &edges,
                  std::span<const int32_t> nodes, const Manifest &manifest,
                  uint64_t seed);

  const Slot *load(const tessera_context &context,
                   const std::vector<const Slot *> &slots) override {
    if (sampled)
      sampled->start();
    return graph.load(context, slots, edges, nodes);
  }
  bool fill(const Slot &slot, char *address, const GlobalBatch &batch,
            int64_t micro) override;
  float scale(const GlobalBatch &batch) const override {
    return sampled
               ? sampled->scale(batch)
               : static_cast<float>(1.0 / static_cast<double>(nodes.size()));
  }
  int64_t tokens(const GlobalBatch &) const override { return 0; }
  std::string describe() const override { return graph.file().path(); }

private:
  const AuditGraph &graph;
  const EdgeSource &edges;
  std::span<const int32_t> nodes;
  /// Where the model samples: by the subgraph's numbers.
  std::vector<int32_t> labels, numbers;
  std::optional<SampledInputs> sampled;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_AUDITGRAPH_H
