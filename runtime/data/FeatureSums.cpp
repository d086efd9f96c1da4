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

/// Row \p node of what \p combine(to, edge, row) makes of its neighbours' rows
/// of a block, \p from, \p to being \p start before the first; 0 without any.
template <typename Combine>
void reduceRow(SparseRows edges, int64_t node, const float *from, float start,
               Combine combine, float *to) {
  bool hasAny = edges.rowPtr[node] < edges.rowPtr[node + 1];
  std::fill_n(to, block, hasAny ? start : 0.0f);
  for (int32_t i = edges.rowPtr[node]; i < edges.rowPtr[node + 1]; ++i)
    combine(to, i, from + edges.col[i] * block);
}

/// Gives each node of \p features that of its neighbours, \p hops times; a
/// block of columns at a time is in \p from.
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
          float to[block];
          reduceRow(edges, node, from, start, combine, to);
          std::copy_n(to, width, features + node * columns + first);
        }
      });
    }
  }
}

/// The block \p width columns wide at column \p first of what \p hops hops make
/// of \p from for the nodes \p wanted, which become the first rows of
/// \p features. \p other is as large as \p from; both are overwritten.
template <typename Combine>
void reduceBlock(SparseRows edges, int64_t nodes,
                 std::span<const int32_t> wanted, int64_t hops, float *from,
                 float *other, float start, Combine combine,
                 const FeatureBlock &to) {
  for (int64_t hop = 1; hop < hops; ++hop) {
    parallelFor(nodes, 256, [&](int64_t begin, int64_t end) {
      for (int64_t node = begin; node < end; ++node)
        reduceRow(edges, node, from, start, combine, other + node * block);
    });
    std::swap(from, other);
  }
  parallelFor(std::ssize(wanted), 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      float row[block];
      const float *its = from + wanted[i] * block;
      if (hops) {
        reduceRow(edges, wanted[i], from, start, combine, row);
        its = row;
      }
      std::copy_n(its, to.width, to.features + i * to.columns + to.first);
    }
  });
}

/// Calls \p body(start, combine) with how \p part reduces rows over \p edges.
template <typename Body>
void withReduction(FeaturePart part, SparseRows edges, Body &&body) {
  if (part.isMaximum)
    return body(-std::numeric_limits<float>::infinity(),
                [](float *to, int32_t, const float *row) {
                  for (int64_t i = 0; i < block; ++i)
                    to[i] = std::max(to[i], row[i]);
                });
  body(0.0f, [edges](float *to, int32_t edge, const float *row) {
    for (int64_t i = 0; i < block; ++i)
      to[i] += edges.weight[edge] * row[i];
  });
}

} // namespace

void takeFromNeighbors(FeaturePart part, SparseRows edges, int64_t nodes,
                       int64_t columns, float *features, float *from) {
  withReduction(part, edges, [&](float start, auto combine) {
    reduceNeighbors(edges, nodes, columns, part.hops, features, from, start,
                    combine);
  });
}

void takeBlockFromNeighbors(FeaturePart part, SparseRows edges, int64_t nodes,
                            std::span<const int32_t> wanted, float *from,
                            float *other, const FeatureBlock &to) {
  withReduction(part, edges, [&](float start, auto combine) {
    reduceBlock(edges, nodes, wanted, part.hops, from, other, start, combine,
                to);
  });
}

} // namespace tessera::runtime
