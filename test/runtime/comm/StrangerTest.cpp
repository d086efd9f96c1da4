//===- StrangerTest.cpp - Tests of ranks that meet among strangers --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Handshake.h"
#include "runtime/comm/Rendezvous.h"
#include "test/runtime/comm/Ranks.h"
#include <arpa/inet.h>
#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sstream>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace tessera::runtime;

namespace {

constexpr const char *secret = "0123456789abcdef0123456789abcdef";

sockaddr_in addressOf(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// A socket bound to \p port; 0: to any.
int bound(int port) {
  int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address = addressOf(port);
  EXPECT_EQ(
      bind(socket, reinterpret_cast<sockaddr *>(&address), sizeof address), 0);
  return socket;
}

int freePort() {
  int socket = bound(0);
  sockaddr_in address = {};
  socklen_t length = sizeof address;
  getsockname(socket, reinterpret_cast<sockaddr *>(&address), &length);
  close(socket);
  return ntohs(address.sin_port);
}

/// Connects to \p port, trying until somebody listens.
int connectTo(int port) {
  for (;;) {
    int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = addressOf(port);
    if (connect(socket, reinterpret_cast<sockaddr *>(&address),
                sizeof address) == 0)
      return socket;
    close(socket);
    usleep(1000);
  }
}

bool receive(int socket, auto &value) {
  return recv(socket, &value, sizeof value, MSG_WAITALL) == sizeof value;
}

/// Whether the other side closes \p socket without another byte.
bool isLetGo(int socket) {
  char byte;
  return recv(socket, &byte, 1, 0) <= 0;
}

/// Each rank on a node of its own, all of them at this machine.
Environment nodes(int rank, int size) {
  Environment environment = mpirunEnvironment(rank, size);
  environment["OMPI_COMM_WORLD_LOCAL_RANK"] = "0";
  environment["OMPI_COMM_WORLD_LOCAL_SIZE"] = "1";
  environment["MASTER_ADDR"] = "127.0.0.1";
  environment["TESSERA_SECRET"] = secret;
  return environment;
}

/// What a stranger, a process of its own, reports to the test.
struct Report {
  volatile bool ready;   ///< the ranks may start
  volatile bool refused; ///< what it was there for has happened
};

/// Runs two ranks of two nodes, which meet while \p stranger does its part; it
/// is ended afterwards. What the ranks say.
std::vector<RankResult>
meetBeside(int port, const std::function<void(Report &)> &stranger,
           bool &refused) {
  auto *report = static_cast<Report *>(mmap(nullptr, sizeof(Report),
                                            PROT_READ | PROT_WRITE,
                                            MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  pid_t process = fork();
  if (process == 0) {
    alarm(120);
    stranger(*report);
    for (;;)
      pause();
  }
  while (!report->ready)
    usleep(1000);
  std::vector<RankResult> results =
      runRanks(2, nodes, {{"MASTER_PORT", std::to_string(port)}}, [](int rank) {
        // The stranger is there first.
        usleep(rank * 300000);
        Rendezvous rendezvous(readLaunch());
        int mine = 10 + rank, all[2];
        rendezvous.exchange(&mine, all, sizeof mine);
        EXPECT_EQ(all[0], 10);
        EXPECT_EQ(all[1], 11);
      });
  for (int wait = 0; !report->refused && wait < 1000; ++wait)
    usleep(1000);
  refused = report->refused;
  kill(process, SIGKILL);
  waitpid(process, nullptr, 0);
  munmap(report, sizeof(Report));
  return results;
}

/// The greeting of rank 0, then \p answer of the stranger.
void answerRoot(int port, const std::function<void(Answer &)> &fill,
                Report &report) {
  report.ready = true;
  int socket = connectTo(port);
  Hello root;
  Answer answer = {{"tessera", 1, 2, {}}, {}, 0};
  if (!receive(socket, root))
    return;
  fill(answer);
  if (send(socket, &answer, answerBytes, MSG_NOSIGNAL) < 0)
    return;
  report.refused = isLetGo(socket);
}

TEST(Stranger, WhoIsFirstTakesNoPlace) {
  int port = freePort();
  bool refused = false;
  std::vector<RankResult> results = meetBeside(
      port, [&](Report &report) { answerRoot(port, [](Answer &) {}, report); },
      refused);
  EXPECT_TRUE(refused);
  EXPECT_EQ(results[0].code, 0);
  EXPECT_EQ(results[0].error,
            "program: warning: rank 0: a process that says it is rank 1 does "
            "not know this run's TESSERA_SECRET and is let go\n");
  EXPECT_EQ(results[1].code, 0);
  EXPECT_EQ(results[1].error, "");
}

TEST(Stranger, WhoIsOfNoRunIsLetGo) {
  int port = freePort();
  bool refused = false;
  expectSuccess(meetBeside(
      port,
      [&](Report &report) {
        answerRoot(
            port, [](Answer &answer) { memset(&answer, 'x', sizeof answer); },
            report);
      },
      refused));
  EXPECT_TRUE(refused);
}

TEST(Stranger, WhoIsSilentKeepsNobodyWaiting) {
  int port = freePort();
  bool refused = false;
  expectSuccess(meetBeside(
      port,
      [&](Report &report) {
        report.ready = true;
        int socket = connectTo(port);
        Hello root;
        report.refused = receive(socket, root) && isLetGo(socket);
      },
      refused));
  EXPECT_TRUE(refused);
}

/// Rank 0 of two, alone: the meeting lasts as long as it may.
class LonelyRoot {
public:
  LonelyRoot(int port, const Environment &environment) {
    process = fork();
    if (process != 0)
      return;
    setEnvironment(environment);
    setenv("MASTER_PORT", std::to_string(port).c_str(), 1);
    Rendezvous rendezvous(readLaunch());
    _exit(0);
  }
  ~LonelyRoot() {
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
  }
  LonelyRoot(const LonelyRoot &) = delete;

private:
  pid_t process;
};

TEST(Stranger, WhoIsSilentIsLetGoInTime) {
  int port = freePort();
  LonelyRoot root(port, nodes(0, 2));
  int socket = connectTo(port);
  Hello hello;
  EXPECT_TRUE(receive(socket, hello));
  // Half of an answer does not count.
  EXPECT_EQ(send(socket, &hello, sizeof hello, MSG_NOSIGNAL),
            static_cast<ssize_t>(sizeof hello));
  pollfd wanted = {socket, POLLIN, 0};
  EXPECT_EQ(poll(&wanted, 1, 3000), 0);
  EXPECT_EQ(poll(&wanted, 1, 10000), 1);
  EXPECT_TRUE(isLetGo(socket));
  close(socket);
}

TEST(Stranger, WhoFloodsIsLetGoButForAFew) {
  constexpr size_t kept = 66;
  int port = freePort();
  LonelyRoot root(port, nodes(0, 2));
  std::vector<int> sockets;
  for (size_t i = 0; i < 2 * kept; ++i)
    sockets.push_back(connectTo(port));
  Hello hello;
  for (int socket : sockets)
    EXPECT_TRUE(receive(socket, hello));
  for (size_t i = 0; i < kept; ++i)
    EXPECT_TRUE(isLetGo(sockets[i])) << i;
  // The latest are given their time.
  usleep(100000);
  for (size_t i = kept; i < sockets.size(); ++i) {
    pollfd wanted = {sockets[i], POLLIN, 0};
    EXPECT_EQ(poll(&wanted, 1, 0), 0) << i;
  }
  for (int socket : sockets)
    close(socket);
}

/// A rank that has proved itself and says last that it takes part.
TEST(Stranger, WhoFloodsTakesNoProvenPlace) {
  int port = freePort();
  Environment peer = nodes(1, 2);
  peer["MASTER_PORT"] = std::to_string(port);
  LonelyRoot root(port, nodes(0, 2));
  expectSuccess(runRanks(1, nodes, {}, [&](int) {
    setEnvironment(peer);
    Handshake handshake(readLaunch());
    int socket = connectTo(port);
    Hello rootHello;
    ASSERT_TRUE(receive(socket, rootHello));
    Answer answer = {handshake.hello(), {}, 1};
    answer.proof = handshake.prove(/*byRoot=*/false, rootHello, answer.hello);
    ASSERT_EQ(send(socket, &answer, provenBytes, MSG_NOSIGNAL),
              static_cast<ssize_t>(provenBytes));
    Proof proof;
    ASSERT_TRUE(receive(socket, proof));
    std::vector<int> flood;
    for (int i = 0; i < 150; ++i)
      flood.push_back(connectTo(port));
    Hello hello;
    for (int other : flood)
      EXPECT_TRUE(receive(other, hello));
    EXPECT_EQ(send(socket, &answer.ready, 1, MSG_NOSIGNAL), 1);
    // The meeting begins.
    EXPECT_FALSE(isLetGo(socket));
  }));
}

TEST(Stranger, WhoFloodsKeepsNobodyOut) {
  int port = freePort();
  bool refused = false;
  expectSuccess(meetBeside(
      port,
      [&](Report &report) {
        report.ready = true;
        std::vector<int> sockets;
        for (;;) {
          sockets.push_back(connectTo(port));
          // The oldest are let go, so that no descriptors run out.
          if (sockets.size() < 200)
            continue;
          Hello root;
          if (receive(sockets.front(), root) && isLetGo(sockets.front()))
            report.refused = true;
          close(sockets.front());
          sockets.erase(sockets.begin());
        }
      },
      refused));
  EXPECT_TRUE(refused);
}

/// A stranger at the first port, who says what rank 0 says and then \p reply.
void playRoot(int port, const std::function<void(int socket, Answer &)> &reply,
              Report &report) {
  int door = bound(port);
  listen(door, 16);
  report.ready = true;
  for (;;) {
    int socket = accept(door, nullptr, nullptr);
    Hello root = {"tessera", 0, 2, {}};
    send(socket, &root, sizeof root, MSG_NOSIGNAL);
    Answer answer = {};
    if (recv(socket, &answer, provenBytes, MSG_WAITALL) !=
        static_cast<ssize_t>(provenBytes))
      continue;
    reply(socket, answer);
    report.refused = isLetGo(socket);
    close(socket);
  }
}

TEST(Stranger, WhoPlaysRankZeroIsPassedBy) {
  std::function<void(int, Answer &)> replies[] = {
      [](int, Answer &) {}, // silence
      [](int socket, Answer &) {
        Proof wrong = {};
        send(socket, &wrong, sizeof wrong, MSG_NOSIGNAL);
      },
      [](int socket, Answer &answer) { // what the peer itself has proved
        send(socket, &answer.proof, sizeof answer.proof, MSG_NOSIGNAL);
      }};
  for (const auto &reply : replies) {
    int port = freePort();
    bool refused = false;
    expectSuccess(meetBeside(
        port, [&](Report &report) { playRoot(port, reply, report); }, refused));
    EXPECT_TRUE(refused);
  }
}

TEST(Stranger, RanksOfOtherSecretsDoNotMeet) {
  std::vector<RankResult> results = runRanks(
      2, nodes,
      {{"MASTER_PORT", std::to_string(freePort())}, {"TESSERA_TIMEOUT", "2"}},
      [](int rank) {
        if (rank == 1)
          setenv("TESSERA_SECRET", "another-secret-of-32-characters!", 1);
        Rendezvous rendezvous(readLaunch());
      });
  auto contains = [&](int rank, const char *part) {
    EXPECT_NE(results[rank].error.find(part), std::string::npos)
        << results[rank].error;
    EXPECT_EQ(results[rank].code, 1);
  };
  contains(0, "a process that says it is rank 1 does not know this run's "
              "TESSERA_SECRET");
  contains(0, "waited 2 s for rank 1 in the start of all ranks");
  contains(1, "what listens there has not proved that it knows this run's "
              "TESSERA_SECRET; set the same for all ranks");
}

/// The address that a process listens at \p port with, as the kernel writes it.
std::string doorOf(int port) {
  char end[8];
  snprintf(end, sizeof end, ":%04X", port);
  for (int wait = 0; wait < 2000; ++wait, usleep(5000)) {
    std::ifstream table("/proc/net/tcp");
    for (std::string line; std::getline(table, line);) {
      std::stringstream words(line);
      std::string number, local, remote, state;
      words >> number >> local >> remote >> state;
      if (local.ends_with(end) && state == "0A")
        return local.substr(0, local.size() - strlen(end));
    }
  }
  return "nothing";
}

TEST(Stranger, OnOneNodeTheNetworkReachesNoRank) {
  for (bool one : {true, false}) {
    int port = freePort();
    LonelyRoot root(port, one ? mpirunEnvironment(0, 2) : nodes(0, 2));
    EXPECT_EQ(doorOf(port), one ? "0100007F" : "00000000");
  }
}

} // namespace
