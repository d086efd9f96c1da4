//===- Rendezvous.h - Ranks that meet over TCP ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What ranks exchange beside their collectives, with no MPI: each has a
// connection to rank 0, which passes on what all are to know. Whatever waits
// here exits the process when a peer has failed or died, or when the time is up
// (TESSERA_TIMEOUT).
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_RENDEZVOUS_H
#define TESSERA_RUNTIME_COMM_RENDEZVOUS_H

#include "runtime/comm/Launch.h"
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tessera::runtime {

class Rendezvous {
public:
  /// Returns once all ranks are connected.
  explicit Rendezvous(const Launch &launch);
  ~Rendezvous();

  /// Every rank gives \p bytes and gets those of all, in rank order. Also a
  /// barrier.
  void exchange(const void *mine, void *all, size_t bytes);
  /// What each rank gives, of any size, in rank order. Also a barrier, without
  /// a limit of time: ranks of an audit are busy for as long as a model trains.
  std::vector<std::string> collect(const std::string &mine);
  /// All ranks get the \p bytes that rank 0 has.
  void broadcast(void *data, size_t bytes);
  /// From a rank other than 0 to rank 0, which calls receive for it.
  void sendToRoot(const void *data, size_t bytes);
  void receive(int source, void *data, size_t bytes);

  /// Exits the process if a peer has failed or died; for who waits elsewhere.
  void look();

  /// Reports to the peers that this rank has failed; true if it is the first
  /// one.
  bool markFailed();

private:
  /// In front of whatever is sent.
  struct Header {
    enum Kind : uint32_t { Data, Failed } kind;
    int32_t rank;   ///< that has failed first
    uint64_t bytes; ///< behind the header
  };

  /// What is waited for, in messages, and whether all ranks take part in it.
  struct Purpose {
    const char *name;
    bool ofAll;
    bool isLimited; ///< by TESSERA_TIMEOUT
  };
  static constexpr Purpose start = {"the start of all ranks", true, true};
  static constexpr Purpose meeting = {"a meeting of all ranks", true, true};
  static constexpr Purpose content = {"the gathering of a file's content",
                                      false, true};
  static constexpr Purpose results = {"the sharing of results", true, false};

  void listen(const Launch &launch);
  void connect(const Launch &launch);
  void send(int peer, const void *data, size_t bytes, const Purpose &purpose);
  void receive(int peer, void *data, size_t bytes, const Purpose &purpose);
  void read(int peer, void *data, size_t bytes, const Purpose &purpose);
  void waitFor(int peer, short events, double begin, const Purpose &purpose);
  void lookAt(int peer);
  [[noreturn]] void died(int peer);
  /// Rank 0 alone: the rank that counts as the first to fail, which is \p peer
  /// if none does yet; reports it to all ranks.
  int decideFirst(int peer);
  [[noreturn]] void stop(int first);

  int rank, ranks;
  /// By rank: rank 0 has one for each other rank, the others one for rank 0;
  /// -1 where there is none.
  std::vector<int> sockets;
  /// The rank that has failed first as all have heard, -1 while none has. Other
  /// threads may fail, too.
  std::atomic<int> firstFailed = -1;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMM_RENDEZVOUS_H
