//===- Communicator.h - How ranks reach one another ----------- -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One interface with several forms: one rank alone (comm/Single), ranks of one
// node over shared memory, and ranks of several nodes over messages (both in
// comm/Mpi), ranks of GPUs (comm/Cuda) and ranks that share trials of an audit
// (comm/Trials). A form lives in an archive of its own, so that an executable
// for one rank needs no MPI.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PROGRAM_COMMUNICATOR_H
#define TESSERA_RUNTIME_PROGRAM_COMMUNICATOR_H

#include "runtime/program/Manifest.h"
#include "runtime/program/Offload.h"
#include <cstddef>

namespace tessera::runtime {

class Communicator {
public:
  virtual ~Communicator() = default;

  int rank() const { return ownRank; }
  int size() const { return ranks; }
  /// This rank's number among those on its node, and how many these are.
  int localRank() const { return rankOnNode; }
  int localSize() const { return ranksOnNode; }
  bool isRoot() const { return ownRank == 0; }

  /// Makes this rank's arena: zeroed and touched by this rank. Maps \p offload
  /// (null where the program has none) behind it. Called once, by all ranks,
  /// after setThreads and once the device is open.
  virtual char *allocateArena(const Program &program, OffloadFile *offload) = 0;

  /// The semantics of runtime/abi.h, for the program of allocateArena.
  virtual void start(int id) = 0;
  virtual void wait(int id) = 0;
  virtual void fence(int id) = 0;

  /// The most bytes that a rank gives to an exchange.
  static constexpr size_t exchangeLimit = 64;

  /// Every rank gives \p bytes and gets those of all, in rank order. Also a
  /// barrier. Exits the process where they are more than exchangeLimit, in
  /// every form: one that could take more would hide the mistake.
  void exchange(const void *mine, void *all, size_t bytes);
  /// What each rank gives, of any size, in rank order. Also a barrier.
  virtual std::vector<std::string> collect(const std::string &mine);
  void barrier();
  /// True on every rank if it is true on any.
  bool any(bool flag);
  /// Bits that any and that all of the ranks give.
  struct Agreement {
    uint8_t any = 0, all = 0xff;
  };
  Agreement agree(uint8_t bits);

  /// Exits the processes of all ranks, which call it alike, with exit code 1:
  /// the first rank that has a \p reason (null: none) prints it.
  [[noreturn]] void failTogether(const char *reason);

  /// Copies \p bytes at \p offset of rank \p source's arena to \p destination
  /// on rank 0. All ranks call it alike; the sources must not change until
  /// the next barrier.
  virtual void copyToRoot(int source, int64_t offset, int64_t bytes,
                          char *destination) = 0;

  /// Exits the process if a peer has failed or died: for ranks that compute for
  /// long without a collective.
  virtual void look() {}

  /// Marks this rank as failed; true if it is the first to fail.
  virtual bool markFailed() = 0;

  /// Waits for all ranks and ends the communication in good order.
  virtual void finish() = 0;

  /// The form's name for people: "none", "shared memory", "messages".
  virtual const char *form() const = 0;

protected:
  /// What exchange() does, of at most exchangeLimit bytes.
  virtual void exchangeBytes(const void *mine, void *all, size_t bytes) = 0;

  /// The collectives of \p program, with offsets for this rank.
  std::vector<Collective> resolve(const Program &program) const;

  int ownRank = 0, ranks = 1, rankOnNode = 0, ranksOnNode = 1;
};

/// Maps zeroed memory private to this process, in huge pages where the system
/// has them, and touches it; \p room bytes behind it are reserved.
char *mapPrivateArena(int64_t bytes, int64_t room = 0);

/// The same for a rank that shares nothing with others, with the file behind.
char *mapPrivateArena(const Program &program, OffloadFile *offload);

/// Exits the process where \p ranks arenas of \p bytes do not fit the memory
/// that this node has available: touching them would end it by a signal.
void requireMemory(int64_t bytes, int ranks);

} // namespace tessera::runtime

/// Defined by the archive linked: makes the communicator for an executable of
/// \p world ranks. Exits the process with the remedy where the number of
/// processes differs.
extern "C" tessera::runtime::Communicator *
tessera_create_communicator(int world);

#endif // TESSERA_RUNTIME_PROGRAM_COMMUNICATOR_H
