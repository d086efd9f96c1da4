//===- Parts.h - Which elements a rank has ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A rank holds a group's parameters, gradients or moments whole or as a shard
// (docs/manifest.md). Ranges count elements.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PARTS_H
#define TESSERA_RUNTIME_PARTS_H

#include "runtime/Context.h"
#include <algorithm>
#include <cstdint>

namespace tessera {

/// Elements [begin, end) of a group or a parameter.
struct Range {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
  bool empty() const { return begin >= end; }
  Range moved(int64_t by) const { return {begin + by, end + by}; }
};

inline Range intersect(Range a, Range b) {
  return {std::max(a.begin, b.begin), std::min(a.end, b.end)};
}

/// The state of that kind; ends the process where the program has none.
const State &requireState(const tsr_context &context, StateKind kind,
                          int group);

/// Where the optimizer's parameters are: in the master of those that programs
/// read in 16 bits.
StateKind weightsKind(const tsr_context &context);

/// What \p rank holds of \p state, counted from the group's start. A group is
/// cut into padded / elements shards, one for each of as many consecutive
/// ranks.
Range heldRange(const State &state, const Group &group, int rank);

/// The part of it that \p rank of \p world writes to files: what several ranks
/// hold alike is shared out, so that each element is written once.
Range writtenRange(const State &state, const Group &group, int rank, int world);

/// A state's elements that belong to one parameter.
struct Part {
  Range range;       ///< counted from the parameter's start
  int64_t place = 0; ///< bytes from the arena's start
};

/// The part of \p parameter in the elements \p within of its group, where
/// \p state of this rank begins with element \p first of the group.
Part partOf(const Parameter &parameter, const State &state, Range within,
            int64_t first);

} // namespace tessera

#endif // TESSERA_RUNTIME_PARTS_H
