//===- Peers.cpp - Waiting for peers that may die -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Peers.h"
#include "runtime/Error.h"
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tessera {

/// Some 0.05 ms: shorter than what it takes to come back from a yield.
static constexpr int spinsAtMost = 2000;

double timeoutSeconds() {
  const char *text = getenv("TESSERA_TIMEOUT");
  double seconds = text ? atof(text) : 600;
  return seconds > 0 ? seconds : 600;
}

PeerWatch::PeerWatch(int rank, std::atomic<int> *failed)
    : rank(rank), spins(spinsAtMost), failed(failed) {}

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

void PeerWatch::pause(const char *what, Clock::time_point begin,
                      Clock::time_point &looked) {
  for (int i = 0; i < 8; ++i)
    sched_yield();
  Clock::time_point now = Clock::now();
  if (now - looked < std::chrono::milliseconds(50))
    return;
  looked = now;
  look(what, std::chrono::duration<double>(now - begin).count());
}

void PeerWatch::look(const char *what, double waited) {
  if (failed) {
    if (int first = failed->load(std::memory_order_acquire)) {
      fprintf(stderr, "%s: rank %d stops, since rank %d has failed\n",
              executableName(), rank, first - 1);
      _exit(1);
    }
  }
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
  if (waited > timeoutSeconds())
    fatal("waited %.0f s for the other ranks in %s: the run stops; "
          "TESSERA_TIMEOUT=SECONDS allows more",
          waited, what);
}

} // namespace tessera
