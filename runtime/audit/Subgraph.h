//===- Subgraph.h - Graphs made from another graph --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_SUBGRAPH_H
#define TESSERA_RUNTIME_AUDIT_SUBGRAPH_H

#include "runtime/data/EdgeSource.h"
#include <span>
#include <string>
#include <vector>

namespace tessera::runtime {

/// The edges among some nodes, which are numbered 0 to n - 1 in their order; an
/// edge stays where both its ends do. Adjacency.h weighs it as a graph of its
/// own, so that degrees count only what is in it.
class InducedEdges final : public EdgeSource {
public:
  /// \p nodes of \p whole, none of them twice. \p whole must outlive this.
  InducedEdges(const EdgeSource &whole, std::span<const int32_t> nodes);

  int64_t nodeCount() const override { return count; }
  const char *weightName() const override { return whole.weightName(); }
  const std::string &path() const override { return whole.path(); }
  void release() const override { whole.release(); }

private:
  void visitEdges(Visit visit, void *body) const override;

  const EdgeSource &whole;
  int64_t count;
  std::vector<int32_t> numbers; ///< of the nodes of whole; -1: not in it
};

/// All nodes, with at most k of the edges into each: query-neighbourhood
/// sampling, the defense NSD of Olatunji, Nejdl and Khosla ("Membership
/// inference attack on graph neural networks", 2021, section 6). Of a node's d
/// incoming edges min(k, d) are kept, chosen uniformly without replacement, so
/// that no node loses all; edges that are there several times count so often.
/// Its edges to itself are kept and not counted. Edges that go out of a node
/// are not limited: a kept edge j -> i does not need i -> j to be kept. Degrees
/// follow from what is kept, as Adjacency.h makes them of this source.
class SampledEdges final : public EdgeSource {
public:
  /// The choice of query number \p query, the same whenever it is gone through;
  /// \p neighbors, k, is at least 1. \p whole must outlive this. Takes one bit
  /// for an edge and 12 bytes for a node.
  SampledEdges(const EdgeSource &whole, int64_t neighbors, uint64_t seed,
               uint64_t query);

  int64_t nodeCount() const override { return whole.nodeCount(); }
  const char *weightName() const override { return whole.weightName(); }
  const std::string &path() const override { return whole.path(); }
  void release() const override { whole.release(); }

private:
  void visitEdges(Visit visit, void *body) const override;

  const EdgeSource &whole;
  std::vector<int64_t> begin; ///< where a node's incoming edges are in isKept
  std::vector<bool> isKept;
};

/// Nodes alone: the ablation NO_EDGES.
class NoEdges final : public EdgeSource {
public:
  /// \p whole must outlive this.
  explicit NoEdges(const EdgeSource &whole) : whole(whole) {}

  int64_t nodeCount() const override { return whole.nodeCount(); }
  const char *weightName() const override { return nullptr; }
  const std::string &path() const override { return whole.path(); }

private:
  void visitEdges(Visit, void *) const override {}

  const EdgeSource &whole;
};

/// What the error says where a graph of an audit has more edges than the
/// executable has room for: how many, and how to get more.
std::string capacityError(const std::string &graph, int64_t edges,
                          int64_t capacity);

/// The number of edges into each node of \p edges, those to itself left out.
std::vector<int64_t> inDegrees(const EdgeSource &edges);

/// For each node the share of its incoming edges, without those to itself, that
/// come from a node of its class; NaN where it has none, or no class. Edges
/// from nodes without a class do not count.
std::vector<double> nodeHomophily(const EdgeSource &edges,
                                  std::span<const int32_t> labels);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_SUBGRAPH_H
