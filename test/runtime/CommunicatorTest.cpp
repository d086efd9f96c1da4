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

#include "runtime/Communicator.h"
#include "runtime/Float16.h"
#include "runtime/Threads.h"
#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <unistd.h>
#include <vector>

using namespace tessera;

namespace {

int ranksGiven() { return atoi(getenv("OMPI_COMM_WORLD_SIZE")); }

/// Element \p i of what \p rank holds in round \p round: of magnitudes so
/// different that the order of a sum shows in its last bits.
float valueOf(int rank, int round, int64_t i) {
  uint32_t hash = static_cast<uint32_t>(i) * 0x9E3779B9u +
                  static_cast<uint32_t>(rank * 31 + round) * 0x85EBCA6Bu;
  hash = (hash ^ hash >> 15) * 0x2C1B3C6Du;
  hash ^= hash >> 12;
  float magnitude = static_cast<float>(1 << hash % 16);
  return static_cast<float>(static_cast<int32_t>(hash)) * 0x1p-31f * magnitude;
}

/// One arena for all tests: MPI starts and ends once a process.
class World : public testing::Environment {
public:
  void SetUp() override {
    communicator = tessera_create_communicator(ranksGiven());
    setThreads(2);
    // Of several pieces of the staging buffer.
    elements = 96000;
    auto take = [&](int64_t count, int64_t size) {
      int64_t at = program.arenaBytes;
      program.arenaBytes += (count * size + 63) / 64 * 64;
      return at;
    };
    auto add = [&](CollectiveKind kind, bool inPlace, bool accumulate,
                   ElementType type, ElementType destinationType,
                   int members = 0, int step = 1) {
      Collective collective;
      collective.id = static_cast<int>(program.collectives.size());
      collective.kind = kind;
      collective.elements = elements;
      collective.ranks = members;
      collective.step = step;
      collective.type = type;
      collective.destinationType = destinationType;
      collective.inPlace = inPlace;
      collective.accumulate = accumulate;
      collective.source = take(elements, sizeOf(type));
      collective.destination =
          inPlace ? collective.source : take(elements, sizeOf(destinationType));
      // Each set of ranks takes its own part of one buffer.
      if (inPlace && step > 1) {
        collective.elements /= step;
        collective.stride = collective.elements * sizeOf(type);
      }
      program.collectives.push_back(collective);
    };
    for (ElementType type : {ElementType::f32, ElementType::f64,
                             ElementType::bf16, ElementType::f16}) {
      add(CollectiveKind::allGather, false, false, type, type);
      add(CollectiveKind::allGather, true, false, type, type);
      add(CollectiveKind::reduceScatter, false, false, type, type);
      add(CollectiveKind::reduceScatter, true, false, type, type);
      add(CollectiveKind::reduceScatter, false, true, type, type);
      add(CollectiveKind::allReduce, false, false, type, type);
    }
    for (ElementType type : {ElementType::bf16, ElementType::f16})
      for (bool accumulate : {false, true})
        add(CollectiveKind::reduceScatter, false, accumulate, type,
            ElementType::f32);
    add(CollectiveKind::allGather, false, false, ElementType::i8,
        ElementType::i8);
    add(CollectiveKind::allGather, true, false, ElementType::i8,
        ElementType::i8);
    // The grid of two replicas of two shards, along either axis.
    if (communicator->size() == 4)
      for (int step : {1, 2})
        for (ElementType type : {ElementType::f32, ElementType::f64}) {
          add(CollectiveKind::allGather, false, false, type, type, 2, step);
          add(CollectiveKind::allGather, true, false, type, type, 2, step);
          add(CollectiveKind::reduceScatter, false, false, type, type, 2, step);
          add(CollectiveKind::reduceScatter, true, false, type, type, 2, step);
          add(CollectiveKind::reduceScatter, false, true, type, type, 2, step);
          add(CollectiveKind::allReduce, false, false, type, type, 2, step);
        }
    // So large that they are written past the caches.
    elements *= 12;
    for (ElementType type : {ElementType::f32, ElementType::bf16}) {
      add(CollectiveKind::allGather, false, false, type, type);
      add(CollectiveKind::allReduce, false, false, type, type);
      add(CollectiveKind::reduceScatter, false, true, type, ElementType::f32);
    }
    arena = communicator->allocateArena(program, nullptr);
  }
  void TearDown() override { communicator->finish(); }

  Communicator *communicator = nullptr;
  Program program;
  char *arena = nullptr;
  int64_t elements = 0;
};
World *world;

double widen(double number) { return number; }
float widen(float number) { return number; }
float widen(BFloat16 number) { return toFloat(number); }
float widen(Float16 number) { return toFloat(number); }
double widen(int8_t number) { return number; }

/// \p number as an element in memory.
template <typename Element> Element narrow(double number) {
  return static_cast<Element>(number);
}
template <> BFloat16 narrow(double number) {
  return toBFloat16(static_cast<float>(number));
}
template <> Float16 narrow(double number) {
  return toFloat16(static_cast<float>(number));
}
template <> int8_t narrow(double number) {
  return static_cast<int8_t>(static_cast<int64_t>(1000 * number));
}

/// The sum of elements that hold valueOf, in the type that sums have.
template <typename Element>
auto sumOf(const std::vector<int> &ranks, int round, int64_t i) {
  auto sum = widen(narrow<Element>(valueOf(ranks[0], round, i)));
  for (size_t rank = 1; rank < ranks.size(); ++rank)
    sum += widen(narrow<Element>(valueOf(ranks[rank], round, i)));
  return sum;
}

/// The ranks that run \p collective with this one, and this one.
std::vector<int> membersOf(const Collective &collective) {
  int ranks = world->communicator->size(), own = world->communicator->rank();
  int stretch = (collective.ranks ? collective.ranks : ranks) * collective.step;
  std::vector<int> members;
  for (int rank = 0; rank < ranks; ++rank)
    if (rank / stretch == own / stretch &&
        rank % collective.step == own % collective.step)
      members.push_back(rank);
  return members;
}

/// Fills sources, runs the collective, checks the destinations; the ranks
/// race through the rounds as fast as fences allow.
template <typename Element, typename Result>
void check(const Collective &collective) {
  Communicator &communicator = *world->communicator;
  std::vector<int> members = membersOf(collective);
  int ranks = static_cast<int>(members.size()), rank = communicator.rank();
  int64_t own =
      std::find(members.begin(), members.end(), rank) - members.begin();
  int64_t count = collective.elements, shard = count / ranks;
  char *base = world->arena + rank % collective.step * collective.stride;
  auto *source = reinterpret_cast<Element *>(base + collective.source);
  auto *result = reinterpret_cast<Result *>(base + collective.destination);
  bool gather = collective.kind == CollectiveKind::allGather;
  bool scatter = collective.kind == CollectiveKind::reduceScatter;
  if (scatter && collective.inPlace)
    result += own * shard;
  // Not a number of few bits: a sum that is rounded before it is added to what
  // the destination holds has other bits.
  auto held = [](int round) { return narrow<Result>(round + 0.7123); };
  for (int round = 0; round < 3; ++round) {
    Element *filled =
        gather && collective.inPlace ? source + own * shard : source;
    for (int64_t i = 0; i < (gather ? shard : count); ++i)
      filled[i] = narrow<Element>(valueOf(rank, round, i));
    if (collective.accumulate)
      std::fill_n(result, shard, held(round));
    if ((own + round) % ranks == 0)
      usleep(2000);
    communicator.start(collective.id);
    communicator.wait(collective.id);
    for (int64_t i = 0; i < (scatter ? shard : count); ++i) {
      Result expected;
      if (gather) {
        expected =
            narrow<Result>(valueOf(members[i / shard], round, i % shard));
      } else {
        auto sum =
            sumOf<Element>(members, round, scatter ? own * shard + i : i);
        if (collective.accumulate)
          sum += widen(held(round));
        expected = narrow<Result>(sum);
      }
      ASSERT_EQ(widen(result[i]), widen(expected))
          << "collective " << collective.id << ", round " << round << ", " << i;
    }
    communicator.fence(collective.id);
  }
}

TEST(Communicator, CollectivesSumInRankOrder) {
  for (const Collective &collective : world->program.collectives)
    switch (collective.type) {
    case ElementType::f32:
      check<float, float>(collective);
      break;
    case ElementType::f64:
      check<double, double>(collective);
      break;
    case ElementType::bf16:
      if (collective.destinationType == ElementType::f32)
        check<BFloat16, float>(collective);
      else
        check<BFloat16, BFloat16>(collective);
      break;
    case ElementType::f16:
      if (collective.destinationType == ElementType::f32)
        check<Float16, float>(collective);
      else
        check<Float16, Float16>(collective);
      break;
    case ElementType::i8:
      check<int8_t, int8_t>(collective);
      break;
    }
}

TEST(Communicator, StartedTogetherAwaitedLater) {
  Communicator &communicator = *world->communicator;
  int ranks = communicator.size(), own = communicator.rank();
  const Collective &sum = world->program.collectives[5];
  const Collective &gather = world->program.collectives[0];
  std::vector<int> all = membersOf(sum);
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
