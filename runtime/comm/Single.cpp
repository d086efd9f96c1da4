//===- Single.cpp - One rank alone ----------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Members.h"
#include "runtime/comm/Reduce.h"
#include "runtime/core/Threads.h"
#include "runtime/program/Communicator.h"
#include <cstring>

namespace tessera::runtime {
namespace {

/// Collectives of one rank are copies of its source.
class SingleCommunicator final : public Communicator {
public:
  char *allocateArena(const Program &wanted, OffloadFile *offload) override {
    program = &wanted;
    requireMemory(wanted.arenaBytes, ranksOnNode);
    return arena = mapPrivateArena(wanted, offload);
  }

  void start(int) override {}

  void wait(int id) override {
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

  void fence(int) override {}

  void exchange(const void *mine, void *all, size_t bytes) override {
    memcpy(all, mine, bytes);
  }

  void copyToRoot(int, int64_t offset, int64_t bytes,
                  char *destination) override {
    memcpy(destination, arena + offset, bytes);
  }

  bool markFailed() override { return true; }
  void finish() override {}
  const char *form() const override { return "none"; }

private:
  const Program *program = nullptr;
  char *arena = nullptr;
};

} // namespace
} // namespace tessera::runtime

tessera::runtime::Communicator *tessera_create_communicator(int) {
  return new tessera::runtime::SingleCommunicator;
}
