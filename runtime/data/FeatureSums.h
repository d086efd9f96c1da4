//===- FeatureSums.h - Sums of features ahead of time -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_FEATURESUMS_H
#define TESSERA_RUNTIME_DATA_FEATURESUMS_H

#include "runtime/data/Adjacency.h"
#include "runtime/data/FeaturePart.h"
#include "runtime/data/SortRoom.h"
#include <span>

namespace tessera::runtime {

/// Makes \p features, [nodes, columns], what \p part says of them, \p edges
/// being the graph's \p nodes rows, by means of \p from, [nodes, featureBlock].
void takeFromNeighbors(FeaturePart part, SparseRows edges, int64_t nodes,
                       int64_t columns, float *features, float *from);

/// `width` columns from column `first` on of rows of `columns` features.
struct FeatureBlock {
  float *features;
  int64_t columns, first, width;
};

/// Writes to the block \p to of the first rows what \p part says of these
/// columns, \p from, [nodes, featureBlock], for the nodes \p wanted. \p from
/// and
/// \p other, as large, are overwritten.
void takeBlockFromNeighbors(FeaturePart part, SparseRows edges, int64_t nodes,
                            std::span<const int32_t> wanted, float *from,
                            float *other, const FeatureBlock &to);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_FEATURESUMS_H
