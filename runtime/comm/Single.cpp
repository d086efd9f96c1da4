//===- Single.cpp - One rank alone ----------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Single.h"
#include "runtime/comm/Reduce.h"
#include "runtime/core/Threads.h"
#include <cstring>

namespace tessera::runtime {

char *SingleCommunicator::allocateArena(const Program &wanted,
                                        OffloadFile *offload) {
  program = &wanted;
  requireMemory(wanted.arenaBytes, ranksOnNode);
  return arena = mapPrivateArena(wanted, offload);
}

void SingleCommunicator::wait(int id) {
  const Collective &collective = program->collectives[id];
  const char *source = arena + collective.source;
  char *destination = arena + collective.destination;
  if (collective.inPlace)
    return;
  RankSum sum = {collective.type, collective.destinationType, &source, 1,
                 destination,     collective.accumulate,      false};
  parallelFor(collective.elements, 4096,
              [&](int64_t begin, int64_t end) { sumRanks(sum, begin, end); });
}

void SingleCommunicator::exchangeBytes(const void *mine, void *all,
                                       size_t bytes) {
  memcpy(all, mine, bytes);
}

void SingleCommunicator::copyToRoot(int, int64_t offset, int64_t bytes,
                                    char *destination) {
  memcpy(destination, arena + offset, bytes);
}

} // namespace tessera::runtime
