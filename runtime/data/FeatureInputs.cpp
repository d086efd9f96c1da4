//===- FeatureInputs.cpp - Inputs that are dense features -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/FeatureInputs.h"
#include "runtime/data/FeatureSums.h"

namespace tessera::runtime {

bool FeatureInputs::add(const Slot &slot) {
  std::optional<FeaturePart> part = FeaturePart::named(slot.name);
  if (part)
    inputs.emplace_back(&slot, *part);
  return part.has_value();
}

namespace {

/// Compressed rows and their memory.
struct Rows {
  std::vector<int32_t> rowPtr, col;
  std::vector<float> weight;
  Rows(int64_t nodes, int64_t count)
      : rowPtr(nodes + 1), col(count), weight(count) {}
  SparseRows rows() { return {rowPtr.data(), col.data(), weight.data()}; }
};

} // namespace

void FeatureInputs::fill(int64_t nodes, int64_t columns,
                         const SparseInputs &rows, const Edges &edges,
                         const std::function<void(float *x)> &copy) const {
  std::optional<Rows> own;
  for (auto [slot, part] : inputs) {
    auto *x = beginInput<float>(context, *slot, nodes * columns);
    copy(x);
    SparseRows sorted = rows.rows();
    if (part.hops && rows.empty()) {
      if (!own) {
        int64_t count = countAdjacency(edges.source, edges.form);
        own.emplace(nodes, count);
        Rows transpose(nodes, count);
        buildAdjacency(edges.source, edges.form, edges.weights, own->rows(),
                       transpose.rows());
      }
      sorted = own->rows();
    }
    takeFromNeighbors(part, sorted, nodes, columns, x);
    context.device->commitInput(context, *slot);
  }
}

} // namespace tessera::runtime
