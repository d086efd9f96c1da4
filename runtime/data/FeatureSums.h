//===- FeatureSums.h - Sums of features ahead of time -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_FEATURESUMS_H
#define TESSERA_RUNTIME_DATA_FEATURESUMS_H

#include "runtime/data/Adjacency.h"

namespace tessera::runtime {

/// Makes \p features, [nodes, columns], \p hops times what a weighted sum over
/// the neighbours makes of them, \p edges being the graph's \p nodes rows.
/// Takes memory for some columns of all nodes beside theirs.
void sumNeighbors(SparseRows edges, int64_t nodes, int64_t columns,
                  int64_t hops, float *features);

/// The same by \p edges, whose rows it builds in memory of its own; nothing for
/// 0 \p hops. \p form and \p weights as of buildAdjacency().
void sumNeighbors(const EdgeSource &edges, AdjacencyForm form,
                  const NodeWeights &weights, int64_t columns, int64_t hops,
                  float *features);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_FEATURESUMS_H
