//===- CommunicatorTest.cpp - Tests of the communication ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs under mpirun with several ranks, once for each form (TESSERA_COMM).
// Every rank knows what the others hold, so each checks its results against
// sums in rank order, to the bit.
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Threads.h"
#include "test/runtime/comm/CollectiveCases.h"
#include <gtest/gtest.h>
#include <vector>

using namespace tessera::runtime;

namespace {

int ranksGiven() { return atoi(getenv("OMPI_COMM_WORLD_SIZE")); }

/// One arena for all tests: MPI starts and ends once per process.
class World : public testing::Environment {
public:
  void SetUp() override {
    communicator = tessera_create_communicator(ranksGiven());
    setThreads(2);
    // Of several pieces of the staging buffer.
    int64_t elements = 96000;
    addCollectives(program, communicator->size(), elements, Sums::All);
    // So large that they are written past the caches.
    elements *= 12;
    for (ElementType type : {ElementType::F32, ElementType::Bf16}) {
      addCollective(program, CollectiveKind::AllGather, elements, false, false,
                    type, type);
      addCollective(program, CollectiveKind::AllReduce, elements, false, false,
                    type, type);
      addCollective(program, CollectiveKind::ReduceScatter, elements, false,
                    true, type, ElementType::F32);
    }
    arena = communicator->allocateArena(program, nullptr);
  }
  void TearDown() override {
    communicator->finish();
    delete communicator;
  }

  Communicator *communicator = nullptr;
  Program program;
  char *arena = nullptr;
};
World *world;

/// The arena is the host's own memory.
class HostMirror final : public Mirror {
public:
  void push(int64_t, int64_t) override {}
  void pull(int64_t, int64_t) override {}
};

TEST(Communicator, CollectivesSumInRankOrder) {
  HostMirror mirror;
  mirror.host = world->arena;
  for (const Collective &collective : world->program.collectives)
    checkCollective(*world->communicator, mirror, collective);
}

TEST(Communicator, CollectsWhatEachGives) {
  Communicator &communicator = *world->communicator;
  // 0, 100, 200 and 300 bytes: a rank without any, and parts of pieces.
  auto given = [](int rank) {
    return std::string(rank * 100, char('a' + rank));
  };
  std::vector<std::string> all =
      communicator.collect(given(communicator.rank()));
  ASSERT_EQ(std::ssize(all), communicator.size());
  for (int rank = 0; rank < communicator.size(); ++rank)
    EXPECT_EQ(all[rank], given(rank));
}

TEST(Communicator, StartedTogetherAwaitedLater) {
  Communicator &communicator = *world->communicator;
  int ranks = communicator.size(), own = communicator.rank();
  const Collective &sum = world->program.collectives[5];
  const Collective &gather = world->program.collectives[0];
  std::vector<int> all = membersOf(sum, own, ranks);
  int64_t shard = gather.elements / ranks;
  for (int round = 0; round < 20; ++round) {
    auto *terms = reinterpret_cast<float *>(world->arena + sum.source);
    auto *parts = reinterpret_cast<float *>(world->arena + gather.source);
    terms[0] = valueOf(own, round, 0);
    parts[0] = valueOf(own, round, 1);
    communicator.start(sum.id);
    communicator.start(gather.id);
    communicator.wait(gather.id);
    communicator.wait(sum.id);
    auto *gathered =
        reinterpret_cast<float *>(world->arena + gather.destination);
    for (int rank = 0; rank < ranks; ++rank)
      ASSERT_EQ(gathered[rank * shard], valueOf(rank, round, 1));
    ASSERT_EQ(*reinterpret_cast<float *>(world->arena + sum.destination),
              sumOf<float>(all, round, 0));
    communicator.fence(sum.id);
    communicator.fence(gather.id);
  }
}

TEST(Communicator, ExchangeKeepsRanksTogether) {
  Communicator &communicator = *world->communicator;
  std::vector<int64_t> all(communicator.size());
  for (int64_t round = 0; round < 1000; ++round) {
    int64_t mine = communicator.rank() * 10000 + round;
    communicator.exchange(&mine, all.data(), sizeof mine);
    for (int rank = 0; rank < communicator.size(); ++rank)
      ASSERT_EQ(all[rank], rank * 10000 + round);
  }
  EXPECT_FALSE(communicator.any(false));
  EXPECT_TRUE(communicator.any(communicator.rank() == 1));
}

TEST(Communicator, RootReadsEveryArena) {
  Communicator &communicator = *world->communicator;
  auto *numbers = reinterpret_cast<float *>(world->arena);
  for (int i = 0; i < 100; ++i)
    numbers[i] = valueOf(communicator.rank(), 0, i);
  communicator.barrier();
  for (int rank = 0; rank < communicator.size(); ++rank) {
    float copy[90];
    communicator.copyToRoot(rank, 40, sizeof copy,
                            reinterpret_cast<char *>(copy));
    if (communicator.isRoot())
      for (int i = 0; i < 90; ++i)
        ASSERT_EQ(copy[i], valueOf(rank, 0, 10 + i));
  }
  communicator.barrier();
}

} // namespace

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  world = static_cast<World *>(testing::AddGlobalTestEnvironment(new World));
  return RUN_ALL_TESTS();
}
