//===- Window.h - Memory that the ranks of a node share ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_WINDOW_H
#define TESSERA_RUNTIME_COMM_WINDOW_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace tessera::runtime {

/// The ranks of a run on one node, all of which call the functions below alike.
struct NodeRanks {
  int rank = 0;
  std::vector<int> processes; ///< by rank
  /// Every rank gives \p bytes bytes and gets those of all, in rank order.
  std::function<void(const void *mine, void *all, size_t bytes)> exchange;
  /// For messages: what does without shared memory.
  const char *remedy = "";
};

/// Maps \p bytes of zeroed memory of each rank into all ranks, with \p room
/// bytes reserved behind, and returns the addresses by rank. Nothing of it
/// outlives the ranks.
///
/// In huge pages wherever the system has them: a collective reads and writes
/// memory one after the other, and with small pages it would wait for as many
/// translations as for data.
std::vector<char *> shareMemory(const NodeRanks &node, int64_t bytes,
                                int64_t room = 0);

/// Maps the first \p bytes of each other rank's \p file at that rank's place.
void shareFile(const NodeRanks &node, int file,
               const std::vector<char *> &places, int64_t bytes);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMM_WINDOW_H
