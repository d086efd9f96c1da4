//===- Messages.cpp - Ranks of several nodes ------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MPI makes no progress by itself and all ranks run the same sequence, so a
// collective happens in one piece: in its first wait or fence after a start.
// Sums go through a staging buffer of fixed size and use the order of ranks,
// so that they equal those over shared memory to the bit.
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Mpi.h"
#include "runtime/comm/Reduce.h"
#include "runtime/core/Error.h"
#include "runtime/core/Threads.h"
#include <algorithm>
#include <chrono>
#include <cstring>
#include <sched.h>

namespace tessera::runtime {
namespace {

class MessageCommunicator final : public Communicator {
public:
  explicit MessageCommunicator(int localSize) {
    MPI_Comm_rank(MPI_COMM_WORLD, &ownRank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    watch = std::make_unique<PeerWatch>(ownRank, ranks, nullptr);
    if (ranks <= mostPairs)
      watch->setRollCall([this] { return callRoll(); },
                         [] { return rollIsCalled(); });
    ranksOnNode = localSize;
    requests.reserve(2 * ranks);
    requestPeers.reserve(2 * ranks);
    staging.resize(chunkBytes * ranks);
    sources.resize(ranks);
  }

  char *allocateArena(const Program &wanted, OffloadFile *offload) override {
    collectives = resolve(wanted);
    started.assign(wanted.collectives.size(), false);
    for (const Collective &collective : wanted.collectives)
      names.push_back(describe(collective));
    requireMemory(wanted.arenaBytes, ranksOnNode);
    return arena = mapPrivateArena(wanted, offload);
  }

  void start(int id) override { started[id] = true; }
  void wait(int id) override { run(id); }
  void fence(int id) override { run(id); }

  void copyToRoot(int source, int64_t offset, int64_t bytes,
                  char *destination) override {
    if (source == 0) {
      if (isRoot())
        memcpy(destination, arena + offset, bytes);
      return;
    }
    for (int64_t at = 0; at < bytes; at += largestMessage) {
      int64_t count = std::min(largestMessage, bytes - at);
      if (isRoot())
        receive(destination + at, count, source);
      else if (ownRank == source)
        send(arena + offset + at, count, 0);
      finishRequests("the gathering of a file's content");
    }
  }

  bool markFailed() override { return true; }

  void finish() override {
    barrier();
    finalizeMpi();
  }

  const char *form() const override { return "messages"; }

private:
  void exchangeBytes(const void *mine, void *all, size_t bytes) override {
    // Messages of their own show which rank is missing.
    if (ranks <= mostPairs) {
      char *places = static_cast<char *>(all);
      memcpy(places + ownRank * bytes, mine, bytes);
      auto count = static_cast<int64_t>(bytes);
      for (int distance = 1; distance < ranks; ++distance) {
        int from = (ownRank + distance) % ranks;
        receive(places + from * count, count, from);
        send(static_cast<const char *>(mine), count,
             (ownRank + ranks - distance) % ranks);
      }
      finishRequests(meeting);
      return;
    }
    MPI_Request request;
    MPI_Iallgather(mine, static_cast<int>(bytes), MPI_BYTE, all,
                   static_cast<int>(bytes), MPI_BYTE, MPI_COMM_WORLD, &request);
    add(request, -1);
    finishRequests(meeting);
  }

  static constexpr int64_t chunkBytes = 256 << 10; ///< of each peer
  static constexpr int64_t largestMessage = 64 << 20;
  static constexpr int mostPairs = 64;  ///< ranks that all meet each other
  static constexpr int rollCallTag = 1; ///< all else goes under 0
  static constexpr const char *meeting = "a meeting of all ranks";

  void send(const char *data, int64_t bytes, int peer) {
    MPI_Request request;
    MPI_Isend(data, static_cast<int>(bytes), MPI_BYTE, peer, 0, MPI_COMM_WORLD,
              &request);
    add(request, peer);
  }

  void receive(char *data, int64_t bytes, int peer) {
    MPI_Request request;
    MPI_Irecv(data, static_cast<int>(bytes), MPI_BYTE, peer, 0, MPI_COMM_WORLD,
              &request);
    add(request, peer);
  }

  /// \p peer: the rank that it needs, -1 for all.
  void add(MPI_Request request, int peer) {
    requests.push_back(request);
    requestPeers.push_back(peer);
  }

  void finishRequests(const char *what) {
    watch->until(
        what,
        [&] {
          int all = 0;
          MPI_Testall(static_cast<int>(requests.size()), requests.data(), &all,
                      MPI_STATUSES_IGNORE);
          return all != 0;
        },
        [&](int peer) {
          for (size_t i = 0; i < requests.size(); ++i) {
            int complete = 0;
            if (requestPeers[i] == peer &&
                MPI_Request_get_status(requests[i], &complete,
                                       MPI_STATUS_IGNORE) == MPI_SUCCESS &&
                !complete)
              return false;
          }
          return true;
        });
    requests.clear();
    requestPeers.clear();
  }

  static bool rollIsCalled() {
    int called = 0;
    MPI_Iprobe(MPI_ANY_SOURCE, rollCallTag, MPI_COMM_WORLD, &called,
               MPI_STATUS_IGNORE);
    return called;
  }

  /// Which ranks answer. All that wait take part in the call, so that a rank
  /// that doesn't is the one that hangs, and not one that waits for it a
  /// collective earlier or later.
  std::vector<bool> callRoll() {
    static const char present = 1;
    std::vector<MPI_Request> calls(ranks, MPI_REQUEST_NULL);
    std::vector<char> heard(ranks);
    std::vector<bool> answered(ranks);
    for (int peer = 0; peer < ranks; ++peer) {
      if (peer == ownRank)
        continue;
      MPI_Request sent;
      MPI_Isend(&present, 1, MPI_BYTE, peer, rollCallTag, MPI_COMM_WORLD,
                &sent);
      MPI_Request_free(&sent);
      MPI_Irecv(&heard[peer], 1, MPI_BYTE, peer, rollCallTag, MPI_COMM_WORLD,
                &calls[peer]);
    }
    using Clock = std::chrono::steady_clock;
    auto end = Clock::now() +
               std::chrono::duration<double>(std::min(5.0, timeoutSeconds()));
    for (bool all = false; !all && Clock::now() < end; sched_yield()) {
      all = true;
      for (int peer = 0; peer < ranks; ++peer) {
        int complete = 0;
        MPI_Test(&calls[peer], &complete, MPI_STATUS_IGNORE);
        answered[peer] = complete;
        all &= answered[peer];
      }
    }
    return answered;
  }

  void run(int id) {
    if (!started[id])
      return;
    started[id] = false;
    const Collective &collective = collectives[id];
    Members members(collective, ownRank, ranks);
    if (collective.kind == CollectiveKind::AllGather)
      gather(collective, members);
    else
      reduce(collective, members);
  }

  void gather(const Collective &collective, const Members &members) {
    int ranks = members.count, own = members.own;
    int64_t shard = collective.elements / ranks * collective.elementSize();
    char *destination = arena + collective.destination;
    const char *source = collective.inPlace ? destination + own * shard
                                            : arena + collective.source;
    if (!collective.inPlace)
      memcpy(destination + own * shard, source, shard);
    for (int64_t at = 0; at < shard; at += largestMessage) {
      int64_t count = std::min(largestMessage, shard - at);
      for (int distance = 1; distance < ranks; ++distance) {
        int from = (own + distance) % ranks;
        int to = (own + ranks - distance) % ranks;
        receive(destination + from * shard + at, count, members[from]);
        send(source + at, count, members[to]);
      }
      finishRequests(names[collective.id].c_str());
    }
  }

  void reduce(const Collective &collective, const Members &members) {
    int ranks = members.count, own = members.own;
    bool scatter = collective.kind == CollectiveKind::ReduceScatter;
    int64_t count = scatter ? collective.elements / ranks : collective.elements;
    int64_t size = collective.elementSize(), shard = count * size;
    int64_t destinationSize = sizeOf(collective.destinationType);
    // Where the part that \p rank sums begins in this rank's source.
    auto partOf = [&](int rank) {
      return arena + collective.source + (scatter ? rank * shard : 0);
    };
    char *destination = scatter && collective.inPlace
                            ? partOf(own)
                            : arena + collective.destination;
    RankSum sum = {
        collective.type, collective.destinationType, sources.data(), ranks,
        destination,     collective.accumulate,      false};
    for (int64_t at = 0; at < shard; at += chunkBytes) {
      int64_t bytes = std::min(chunkBytes, shard - at);
      for (int distance = 1; distance < ranks; ++distance) {
        int from = (own + distance) % ranks;
        int to = (own + ranks - distance) % ranks;
        receive(staging.data() + from * chunkBytes, bytes, members[from]);
        send(partOf(to) + at, bytes, members[to]);
      }
      finishRequests(names[collective.id].c_str());
      for (int rank = 0; rank < ranks; ++rank)
        sources[rank] =
            rank == own ? partOf(own) + at : staging.data() + rank * chunkBytes;
      sum.destination = destination + at / size * destinationSize;
      parallelFor(bytes / size, 4096, [&](int64_t begin, int64_t end) {
        sumRanks(sum, begin, end);
      });
    }
  }

  std::vector<Collective> collectives;
  char *arena = nullptr;
  std::unique_ptr<PeerWatch> watch;
  std::vector<std::string> names; // of collectives
  std::vector<bool> started;
  std::vector<MPI_Request> requests;
  std::vector<int> requestPeers;
  std::vector<char> staging;
  std::vector<const char *> sources; // of the sum under way
};

} // namespace

std::unique_ptr<Communicator> createMessageCommunicator(int localSize) {
  return std::make_unique<MessageCommunicator>(localSize);
}

} // namespace tessera::runtime
