//===- CollectiveCases.cpp - Collectives and their results
//--------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/runtime/comm/CollectiveCases.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace tessera::runtime;

std::vector<int> membersOf(const Collective &collective, int own, int ranks) {
  int span = (collective.ranks ? collective.ranks : ranks) * collective.step;
  std::vector<int> members;
  for (int rank = 0; rank < ranks; ++rank)
    if (rank / span == own / span &&
        rank % collective.step == own % collective.step)
      members.push_back(rank);
  return members;
}

void addCollective(Program &program, CollectiveKind kind, int64_t elements,
                   bool inPlace, bool accumulate, ElementType type,
                   ElementType destinationType, int members, int step) {
  auto take = [&](ElementType type) {
    int64_t at = program.arenaBytes;
    program.arenaBytes += (elements * sizeOf(type) + 63) / 64 * 64;
    return at;
  };
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
  collective.source = take(type);
  collective.destination = inPlace ? collective.source : take(destinationType);
  // Each set of ranks takes its own part of one buffer.
  if (inPlace && step > 1) {
    collective.elements /= step;
    collective.stride = collective.elements * sizeOf(type);
  }
  program.collectives.push_back(collective);
}

void addCollectives(Program &program, int ranks, int64_t elements, Sums sums) {
  auto addKinds = [&](ElementType type, int members, int step) {
    auto add = [&](CollectiveKind kind, bool inPlace, bool accumulate) {
      addCollective(program, kind, elements, inPlace, accumulate, type, type,
                    members, step);
    };
    add(CollectiveKind::AllGather, false, false);
    add(CollectiveKind::AllGather, true, false);
    add(CollectiveKind::ReduceScatter, false, false);
    add(CollectiveKind::ReduceScatter, true, false);
    if (sums == Sums::All)
      add(CollectiveKind::ReduceScatter, false, true);
    add(CollectiveKind::AllReduce, false, false);
  };
  for (ElementType type : {ElementType::F32, ElementType::F64,
                           ElementType::Bf16, ElementType::F16})
    addKinds(type, 0, 1);
  if (sums == Sums::All)
    for (ElementType type : {ElementType::Bf16, ElementType::F16})
      for (bool accumulate : {false, true})
        addCollective(program, CollectiveKind::ReduceScatter, elements, false,
                      accumulate, type, ElementType::F32);
  for (bool inPlace : {false, true})
    addCollective(program, CollectiveKind::AllGather, elements, inPlace, false,
                  ElementType::I8, ElementType::I8);
  if (ranks == 4)
    for (int step : {1, 2})
      for (ElementType type : {ElementType::F32, ElementType::F64})
        addKinds(type, 2, step);
}

template <typename Element, typename Result>
static void check(Communicator &communicator, Mirror &mirror,
                  const Collective &collective) {
  std::vector<int> members =
      membersOf(collective, communicator.rank(), communicator.size());
  int ranks = static_cast<int>(members.size()), rank = communicator.rank();
  int64_t own =
      std::find(members.begin(), members.end(), rank) - members.begin();
  int64_t count = collective.elements, shard = count / ranks;
  char *base = mirror.host + rank % collective.step * collective.stride;
  auto *source = reinterpret_cast<Element *>(base + collective.source);
  auto *result = reinterpret_cast<Result *>(base + collective.destination);
  bool gather = collective.kind == CollectiveKind::AllGather;
  bool scatter = collective.kind == CollectiveKind::ReduceScatter;
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
    mirror.push(reinterpret_cast<char *>(filled) - mirror.host,
                (gather ? shard : count) * sizeof(Element));
    if (collective.accumulate)
      mirror.push(reinterpret_cast<char *>(result) - mirror.host,
                  shard * sizeof(Result));
    if ((own + round) % ranks == 0)
      usleep(2000);
    communicator.start(collective.id);
    communicator.wait(collective.id);
    mirror.pull(reinterpret_cast<char *>(result) - mirror.host,
                (scatter ? shard : count) * sizeof(Result));
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

void checkCollective(Communicator &communicator, Mirror &mirror,
                     const Collective &collective) {
  switch (collective.type) {
  case ElementType::F32:
    check<float, float>(communicator, mirror, collective);
    break;
  case ElementType::F64:
    check<double, double>(communicator, mirror, collective);
    break;
  case ElementType::Bf16:
    if (collective.destinationType == ElementType::F32)
      check<BFloat16, float>(communicator, mirror, collective);
    else
      check<BFloat16, BFloat16>(communicator, mirror, collective);
    break;
  case ElementType::F16:
    if (collective.destinationType == ElementType::F32)
      check<Float16, float>(communicator, mirror, collective);
    else
      check<Float16, Float16>(communicator, mirror, collective);
    break;
  case ElementType::I8:
    check<int8_t, int8_t>(communicator, mirror, collective);
    break;
  }
}
