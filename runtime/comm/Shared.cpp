//===- Shared.cpp - Ranks of one node -------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each rank's arena lies in memory that all ranks map, so that a collective is
// a read of the peers' memory. Ranks report to each other how far they are by
// counters that only grow: `ready` of a collective counts the starts of a
// rank, `done` the times that the rank has finished reading its peers.
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Mpi.h"
#include "runtime/comm/Reduce.h"
#include "runtime/comm/Window.h"
#include "runtime/core/Error.h"
#include "runtime/core/Stream.h"
#include "runtime/core/Threads.h"
#include <algorithm>
#include <cstring>
#include <unistd.h>

namespace tessera::runtime {
namespace {

using Counter = std::atomic<uint64_t>;
static_assert(Counter::is_always_lock_free);

/// What a rank gives in exchange(); two places, since a rank may be one
/// exchange ahead of the slowest.
struct alignas(64) ExchangePlace {
  Counter turn;
  alignas(64) char data[2][Communicator::exchangeLimit];
};

class SharedCommunicator final : public Communicator {
public:
  SharedCommunicator() {
    MPI_Comm_rank(MPI_COMM_WORLD, &ownRank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    ranksOnNode = ranks;
    int process = getpid();
    node.rank = ownRank;
    node.exchange = [](const void *mine, void *all, size_t bytes) {
      int count = static_cast<int>(bytes);
      MPI_Allgather(mine, count, MPI_BYTE, all, count, MPI_BYTE,
                    MPI_COMM_WORLD);
    };
    node.remedy = "TESSERA_COMM=messages does without";
    node.processes.resize(ranks);
    node.exchange(&process, node.processes.data(), sizeof process);
    std::vector<char *> parts =
        shareMemory(node, headBytes + sizeof(ExchangePlace));
    failed = reinterpret_cast<std::atomic<int> *>(parts[0]);
    for (char *part : parts)
      places.push_back(reinterpret_cast<ExchangePlace *>(part + headBytes));
    watch = std::make_unique<PeerWatch>(ownRank, ranks, failed);
    for (int peer = 0; peer < ranks; ++peer)
      if (peer != ownRank)
        watch->add(peer, node.processes[peer]);
    // From here on no call waits for peers unwatched.
    node.exchange = [this](const void *mine, void *all, size_t bytes) {
      exchange(mine, all, bytes);
    };
  }

  char *allocateArena(const Program &wanted, OffloadFile *offload) override {
    collectives = resolve(wanted);
    requireMemory(wanted.arenaBytes, ranks);
    size_t count = wanted.collectives.size();
    int64_t bytes = std::max<size_t>(64, 2 * count * sizeof(Counter));
    for (char *part : shareMemory(node, bytes)) {
      ready.push_back(reinterpret_cast<Counter *>(part));
      done.push_back(reinterpret_cast<Counter *>(part) + count);
    }
    sources.resize(ranks);
    rounds.assign(count, 0);
    finished.assign(count, 0);
    for (const Collective &collective : wanted.collectives)
      names.push_back(describe(collective));
    int64_t bytesOfArena = std::max<int64_t>(64, wanted.arenaBytes);
    int64_t room =
        offload ? wanted.offloadOffset + wanted.offloadBytes - bytesOfArena : 0;
    arenas = shareMemory(node, bytesOfArena, room);
    char *own = arenas[ownRank];
    if (offload) {
      std::vector<char *> places;
      for (char *arena : arenas)
        places.push_back(arena + wanted.offloadOffset);
      offload->map(places[ownRank]);
      shareFile(node, offload->descriptor(), places, wanted.offloadBytes);
    }
    parallelFor(wanted.arenaBytes, 1 << 21, [&](int64_t begin, int64_t end) {
      memset(own + begin, 0, end - begin);
    });
    barrier();
    return own;
  }

  void start(int id) override {
    ready[ownRank][id].store(++rounds[id], std::memory_order_release);
  }

  void wait(int id) override {
    const Collective &collective = collectives[id];
    Members members(collective, ownRank, ranks);
    uint64_t round = ++finished[id];
    watch->untilAll(names[id].c_str(), [&](int peer) {
      return !members.contains(peer) ||
             ready[peer][id].load(std::memory_order_acquire) >= round;
    });
    if (collective.kind == CollectiveKind::AllGather)
      gather(collective, members);
    else
      reduce(collective, members);
    done[ownRank][id].store(round, std::memory_order_release);
  }

  void fence(int id) override {
    Members members(collectives[id], ownRank, ranks);
    watch->untilAll(names[id].c_str(), [&](int peer) {
      return peer == ownRank || !members.contains(peer) ||
             done[peer][id].load(std::memory_order_acquire) >= rounds[id];
    });
  }

  void copyToRoot(int source, int64_t offset, int64_t bytes,
                  char *destination) override {
    if (isRoot())
      memcpy(destination, arenas[source] + offset, bytes);
  }

  bool markFailed() override {
    int nobody = 0;
    return failed->compare_exchange_strong(nobody, ownRank + 1);
  }

  void finish() override {
    barrier();
    finalizeMpi();
  }

  const char *form() const override { return "shared memory"; }

private:
  void exchangeBytes(const void *mine, void *all, size_t bytes) override {
    uint64_t turn = ++exchanges;
    memcpy(places[ownRank]->data[turn & 1], mine, bytes);
    places[ownRank]->turn.store(turn, std::memory_order_release);
    watch->untilAll("a meeting of all ranks", [&](int peer) {
      return places[peer]->turn.load(std::memory_order_acquire) >= turn;
    });
    for (int peer = 0; peer < ranks; ++peer)
      memcpy(static_cast<char *>(all) + peer * bytes,
             places[peer]->data[turn & 1], bytes);
  }

  static constexpr int64_t headBytes = 64;

  void gather(const Collective &collective, const Members &members) {
    int count = members.count;
    int64_t shard = collective.elements / count * collective.elementSize();
    char *destination = arenas[ownRank] + collective.destination;
    // Ranks begin with their right neighbour, so that they do not all read
    // the same one.
    int64_t piece = 1 << 18, pieces = (shard + piece - 1) / piece;
    bool stream = shard * count >= streamedBytes;
    parallelFor(pieces * count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int peer = static_cast<int>((members.own + 1 + i / pieces) % count);
        if (peer == members.own && collective.inPlace)
          continue;
        int64_t at = i % pieces * piece;
        int64_t part = peer * shard + at;
        const char *source = arenas[members[peer]] +
                             (collective.inPlace ? collective.destination + part
                                                 : collective.source + at);
        int64_t bytes = std::min(piece, shard - at);
        if (stream)
          streamCopy(destination + part, source, bytes);
        else
          memcpy(destination + part, source, bytes);
      }
      streamFence();
    });
  }

  void reduce(const Collective &collective, const Members &members) {
    bool scatter = collective.kind == CollectiveKind::ReduceScatter;
    int64_t count =
        scatter ? collective.elements / members.count : collective.elements;
    int64_t first =
        collective.source +
        (scatter ? members.own * count * collective.elementSize() : 0);
    for (int i = 0; i < members.count; ++i)
      sources[i] = arenas[members[i]] + first;
    bool intoSource = scatter && collective.inPlace;
    RankSum sum = {collective.type,
                   collective.destinationType,
                   sources.data(),
                   members.count,
                   arenas[ownRank] +
                       (intoSource ? first : collective.destination),
                   collective.accumulate,
                   count * sizeOf(collective.destinationType) >= streamedBytes};
    parallelFor(count, 4096,
                [&](int64_t begin, int64_t end) { sumRanks(sum, begin, end); });
  }

  std::vector<Collective> collectives;
  std::atomic<int> *failed = nullptr;
  NodeRanks node;
  std::vector<ExchangePlace *> places;
  std::unique_ptr<PeerWatch> watch;
  std::vector<char *> arenas;
  std::vector<const char *> sources;      // of the collective under way
  std::vector<Counter *> ready, done;     // by rank, then collective
  std::vector<uint64_t> rounds, finished; // by collective: starts, waits
  std::vector<std::string> names;
  uint64_t exchanges = 0;
};

} // namespace

std::unique_ptr<Communicator> createSharedCommunicator() {
  return std::make_unique<SharedCommunicator>();
}

} // namespace tessera::runtime
