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

namespace tessera::runtime {

/// Columns that sums are taken of at a time.
inline constexpr int64_t featureBlock = 8;

/// Makes \p features, [nodes, columns], what \p part says of them, \p edges
/// being the graph's \p nodes rows, by means of \p from, [nodes, featureBlock].
void takeFromNeighbors(FeaturePart part, SparseRows edges, int64_t nodes,
                       int64_t columns, float *features, float *from);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_FEATURESUMS_H
