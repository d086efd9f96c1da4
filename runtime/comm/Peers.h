//===- Peers.h - Waiting for peers that may die -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_PEERS_H
#define TESSERA_RUNTIME_COMM_PEERS_H

#include <atomic>
#include <chrono>
#include <poll.h>
#include <sys/types.h>
#include <vector>

namespace tessera {

/// Seconds that a rank waits for its peers before it gives up, from
/// TESSERA_TIMEOUT (default 600).
double timeoutSeconds();

/// Sees to it that no rank waits for ever: while it waits, it looks now and
/// then whether a peer has failed or died, or the time is up.
class PeerWatch {
public:
  /// \p failed is shared by the ranks of a node: 0, or 1 + the rank that
  /// failed first.
  PeerWatch(int rank, std::atomic<int> *failed);
  ~PeerWatch();

  /// Adds the process of a peer on this node. Where there are more of them
  /// than cores, a rank that waits gives its core away at once.
  void add(int peer, pid_t process);

  /// Spins, then yields the processor, until \p done() holds. Ends this
  /// process with a message that names \p what when it never will.
  template <typename Done> void until(const char *what, Done done) {
    for (int i = 0; i < spins; ++i) {
      if (done())
        return;
      __builtin_ia32_pause();
    }
    Clock::time_point begin = Clock::now(), looked = begin;
    while (!done())
      pause(what, begin, looked);
  }

private:
  using Clock = std::chrono::steady_clock;

  /// Yields, and looks after the peers every 50 ms.
  void pause(const char *what, Clock::time_point begin,
             Clock::time_point &looked);
  void look(const char *what, double waited);

  int rank;
  int spins;
  std::atomic<int> *failed;
  std::vector<int> peers;
  std::vector<pid_t> processes;
  std::vector<pollfd> handles; ///< readable once the process has ended
};

} // namespace tessera

#endif // TESSERA_RUNTIME_COMM_PEERS_H
