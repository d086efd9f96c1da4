//===- Staged.cpp - Ranks of one node that share GPUs ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// NCCL wants a GPU for each rank. Here the host carries out a collective in
// its wait, in rounds: a rank copies a piece of its source to memory that the
// ranks share, meets the others, reads what it needs of theirs and copies the
// result back to the GPU. All ranks run the same sequence, so all of them meet
// in each round. Sums are those of the CPU's communicators, to the bit.
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Cuda.h"
#include "runtime/comm/Members.h"
#include "runtime/comm/Peers.h"
#include "runtime/comm/Reduce.h"
#include "runtime/comm/Window.h"
#include "runtime/core/Threads.h"
#include "runtime/cuda/Device.h"
#include <algorithm>
#include <atomic>
#include <cstring>
#include <unistd.h>

namespace tessera::runtime {
namespace {

/// The rounds for which a rank has filled its staging memory. A rank may be
/// one round ahead of the slowest, hence two places to fill.
using Counter = std::atomic<uint64_t>;

class StagedCollectives final : public CudaCollectives {
public:
  explicit StagedCollectives(RankArena arena)
      : all(std::move(arena)), watch(all.rank, all.ranks, nullptr) {
    NodeRanks node;
    node.rank = all.rank;
    node.exchange = [this](const void *mine, void *everyones, size_t bytes) {
      all.rendezvous.exchange(mine, everyones, bytes);
    };
    node.remedy = "start one rank per GPU, which does without";
    node.processes.resize(all.ranks);
    int process = getpid();
    node.exchange(&process, node.processes.data(), sizeof process);
    areas = shareMemory(node, headBytes + 2 * placeBytes);
    for (int peer = 0; peer < all.ranks; ++peer)
      if (peer != all.rank)
        watch.add(peer, node.processes[peer]);
    watch.setLook([this] { all.rendezvous.look(); });
    for (const Collective &collective : all.collectives)
      names.push_back(describe(collective));
    result.resize(placeBytes);
    sources.resize(all.ranks);
    device.disableGraphs();
  }

  /// The host does all in the wait, behind what the compute stream has then.
  void start(const Collective &) override {}

  void wait(const Collective &collective) override {
    Members members(collective, all.rank, all.ranks);
    if (collective.kind == CollectiveKind::AllGather)
      gather(collective, members);
    else
      reduce(collective, members);
  }

  void look(double) override { all.rendezvous.look(); }

  const char *form() const override { return "staged through the host"; }

private:
  static constexpr int64_t headBytes = 64;
  static constexpr int64_t placeBytes = 4 << 20;

  Counter &counterOf(int rank) {
    return *reinterpret_cast<Counter *>(areas[rank]);
  }

  /// Where \p rank leaves what it gives in round \p number.
  char *placeOf(int rank, uint64_t number) {
    return areas[rank] + headBytes + (number & 1) * placeBytes;
  }

  /// Returns once all ranks have filled their places of the next round.
  void meet(const Collective &collective) {
    uint64_t number = ++round;
    counterOf(all.rank).store(number, std::memory_order_release);
    watch.untilAll(names[collective.id].c_str(), [&](int peer) {
      return counterOf(peer).load(std::memory_order_acquire) >= number;
    });
  }

  void gather(const Collective &collective, const Members &members) {
    int64_t shard =
        collective.elements / members.count * collective.elementSize();
    char *destination = all.address + collective.destination;
    const char *source = collective.inPlace ? destination + members.own * shard
                                            : all.address + collective.source;
    for (int64_t at = 0; at < shard; at += placeBytes) {
      int64_t bytes = std::min(placeBytes, shard - at);
      device.read(placeOf(all.rank, round + 1), source + at, bytes);
      meet(collective);
      for (int i = 0; i < members.count; ++i)
        if (i != members.own || !collective.inPlace)
          write(destination + i * shard + at, placeOf(members[i], round),
                bytes);
    }
  }

  void reduce(const Collective &collective, const Members &members) {
    bool scatter = collective.kind == CollectiveKind::ReduceScatter;
    int parts = scatter ? members.count : 1;
    int64_t count = collective.elements / parts;
    int64_t size = collective.elementSize();
    int64_t resultSize = sizeOf(collective.destinationType);
    const char *source = all.address + collective.source;
    char *destination =
        all.address + (scatter && collective.inPlace
                           ? collective.source + members.own * count * size
                           : collective.destination);
    RankSum sum = {collective.type,
                   collective.destinationType,
                   sources.data(),
                   members.count,
                   result.data(),
                   collective.accumulate,
                   false};
    // The parts of all members in one place, which also holds the result.
    int64_t piece = placeBytes / std::max(size * parts, resultSize);
    for (int64_t at = 0; at < count; at += piece) {
      int64_t elements = std::min(piece, count - at);
      for (int part = 0; part < parts; ++part)
        device.read(placeOf(all.rank, round + 1) + part * elements * size,
                    source + (part * count + at) * size, elements * size);
      if (collective.accumulate)
        device.read(result.data(), destination + at * resultSize,
                    elements * resultSize);
      meet(collective);
      for (int i = 0; i < members.count; ++i)
        sources[i] = placeOf(members[i], round) +
                     (scatter ? members.own * elements * size : 0);
      parallelFor(elements, 4096, [&](int64_t begin, int64_t end) {
        sumRanks(sum, begin, end);
      });
      write(destination + at * resultSize, result.data(),
            elements * resultSize);
    }
  }

  /// Brings \p bytes of the host to the GPU.
  void write(char *address, const char *source, int64_t bytes) {
    device.write(address, bytes, [&](char *host, int64_t begin, int64_t end) {
      memcpy(host, source + begin, end - begin);
    });
  }

  RankArena all;
  cuda::GpuDevice &device = cuda::device();
  PeerWatch watch;
  std::vector<char *> areas;         // of the ranks
  std::vector<char> result;          // of a round
  std::vector<const char *> sources; // of the sum under way
  std::vector<std::string> names;    // of collectives
  uint64_t round = 0;
};

} // namespace

std::unique_ptr<CudaCollectives> createStagedCollectives(RankArena arena) {
  return std::make_unique<StagedCollectives>(std::move(arena));
}

} // namespace tessera::runtime
