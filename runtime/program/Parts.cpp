//===- Parts.cpp - Which elements a rank has ------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/Parts.h"
#include "runtime/core/Error.h"
#include "runtime/program/Offload.h"
#include <unistd.h>

namespace tessera::runtime {

const State &requireState(const tessera_context &context,
                          const std::string &name, int group) {
  const State *state = context.program->state(name, group);
  if (!state)
    fatal("the embedded manifest lacks the state '%s' of group %d in program "
          "'%s'",
          name.c_str(), group, context.program->name.c_str());
  return *state;
}

const std::string &weightsState(const tessera_context &context) {
  return context.program->state(masterState, 0) ? masterState : parameterState;
}

static int64_t shardCount(const State &state, const Group &group) {
  return state.sharded && state.elements > 0 ? group.padded / state.elements
                                             : 1;
}

Range heldRange(const State &state, const Group &group, int rank) {
  int64_t begin = rank % shardCount(state, group) * state.elements;
  return {begin, begin + state.elements};
}

Range writtenRange(const State &state, const Group &group, int rank,
                   int world) {
  Range held = heldRange(state, group, rank);
  int64_t shards = shardCount(state, group);
  int64_t holders = std::max<int64_t>(1, world / shards);
  // Multiples of a cache line, as everything in the arena.
  int64_t share = (held.size() + holders - 1) / holders;
  share = (share + 15) / 16 * 16;
  int64_t begin = held.begin + rank / shards * share;
  return intersect({begin, begin + share}, held);
}

Part partOf(const GroupTensor &tensor, const State &state, Range within,
            int64_t first) {
  Range whole = {tensor.offset, tensor.offset + tensor.elements()};
  Range inGroup = intersect(whole, within);
  return {inGroup.moved(-tensor.offset),
          state.offset + sizeOf(state.type) * (inGroup.begin - first)};
}

void releaseOffloaded(const tessera_context &context, int64_t place,
                      int64_t bytes) {
  if (!context.offload || place < context.program->offloadOffset)
    return;
  static const int64_t page = sysconf(_SC_PAGESIZE);
  char *end = context.arena + (place + bytes) / page * page;
  char *begin = context.arena + (place + page - 1) / page * page;
  if (begin < end)
    context.offload->evict(begin, end - begin);
}

} // namespace tessera::runtime
