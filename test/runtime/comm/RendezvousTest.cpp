//===- RendezvousTest.cpp - Tests of ranks that meet over TCP -------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Rendezvous.h"
#include "runtime/core/Error.h"
#include "test/runtime/comm/Ranks.h"
#include <arpa/inet.h>
#include <csignal>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace tessera::runtime;

namespace {

Rendezvous *rendezvous = nullptr;

/// What a communicator does: the ranks meet, and errors are reported to peers.
Rendezvous &meet() {
  rendezvous = new Rendezvous(readLaunch());
  setFailureHook([] { return rendezvous->markFailed(); });
  return *rendezvous;
}

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

TEST(Rendezvous, ExchangesUnderEachLauncher) {
  for (LauncherEnvironment launcher :
       {torchrunEnvironment, mpirunEnvironment, srunEnvironment})
    expectSuccess(runRanks(4, launcher, {}, [](int rank) {
      Rendezvous &rendezvous = meet();
      for (int round = 0; round < 500; ++round) {
        int64_t mine = rank * 1000 + round, all[4];
        rendezvous.exchange(&mine, all, sizeof mine);
        for (int peer = 0; peer < 4; ++peer)
          ASSERT_EQ(all[peer], peer * 1000 + round);
      }
    }));
}

TEST(Rendezvous, MovesLargePieces) {
  expectSuccess(runRanks(3, mpirunEnvironment, {}, [](int rank) {
    Rendezvous &rendezvous = meet();
    std::vector<int> numbers(3 << 20, rank);
    rendezvous.broadcast(numbers.data(), numbers.size() * sizeof(int));
    ASSERT_EQ(numbers, std::vector<int>(3 << 20, 0));
    numbers.assign(3 << 20, 7 * rank);
    for (int source : {2, 1}) {
      if (rank == source)
        rendezvous.sendToRoot(numbers.data(), numbers.size() * sizeof(int));
      if (rank != 0)
        continue;
      rendezvous.receive(source, numbers.data(), numbers.size() * sizeof(int));
      ASSERT_EQ(numbers, std::vector<int>(3 << 20, 7 * source));
    }
  }));
}

TEST(Rendezvous, CollectsWithoutALimitOfTime) {
  expectSuccess(runRanks(
      3, mpirunEnvironment, {{"TESSERA_TIMEOUT", "0.3"}}, [](int rank) {
        Rendezvous &rendezvous = meet();
        // More than a socket's buffers hold, and nothing at all.
        auto given = [](int rank) {
          return std::string(rank * (3 << 20), char('a' + rank));
        };
        if (rank == 1)
          usleep(1000 * 1000);
        std::vector<std::string> all = rendezvous.collect(given(rank));
        ASSERT_EQ(all.size(), 3u);
        for (int peer = 0; peer < 3; ++peer)
          ASSERT_TRUE(all[peer] == given(peer)) << peer;
      }));
}

TEST(Rendezvous, GoesOnToTheNextPort) {
  int port = 0, silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (port = 31000; port < 32000; ++port) {
    address.sin_port = htons(static_cast<uint16_t>(port));
    if (bind(silent, reinterpret_cast<sockaddr *>(&address), sizeof address) ==
        0)
      break;
  }
  ASSERT_EQ(listen(silent, 8), 0);
  expectSuccess(runRanks(2, mpirunEnvironment,
                         {{"MASTER_PORT", std::to_string(port)}}, [](int) {
                           int mine = 1, all[2];
                           meet().exchange(&mine, all, sizeof mine);
                         }));
  close(silent);
}

TEST(Rendezvous, TimeOutNamesWhoIsMissing) {
  std::vector<RankResult> results =
      runRanks(4, mpirunEnvironment, {{"TESSERA_TIMEOUT", "1"}}, [](int rank) {
        Rendezvous &rendezvous = meet();
        char mine = 0, all[4];
        rendezvous.exchange(&mine, all, 1);
        setErrorStep(5);
        if (rank == 2)
          for (int i = 0; i < 100; ++i) {
            usleep(50000);
            rendezvous.look();
          }
        rendezvous.exchange(&mine, all, 1);
      });
  for (const RankResult &result : results)
    EXPECT_EQ(result.code, 1);
  EXPECT_EQ(results[0].error,
            "program: error: rank 0: waited 1 s for rank 2 in a meeting of all "
            "ranks of step 5: the run stops; TESSERA_TIMEOUT=SECONDS allows "
            "more\n");
  for (int rank : {1, 2, 3})
    EXPECT_EQ(results[rank].error, "program: rank " + std::to_string(rank) +
                                       " stops, since rank 0 has failed\n");
}

TEST(Rendezvous, TimeOutOfTheStart) {
  std::vector<RankResult> results =
      runRanks(3, mpirunEnvironment, {{"TESSERA_TIMEOUT", "1"}}, [](int rank) {
        if (rank != 1)
          meet();
      });
  EXPECT_TRUE(contains(results[0].error,
                       "waited 1 s for rank 1 in the start of all ranks"))
      << results[0].error;
  EXPECT_EQ(results[2].error,
            "program: rank 2 stops, since rank 0 has failed\n");
  results =
      runRanks(2, mpirunEnvironment, {{"TESSERA_TIMEOUT", "1"}}, [](int rank) {
        if (rank == 1)
          meet();
      });
  EXPECT_TRUE(contains(results[1].error, "s for rank 0 at 127.0.0.1, ports "))
      << results[1].error;
}

TEST(Rendezvous, DeadPeerEndsAllAtOnce) {
  for (int victim : {0, 2}) {
    std::vector<RankResult> results =
        runRanks(4, mpirunEnvironment, {}, [&](int rank) {
          Rendezvous &rendezvous = meet();
          char mine = 0, all[4];
          rendezvous.exchange(&mine, all, 1);
          if (rank == victim)
            raise(SIGKILL);
          rendezvous.exchange(&mine, all, 1);
        });
    int reporter = victim == 0 ? 1 : 0;
    for (int rank = 0; rank < 4; ++rank) {
      if (rank == victim)
        EXPECT_EQ(results[rank].code, 128 + SIGKILL);
      else
        EXPECT_EQ(results[rank].code, 1);
      EXPECT_EQ(contains(results[rank].error, "error: "), rank == reporter)
          << rank << ": " << results[rank].error;
    }
    EXPECT_TRUE(
        contains(results[reporter].error,
                 "rank " + std::to_string(victim) + " has died: the run stops"))
        << results[reporter].error;
  }
}

TEST(Rendezvous, OneOfManyFailuresIsPrinted) {
  std::vector<RankResult> results =
      runRanks(4, mpirunEnvironment, {}, [](int rank) {
        Rendezvous &rendezvous = meet();
        char mine = 0, all[4];
        rendezvous.exchange(&mine, all, 1);
        if (rank != 0)
          fatal("the disk is full");
        rendezvous.exchange(&mine, all, 1);
      });
  int printed = 0;
  for (const RankResult &result : results) {
    EXPECT_EQ(result.code, 1);
    printed += contains(result.error, "the disk is full");
  }
  EXPECT_EQ(printed, 1);
}

} // namespace
