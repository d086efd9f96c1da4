//===- FeatureInputs.cpp - Inputs that are dense features -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/FeatureInputs.h"
#include "runtime/core/Scratch.h"
#include "runtime/data/FeatureSums.h"

namespace tessera::runtime {

bool FeatureInputs::add(const Slot &slot) {
  std::optional<FeaturePart> part = FeaturePart::named(slot.name);
  if (part)
    inputs.emplace_back(&slot, *part);
  return part.has_value();
}

/// Compressed rows in \p scratch.
static SparseRows takeRows(Scratch &scratch, int64_t nodes, int64_t count) {
  return {scratch.take<int32_t>(nodes + 1), scratch.take<int32_t>(count),
          scratch.take<float>(count)};
}

void FeatureInputs::fill(int64_t nodes, int64_t columns,
                         const SparseInputs &rows, const Edges &edges,
                         const std::function<void(float *x)> &copy) const {
  Scratch scratch(context.device->spareMemory(context));
  SparseRows sorted = rows.rows();
  float *from = nullptr;
  for (auto [slot, part] : inputs) {
    auto *x = beginInput<float>(context, *slot, nodes * columns);
    if (part.hops && rows.empty() && !sorted.rowPtr) {
      int64_t count = countAdjacency(edges.source, edges.form);
      sorted = takeRows(scratch, nodes, count);
      // The transpose, which sorting takes, has a place where x will be.
      Scratch later(
          {reinterpret_cast<char *>(x), sizeof(float) * nodes * columns});
      buildAdjacency(edges.source, edges.form, edges.weights, sorted,
                     takeRows(later, nodes, count));
    }
    if (part.hops && !from)
      from = scratch.take<float>(nodes * featureBlock);
    copy(x);
    takeFromNeighbors(part, sorted, nodes, columns, x, from);
    context.device->commitInput(context, *slot);
  }
}

} // namespace tessera::runtime
