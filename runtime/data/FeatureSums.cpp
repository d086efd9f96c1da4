//===- FeatureSums.cpp - Sums of features ahead of time -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/FeatureSums.h"
#include "runtime/core/Threads.h"
#include <algorithm>
#include <limits>

namespace tessera::runtime {

namespace {

constexpr int64_t block = featureBlock;

/// Gives each node what \p combine(to, edge, row) makes of the rows of its
/// neighbours, \p to being \p start before the first, \p hops times; a block of
/// columns at a time is in \p from.
template <typename Combine>
void reduceNeighbors(SparseRows edges, int64_t nodes, int64_t columns,
                     int64_t hops, float *features, float *from, float start,
                     Combine combine) {
  for (int64_t first = 0; first < columns; first += block) {
    int64_t width = std::min(block, columns - first);
    for (int64_t hop = 0; hop < hops; ++hop) {
      for (int64_t node = 0; node < nodes; ++node)
        std::copy_n(features + node * columns + first, width,
                    from + node * block);
      parallelFor(nodes, 256, [&](int64_t begin, int64_t end) {
        for (int64_t node = begin; node < end; ++node) {
          float to[block] = {};
          if (edges.rowPtr[node] < edges.rowPtr[node + 1])
            std::fill_n(to, block, start);
          for (int32_t i = edges.rowPtr[node]; i < edges.rowPtr[node + 1]; ++i)
            combine(to, i, from + edges.col[i] * block);
          std::copy_n(to, width, features + node * columns + first);
        }
      });
    }
  }
}

} // namespace

void takeFromNeighbors(FeaturePart part, SparseRows edges, int64_t nodes,
                       int64_t columns, float *features, float *from) {
  if (part.isMaximum)
    return reduceNeighbors(edges, nodes, columns, part.hops, features, from,
                           -std::numeric_limits<float>::infinity(),
                           [](float *to, int32_t, const float *row) {
                             for (int64_t i = 0; i < block; ++i)
                               to[i] = std::max(to[i], row[i]);
                           });
  if (part.hops)
    reduceNeighbors(edges, nodes, columns, part.hops, features, from, 0,
                    [&](float *to, int32_t edge, const float *row) {
                      for (int64_t i = 0; i < block; ++i)
                        to[i] += edges.weight[edge] * row[i];
                    });
}

} // namespace tessera::runtime
