//===- Peers.cpp - Waiting for peers that may die -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Peers.h"
#include "runtime/core/Error.h"
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tessera::runtime {

/// Some 0.05 ms: shorter than what it takes to come back from a yield.
static constexpr int spinsAtMost = 2000;

PeerWatch::PeerWatch(int rank, int ranks, std::atomic<int> *failed)
    : rank(rank), ranks(ranks), spins(spinsAtMost), failed(failed) {}

PeerWatch::~PeerWatch() {
  for (const pollfd &handle : handles)
    if (handle.fd >= 0)
      close(handle.fd);
}

void PeerWatch::add(int peer, pid_t process) {
  // A handle rather than the number: it also knows of a process that has
  // ended and that nobody has waited for. Old kernels have none.
  int handle = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  peers.push_back(peer);
  processes.push_back(process);
  handles.push_back({handle, POLLIN, 0});
  if (static_cast<long>(peers.size()) >= sysconf(_SC_NPROCESSORS_ONLN))
    spins = 0;
}

void PeerWatch::pause(Wait &wait) {
  // Looks first: on a busy machine a peer may arrive while this rank yields.
  Clock::time_point now = Clock::now();
  if (now - wait.looked >= std::chrono::milliseconds(50)) {
    wait.looked = now;
    look(wait, std::chrono::duration<double>(now - wait.begin).count());
  }
  for (int i = 0; i < 8; ++i)
    sched_yield();
}

/// "rank 1", "ranks 1 and 3", "ranks 0 to 6 and 9", or "the other ranks" where
/// none is known to be missing.
static void putRanks(char *text, size_t room,
                     const std::vector<bool> &missing) {
  int count = 0, last = -1, ranks = static_cast<int>(missing.size());
  for (int rank = 0; rank < ranks; ++rank)
    if (missing[rank]) {
      ++count;
      last = rank;
    }
  if (count == 0) {
    snprintf(text, room, "the other ranks");
    return;
  }
  size_t length = snprintf(text, room, count == 1 ? "rank" : "ranks");
  const char *separator = " ";
  for (int rank = 0; rank < ranks && length + 32 < room; ++rank) {
    if (!missing[rank])
      continue;
    int end = rank;
    while (end + 1 < ranks && missing[end + 1])
      ++end;
    if (end - rank == 1)
      end = rank;
    if (end == last && count > 1 && separator[0] == ',')
      separator = " and ";
    length +=
        snprintf(text + length, room - length,
                 end > rank ? "%s%d to %d" : "%s%d", separator, rank, end);
    separator = ", ";
    rank = end;
  }
}

void giveUpWaiting(double waited, const std::vector<bool> &missing,
                   const char *what) {
  char names[256], step[32] = "";
  putRanks(names, sizeof names, missing);
  if (errorStep() > 0)
    snprintf(step, sizeof step, " of step %lld",
             static_cast<long long>(errorStep()));
  fatal("waited %.0f s for %s in %s%s: the run stops; "
        "TESSERA_TIMEOUT=SECONDS allows more",
        waited, names, what, step);
}

void stopAfter(int rank, int first) {
  fprintf(stderr, "%s: rank %d stops, since rank %d has failed\n",
          executableName(), rank, first);
  exitProcess(1);
}

void PeerWatch::giveUp(const Wait &wait, double waited) {
  std::vector<bool> missing(ranks);
  if (rollCall) {
    missing = rollCall();
    missing.flip();
  }
  if (std::find(missing.begin(), missing.end(), true) == missing.end())
    for (int peer = 0; peer < ranks; ++peer)
      missing[peer] = !wait.arrived(wait.test, peer);
  giveUpWaiting(waited, missing, wait.what);
}

void PeerWatch::look(const Wait &wait, double waited) {
  if (failed) {
    if (int first = failed->load(std::memory_order_acquire))
      stopAfter(rank, first - 1);
  }
  if (lookFurther)
    lookFurther();
  if (!handles.empty())
    poll(handles.data(), handles.size(), 0);
  for (size_t i = 0; i < peers.size(); ++i) {
    bool ended = handles[i].fd >= 0
                     ? (handles[i].revents & POLLIN) != 0
                     : kill(processes[i], 0) != 0 && errno == ESRCH;
    if (ended && !(failed && failed->load(std::memory_order_acquire)))
      fatal("rank %d (process %d) has died: the run stops; start it again "
            "with --resume to go on from the last checkpoint",
            peers[i], static_cast<int>(processes[i]));
  }
  // Where the time of one rank is up, all that wait answer at once: a wait that
  // has just begun is for the same rank in the end.
  if (waited > timeoutSeconds() || (rollIsCalled && rollIsCalled()))
    giveUp(wait, std::max(waited, timeoutSeconds()));
}

} // namespace tessera::runtime
