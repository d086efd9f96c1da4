//===- Adjacency.cpp - A graph's edges as compressed rows -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Edges are sorted by being dealt to rows three times, each time in the order
// of the time before: to the transpose in the order of the source, to the rows
// in the order of their columns, and back. No comparison is made, and what is
// dealt lies in the result's own memory.
//
//===----------------------------------------------------------------------===//

#include "runtime/data/Adjacency.h"
#include <algorithm>
#include <cmath>
#include <cstring>

namespace tessera::runtime {

bool weighNodes(const EdgeSource &edges, AdjacencyForm form, NodeWeights &nodes,
                std::string &error) {
  nodes = {};
  if (!edges.weightName() || !form.readsWeights())
    return true;
  int64_t count = edges.nodeCount();
  if (form.selfLoops)
    nodes.loop.assign(count, 1.0f);
  // Rounded once, as many weights may be added.
  std::vector<double> degree(form.symmetric ? count : 0, 0.0);
  edges.forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i)
      if (form.selfLoops && block.source[i] == block.target[i])
        nodes.loop[block.target[i]] = block.weight[i];
      else if (form.symmetric)
        degree[block.target[i]] += block.weight[i];
  });
  edges.release();
  if (!form.symmetric)
    return true;
  nodes.factor.resize(count);
  for (int64_t node = 0; node < count; ++node) {
    auto sum = static_cast<float>(degree[node] +
                                  (form.selfLoops ? nodes.loop[node] : 0));
    if (!(sum >= 0) || !std::isfinite(sum)) {
      error = "the graph '" + edges.path() +
              "' cannot be used: the weights in '" + edges.weightName() +
              "' of the edges into node " + std::to_string(node) +
              (form.selfLoops ? ", its edge to itself included," : "") +
              " have the sum " + std::to_string(sum) +
              ", whose root normalization SYMMETRIC takes; change them, or "
              "give normalization: NONE";
      return false;
    }
    nodes.factor[node] = sum > 0 ? 1.0f / std::sqrt(sum) : 0.0f;
  }
  return true;
}

namespace {

/// Rows that edges are dealt to.
template <bool isWeighted> class Dealing {
public:
  Dealing(SparseRows rows, int64_t count) : rows(rows), count(count) {}

  /// With rowPtr[i + 1] being the size of row i: makes it the row's begin.
  void begin() {
    int32_t at = 0;
    for (int64_t row = 0; row < count; ++row) {
      int32_t size = rows.rowPtr[row + 1];
      rows.rowPtr[row] = at;
      at += size;
    }
    rows.rowPtr[count] = at;
  }

  /// Deals edge i of \p edges to the row keys[i], in their order.
  /// \p columnOf(i) is its column, \p weightOf(i) its weight.
  template <typename Column, typename Weight>
  void deal(const int32_t *keys, int64_t edges, Column columnOf,
            Weight weightOf) {
    for (int64_t i = 0; i < edges; ++i) {
      prefetch(keys, i, edges);
      // The end of what has been dealt to the row.
      int32_t at = rows.rowPtr[keys[i]]++;
      rows.col[at] = columnOf(i);
      if (isWeighted)
        rows.weight[at] = weightOf(i);
    }
  }

  /// Each row's begin again: all rows are full, and end where the next begins.
  void end() {
    memmove(rows.rowPtr + 1, rows.rowPtr, sizeof(int32_t) * count);
    rows.rowPtr[0] = 0;
  }

  /// Deals what \p other has, row by row.
  void transposeOf(const SparseRows &other) {
    int64_t row = 0;
    deal(
        other.col, other.rowPtr[count],
        [&](int64_t i) {
          while (i >= other.rowPtr[row + 1])
            ++row;
          return static_cast<int32_t>(row);
        },
        [&](int64_t i) { return other.weight[i]; });
    end();
  }

private:
  /// Rows are met at random, so that each would be waited for: asks for what
  /// edges after \p i will need.
  void prefetch(const int32_t *keys, int64_t i, int64_t edges) const {
    static constexpr int64_t ahead = 16;
    if (i + 2 * ahead >= edges)
      return;
    __builtin_prefetch(rows.rowPtr + keys[i + 2 * ahead], 1);
    int32_t at = rows.rowPtr[keys[i + ahead]];
    __builtin_prefetch(rows.col + at, 1);
    if (isWeighted)
      __builtin_prefetch(rows.weight + at, 1);
  }

  SparseRows rows;
  int64_t count;
};

} // namespace

/// Writes the weights of \p rows of a graph that has none.
static void weighEdges(SparseRows rows, int64_t count,
                       const std::vector<float> &factor) {
  if (factor.empty()) {
    std::fill_n(rows.weight, rows.rowPtr[count], 1.0f);
    return;
  }
  for (int64_t row = 0; row < count; ++row)
    for (int32_t i = rows.rowPtr[row]; i < rows.rowPtr[row + 1]; ++i)
      rows.weight[i] = factor[row] * factor[rows.col[i]];
}

/// Sorts \p edges, with the weights that follow from those there.
template <bool isWeighted>
static void sortEdges(const EdgeSource &edges, bool selfLoops,
                      const NodeWeights &nodes, SparseRows rows,
                      SparseRows transpose) {
  int64_t count = edges.nodeCount();
  for (SparseRows each : {rows, transpose})
    std::fill_n(each.rowPtr, count + 1, selfLoops ? 1 : 0);
  edges.forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i) {
      if (selfLoops && block.source[i] == block.target[i])
        continue;
      ++rows.rowPtr[block.target[i] + 1];
      ++transpose.rowPtr[block.source[i] + 1];
    }
  });
  Dealing<isWeighted> toRows(rows, count), toTranspose(transpose, count);
  toTranspose.begin();
  EdgeBlock kept;
  auto dealKept = [&] {
    toTranspose.deal(
        kept.source, kept.count, [&](int64_t i) { return kept.target[i]; },
        [&](int64_t i) { return kept.weight[i]; });
    kept.count = 0;
  };
  auto keep = [&](int32_t source, int32_t target, float weight) {
    if (isWeighted && !nodes.factor.empty())
      weight = nodes.factor[source] * weight * nodes.factor[target];
    kept.source[kept.count] = source;
    kept.target[kept.count] = target;
    kept.weight[kept.count] = weight;
    if (++kept.count == EdgeBlock::room)
      dealKept();
  };
  edges.forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i)
      if (!selfLoops || block.source[i] != block.target[i])
        keep(block.source[i], block.target[i], block.weight[i]);
  });
  if (selfLoops)
    for (int64_t i = 0; i < count; ++i) {
      auto node = static_cast<int32_t>(i);
      keep(node, node, nodes.loop.empty() ? 1.0f : nodes.loop[node]);
    }
  dealKept();
  edges.release();
  toTranspose.end();
  toRows.begin();
  toRows.transposeOf(transpose);
  toTranspose.transposeOf(rows);
}

int64_t countAdjacency(const EdgeSource &edges, AdjacencyForm form) {
  int64_t count = form.selfLoops ? edges.nodeCount() : 0;
  edges.forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i)
      count += !form.selfLoops || block.source[i] != block.target[i];
  });
  edges.release();
  return count;
}

/// Makes the weights of the \p count rows of a graph a mean's.
static void weighMean(SparseRows rows, SparseRows transpose, int64_t count) {
  auto inverse = [&](int64_t row) {
    return 1.0f / static_cast<float>(rows.rowPtr[row + 1] - rows.rowPtr[row]);
  };
  for (int64_t row = 0; row < count; ++row) {
    std::fill(rows.weight + rows.rowPtr[row],
              rows.weight + rows.rowPtr[row + 1], inverse(row));
    for (int32_t i = transpose.rowPtr[row]; i < transpose.rowPtr[row + 1]; ++i)
      transpose.weight[i] = inverse(transpose.col[i]);
  }
}

void buildAdjacency(const EdgeSource &edges, AdjacencyForm form,
                    const NodeWeights &nodes, SparseRows rows,
                    SparseRows transpose) {
  if (edges.weightName() && form.readsWeights())
    return sortEdges<true>(edges, form.selfLoops, nodes, rows, transpose);
  sortEdges<false>(edges, form.selfLoops, nodes, rows, transpose);
  int64_t count = edges.nodeCount();
  if (form.mean)
    return weighMean(rows, transpose, count);
  std::vector<float> factor(form.symmetric ? count : 0);
  for (size_t node = 0; node < factor.size(); ++node) {
    int32_t degree = rows.rowPtr[node + 1] - rows.rowPtr[node];
    factor[node] = degree ? 1.0f / std::sqrt(static_cast<float>(degree)) : 0.0f;
  }
  weighEdges(rows, count, factor);
  weighEdges(transpose, count, factor);
}

} // namespace tessera::runtime
