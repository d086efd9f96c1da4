//===- FeatureInputs.h - Inputs that are dense features ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_FEATUREINPUTS_H
#define TESSERA_RUNTIME_DATA_FEATUREINPUTS_H

#include "runtime/data/FeaturePart.h"
#include "runtime/data/SparseInputs.h"
#include <functional>
#include <utility>
#include <vector>

namespace tessera::runtime {

/// Edges as a source has them, and what a model makes of them.
struct Edges {
  const EdgeSource &source;
  AdjacencyForm form;
  const NodeWeights &weights;
};

/// The inputs of a program that are dense features, themselves or what
/// neighbours make of them.
class FeatureInputs {
public:
  explicit FeatureInputs(const tessera_context &context) : context(context) {}

  /// Whether \p slot is one of these.
  bool add(const Slot &slot);

  /// Fills them: [nodes, columns] each, of which \p copy writes the features.
  /// Takes \p rows where the program has the edges, sorted already, among its
  /// inputs; else sorts \p edges, in memory that the program has for its steps
  /// and beyond that in memory of its own.
  void fill(int64_t nodes, int64_t columns, const SparseInputs &rows,
            const Edges &edges,
            const std::function<void(float *x)> &copy) const;

private:
  const tessera_context &context;
  std::vector<std::pair<const Slot *, FeaturePart>> inputs;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_FEATUREINPUTS_H
