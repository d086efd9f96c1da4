//===- SparseInputs.cpp - Inputs that are a sparse matrix -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/SparseInputs.h"
#include <algorithm>

namespace tessera::runtime {

bool SparseInputs::begin(const Slot &slot, int64_t rows, int64_t columns,
                         int64_t entries) {
  size_t which =
      std::find(names.begin(), names.end(), slot.name) - names.begin();
  if (which == names.size())
    return false;
  SparseRows &part = parts[which / 3];
  if (which == 0)
    rowRoom = slot.elements() - 1;
  if (which % 3 == 0)
    part.rowPtr =
        beginInput<int32_t>(context, slot, (which == 0 ? rows : columns) + 1);
  else if (which % 3 == 1)
    part.col = beginInput<int32_t>(context, slot, entries);
  else
    part.weight = beginInput<float>(context, slot, entries);
  begun.push_back(&slot);
  return true;
}

void SparseInputs::requireAll() const {
  for (const SparseRows &part : parts)
    if (!part.rowPtr || !part.col || !part.weight)
      fatal("the embedded manifest lacks inputs of the graph's edges or "
            "features: compile the specification again");
}

} // namespace tessera::runtime
