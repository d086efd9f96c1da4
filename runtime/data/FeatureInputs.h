//===- FeatureInputs.h - Inputs that are dense features ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_FEATUREINPUTS_H
#define TESSERA_RUNTIME_DATA_FEATUREINPUTS_H

#include "runtime/core/Scratch.h"
#include "runtime/data/FeaturePart.h"
#include "runtime/data/SparseInputs.h"
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace tessera::runtime {

/// Sorts \p edges, with the weights that \p form and \p weights say, in memory
/// of
/// \p scratch, of which the rows stay taken.
SparseRows sortIn(Scratch &scratch, const EdgeSource &edges, AdjacencyForm form,
                  const NodeWeights &weights);

/// Where features come from: \p copy writes all of them, [nodes, columns], and
/// \p copyColumns columns [first, first + width), [nodes, featureBlock].
struct FeatureSource {
  int64_t nodes, columns;
  std::function<void(float *x)> copy;
  std::function<void(int64_t first, int64_t width, float *block)> copyColumns;
};

/// The inputs of a program that are dense features, themselves or what
/// neighbours make of them.
class FeatureInputs {
public:
  explicit FeatureInputs(const tessera_context &context) : context(context) {}

  /// Whether \p slot is one of these.
  bool add(const Slot &slot);

  /// Whether one of them is what neighbours make of features.
  bool readsNeighbors() const;

  /// Fills them with \p source by means of the edges \p rows, where neighbours
  /// are read, and of memory of \p scratch. Inputs that have room for fewer
  /// rows than there are nodes get those of \p learned, which is all of them
  /// then.
  void fill(const FeatureSource &source, SparseRows rows,
            std::span<const int32_t> learned, Scratch &scratch) const;

private:
  void fillFew(const Slot &slot, FeaturePart part, const FeatureSource &source,
               SparseRows rows, std::span<const int32_t> learned,
               Scratch scratch) const;

  const tessera_context &context;
  std::vector<std::pair<const Slot *, FeaturePart>> inputs;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_FEATUREINPUTS_H
