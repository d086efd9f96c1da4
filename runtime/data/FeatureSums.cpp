//===- FeatureSums.cpp - Sums of features ahead of time -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/FeatureSums.h"
#include "runtime/core/Threads.h"
#include <algorithm>
#include <vector>

namespace tessera::runtime {

void sumNeighbors(SparseRows edges, int64_t nodes, int64_t columns,
                  int64_t hops, float *features) {
  if (hops == 0)
    return;
  constexpr int64_t block = 8;
  std::vector<float> from(nodes * block);
  for (int64_t first = 0; first < columns; first += block) {
    int64_t width = std::min(block, columns - first);
    for (int64_t hop = 0; hop < hops; ++hop) {
      for (int64_t node = 0; node < nodes; ++node)
        std::copy_n(features + node * columns + first, width,
                    from.data() + node * block);
      parallelFor(nodes, 256, [&](int64_t begin, int64_t end) {
        for (int64_t node = begin; node < end; ++node) {
          float sums[block] = {};
          for (int32_t i = edges.rowPtr[node]; i < edges.rowPtr[node + 1];
               ++i) {
            const float *row = from.data() + edges.col[i] * block;
            for (int64_t column = 0; column < block; ++column)
              sums[column] += edges.weight[i] * row[column];
          }
          std::copy_n(sums, width, features + node * columns + first);
        }
      });
    }
  }
}

void sumNeighbors(const EdgeSource &edges, AdjacencyForm form,
                  const NodeWeights &weights, int64_t columns, int64_t hops,
                  float *features) {
  if (hops == 0)
    return;
  int64_t nodes = edges.nodeCount(), count = countAdjacency(edges, form);
  struct Memory {
    std::vector<int32_t> rowPtr, col;
    std::vector<float> weight;
    Memory(int64_t nodes, int64_t count)
        : rowPtr(nodes + 1), col(count), weight(count) {}
    SparseRows rows() { return {rowPtr.data(), col.data(), weight.data()}; }
  };
  Memory rows(nodes, count), transpose(nodes, count);
  buildAdjacency(edges, form, weights, rows.rows(), transpose.rows());
  sumNeighbors(rows.rows(), nodes, columns, hops, features);
}

} // namespace tessera::runtime
