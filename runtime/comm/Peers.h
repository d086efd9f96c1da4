//===- Peers.h - Waiting for peers that may die -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_PEERS_H
#define TESSERA_RUNTIME_COMM_PEERS_H

#include "runtime/core/Environment.h"
#include <atomic>
#include <chrono>
#include <functional>
#include <poll.h>
#include <sys/types.h>
#include <vector>

namespace tessera::runtime {

/// Exits this process with a message that it has waited \p waited seconds for
/// the ranks that are \p missing (none: it isn't known which) in \p what,
/// such as "a meeting of all ranks".
[[noreturn]] void giveUpWaiting(double waited, const std::vector<bool> &missing,
                                const char *what);

/// Exits this process without an error of its own, since \p first has one.
[[noreturn]] void stopAfter(int rank, int first);

/// Sees to it that no rank waits for ever: while it waits, it looks now and
/// then whether a peer has failed or died, or the time is up.
class PeerWatch {
public:
  /// \p failed is shared by the ranks of a node: 0, or 1 + the rank that
  /// failed first.
  PeerWatch(int rank, int ranks, std::atomic<int> *failed);
  ~PeerWatch();

  /// Adds the process of a peer on this node. Where there are more of them
  /// than cores, a rank that waits gives its core away at once.
  void add(int peer, pid_t process);

  /// How to find out, once the time is up, which ranks still answer: \p call
  /// gives one flag per rank, and takes part in the call of another rank, of
  /// which \p isCalled says. Without it those count as missing that have not
  /// arrived, though some of them may wait for another in turn.
  void setRollCall(std::function<std::vector<bool>()> call,
                   std::function<bool()> isCalled) {
    rollCall = std::move(call);
    rollIsCalled = std::move(isCalled);
  }

  /// What else to do whenever it looks after the peers.
  void setLook(std::function<void()> further) {
    lookFurther = std::move(further);
  }

  /// Spins, then yields the CPU, until \p done() holds. When it never will,
  /// exits this process with a message that names \p what, the step, and the
  /// ranks of which \p arrived(rank) does not hold.
  template <typename Done, typename Arrived>
  void until(const char *what, Done done, const Arrived &arrived) {
    for (int i = 0; i < spins; ++i) {
      if (done())
        return;
      __builtin_ia32_pause();
    }
    Wait wait;
    wait.what = what;
    wait.arrived = [](const void *test, int peer) {
      return (*static_cast<const Arrived *>(test))(peer);
    };
    wait.test = &arrived;
    while (!done())
      pause(wait);
  }

  /// The same until \p arrived(rank) holds of all ranks. Once it holds of one
  /// it must go on to do so.
  template <typename Arrived>
  void untilAll(const char *what, const Arrived &arrived) {
    int next = 0;
    until(
        what,
        [&] {
          while (next < ranks && arrived(next))
            ++next;
          return next == ranks;
        },
        arrived);
  }

private:
  using Clock = std::chrono::steady_clock;

  struct Wait {
    const char *what = nullptr;
    bool (*arrived)(const void *test, int peer) = nullptr;
    const void *test = nullptr;
    Clock::time_point begin = Clock::now(), looked = begin;
  };

  /// Yields, and looks after the peers every 50 ms.
  void pause(Wait &wait);
  void look(const Wait &wait, double waited);
  [[noreturn]] void giveUp(const Wait &wait, double waited);

  int rank, ranks;
  int spins;
  std::atomic<int> *failed;
  std::vector<int> peers;
  std::vector<pid_t> processes;
  std::vector<pollfd> handles; ///< readable once the process has exited
  std::function<std::vector<bool>()> rollCall;
  std::function<bool()> rollIsCalled;
  std::function<void()> lookFurther;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMM_PEERS_H
