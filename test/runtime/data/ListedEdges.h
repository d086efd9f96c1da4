//===- ListedEdges.h - Graphs of nodes and edges for tests ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_RUNTIME_DATA_LISTEDEDGES_H
#define TESSERA_TEST_RUNTIME_DATA_LISTEDEDGES_H

#include "runtime/data/EdgeSource.h"
#include <compare>
#include <utility>
#include <vector>

struct Edge {
  int32_t source, target;
  float weight = 1;
  auto operator<=>(const Edge &) const = default;
};
using Edges = std::vector<Edge>;

/// A graph of nodes and edges alone.
class ListedEdges final : public tessera::runtime::EdgeSource {
public:
  ListedEdges(int64_t nodes, Edges edges, bool weighted = false)
      : nodes(nodes), edges(std::move(edges)), weighted(weighted) {}
  int64_t nodeCount() const override { return nodes; }
  const char *weightName() const override {
    return weighted ? "edge_weight" : nullptr;
  }
  const std::string &path() const override { return name; }

private:
  void visitEdges(Visit visit, void *body) const override {
    tessera::runtime::EdgeBlock block;
    for (const Edge &edge : edges) {
      block.count = 1;
      block.source[0] = edge.source;
      block.target[0] = edge.target;
      block.weight[0] = edge.weight;
      visit(body, block);
    }
  }
  int64_t nodes;
  Edges edges;
  bool weighted;
  std::string name = "listed";
};

#endif // TESSERA_TEST_RUNTIME_DATA_LISTEDEDGES_H
