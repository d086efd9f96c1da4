//===- Parts.h - Which elements a rank has ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A rank holds a group's parameters, gradients or other states whole or as a
// shard (docs/manifest.md). Ranges count elements.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PROGRAM_PARTS_H
#define TESSERA_RUNTIME_PROGRAM_PARTS_H

#include "runtime/core/Threads.h"
#include "runtime/program/Context.h"
#include <algorithm>
#include <cstdint>

namespace tessera::runtime {

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

/// The state of that name; exits the process where the program has none.
const State &requireState(const tessera_context &context,
                          const std::string &name, int group);

/// Where the optimizer's parameters are: in the master of those that programs
/// read in 16 bits.
const std::string &weightsState(const tessera_context &context);

/// What \p rank holds of \p state, counted from the group's start. A group is
/// cut into padded / elements shards, one for each of as many consecutive
/// ranks.
Range heldRange(const State &state, const Group &group, int rank);

/// The part of it that \p rank of \p world writes to files: what several ranks
/// hold alike is shared out, so that each element is written once.
Range writtenRange(const State &state, const Group &group, int rank, int world);

/// A state's elements that belong to one parameter, or one part of it.
struct Part {
  Range range;       ///< counted from the tensor's start
  int64_t place = 0; ///< bytes from the arena's start
};

/// The part of \p tensor in the elements \p within of its group, where
/// \p state of this rank begins with element \p first of the group.
Part partOf(const GroupTensor &tensor, const State &state, Range within,
            int64_t first);

/// Has \p body write the elements [begin, end) of a parameter to \p address,
/// rounded to \p type from floats that it writes elsewhere where that has 16
/// bits.
template <typename Body>
void fillElements(ElementType type, char *address, int64_t begin, int64_t end,
                  Body &body) {
  if (type == ElementType::F32)
    return body(reinterpret_cast<float *>(address), begin, end);
  constexpr int64_t most = 1024;
  float numbers[most];
  for (int64_t count, at = begin; at < end; at += count) {
    count = std::min(most, end - at);
    body(numbers, at, at + count);
    fromFloats(type, numbers, count, address + (at - begin) * sizeOf(type));
  }
}

/// Calls \p body(first, begin, end) in parallel to write the elements [begin,
/// end) of the parameter, which are in \p part of \p state, to \p first; where
/// the state has 16 bits they are rounded from there.
template <typename Body>
void fillPart(const tessera_context &context, const State &state,
              const Part &part, Body body) {
  if (part.range.empty())
    return;
  int64_t size = sizeOf(state.type);
  context.device->write(context.arena + part.place, size * part.range.size(),
                        [&](char *host, int64_t firstByte, int64_t lastByte) {
                          int64_t origin = part.range.begin + firstByte / size;
                          int64_t count = (lastByte - firstByte) / size;
                          parallelFor(
                              count, 1 << 14, [&](int64_t from, int64_t to) {
                                fillElements(state.type, host + from * size,
                                             origin + from, origin + to, body);
                              });
                        });
}

/// Takes \p bytes at \p place of the arena out of memory where they lie in a
/// file (runtime/program/Offload.h), so that reading or writing all states
/// never has all of them there.
void releaseOffloaded(const tessera_context &context, int64_t place,
                      int64_t bytes);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_PROGRAM_PARTS_H
