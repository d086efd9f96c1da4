//===- FeatureInputs.cpp - Inputs that are dense features -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/FeatureInputs.h"
#include "runtime/data/FeatureSums.h"
#include <algorithm>

namespace tessera::runtime {

bool FeatureInputs::add(const Slot &slot) {
  std::optional<FeaturePart> part = FeaturePart::named(slot.name);
  if (part)
    inputs.emplace_back(&slot, *part);
  return part.has_value();
}

SparseRows sortIn(Scratch &scratch, const EdgeSource &edges, AdjacencyForm form,
                  const NodeWeights &weights) {
  int64_t nodes = edges.nodeCount(), count = countAdjacency(edges, form);
  auto take = [&](Scratch &from) -> SparseRows {
    auto *rowPtr = from.take<int32_t>(nodes + 1);
    auto *col = from.take<int32_t>(count);
    return {rowPtr, col, from.take<float>(count)};
  };
  SparseRows rows = take(scratch);
  Scratch rest = scratch.rest();
  buildAdjacency(edges, form, weights, rows, take(rest));
  return rows;
}

bool FeatureInputs::readsNeighbors() const {
  return std::any_of(inputs.begin(), inputs.end(),
                     [](const auto &input) { return input.second.hops > 0; });
}

void FeatureInputs::fill(const FeatureSource &source, SparseRows rows,
                         std::span<const int32_t> learned,
                         Scratch &scratch) const {
  int64_t elements = source.nodes * source.columns;
  float *from = nullptr;
  for (auto [slot, part] : inputs) {
    if (slot->elements() < elements && !learned.empty()) {
      fillFew(*slot, part, source, rows, learned, scratch.rest());
    } else {
      auto *x = beginInput<float>(context, *slot, elements);
      if (part.hops && !from)
        from = scratch.take<float>(source.nodes * featureBlock);
      source.copy(x);
      takeFromNeighbors(part, rows, source.nodes, source.columns, x, from);
    }
    context.device->commitInput(context, *slot);
  }
}

void FeatureInputs::fillFew(const Slot &slot, FeaturePart part,
                            const FeatureSource &source, SparseRows rows,
                            std::span<const int32_t> learned,
                            Scratch scratch) const {
  int64_t columns = source.columns;
  int64_t filled = std::ssize(learned) * columns;
  auto *x = beginInput<float>(context, slot, filled);
  std::fill(x + filled, x + slot.elements(), 0.0f);
  auto *from = scratch.take<float>(source.nodes * featureBlock);
  auto *other = scratch.take<float>(source.nodes * featureBlock);
  for (int64_t first = 0; first < columns; first += featureBlock) {
    int64_t width = std::min(featureBlock, columns - first);
    source.copyColumns(first, width, from);
    takeBlockFromNeighbors(part, rows, source.nodes, learned, from, other,
                           {x, columns, first, width});
  }
}

} // namespace tessera::runtime
