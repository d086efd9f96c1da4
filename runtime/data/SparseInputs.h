//===- SparseInputs.h - Inputs that are a sparse matrix ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_SPARSEINPUTS_H
#define TESSERA_RUNTIME_DATA_SPARSEINPUTS_H

#include "runtime/core/Error.h"
#include "runtime/data/Adjacency.h"
#include "runtime/program/Context.h"
#include "runtime/program/SlotNames.h"
#include <cinttypes>
#include <vector>

namespace tessera::runtime {

/// The address at which the device of \p context has \p slot written, which
/// must have room for \p elements.
template <typename Element>
Element *beginInput(const tessera_context &context, const Slot &slot,
                    int64_t elements) {
  if (slot.elements() < elements)
    fatal("input '%s' holds %" PRId64 " elements, the graph has %" PRId64,
          slot.name.c_str(), slot.elements(), elements);
  return reinterpret_cast<Element *>(context.device->beginInput(context, slot));
}

/// The inputs of a program that are a sparse matrix: compressed rows, and those
/// of its transpose.
class SparseInputs {
public:
  SparseInputs(const tessera_context &context, slotNames::MatrixNames names)
      : context(context), names(names) {}

  /// Has the input \p slot written where it is one of these. The matrix has
  /// \p rows rows, \p columns columns and at most \p entries entries.
  bool begin(const Slot &slot, int64_t rows, int64_t columns, int64_t entries);

  bool empty() const { return begun.empty(); }
  const SparseRows &rows() const { return parts[0]; }
  const SparseRows &transpose() const { return parts[1]; }

  /// The rows that there is room for.
  int64_t rowCount() const { return rowRoom; }

  /// Exits the process where one of them is missing.
  void requireAll() const;

  void commit() const {
    for (const Slot *slot : begun)
      context.device->commitInput(context, *slot);
  }

private:
  const tessera_context &context;
  slotNames::MatrixNames names;
  SparseRows parts[2];
  int64_t rowRoom = 0;
  std::vector<const Slot *> begun;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_SPARSEINPUTS_H
