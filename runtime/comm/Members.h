//===- Members.h - Who takes part in a collective ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_MEMBERS_H
#define TESSERA_RUNTIME_COMM_MEMBERS_H

#include "runtime/program/Manifest.h"
#include <string>

namespace tessera::runtime {

/// The ranks that \p rank runs a collective with, by their order in sums.
class Members {
public:
  Members(const Collective &collective, int rank, int world)
      : count(collective.ranks ? collective.ranks : world),
        own(rank / collective.step % count), step(collective.step),
        first(rank - own * step) {}

  int operator[](int index) const { return first + index * step; }
  bool contains(int rank) const {
    int distance = rank - first;
    return distance >= 0 && distance % step == 0 && distance / step < count;
  }

  const int count; ///< of ranks
  const int own;   ///< this rank's index

private:
  int step, first;
};

/// "the all_gather of group 'h.3'", for messages about waiting.
std::string describe(const Collective &collective);

/// Exits the process with the remedy where an executable for \p world ranks,
/// more than one, was started with \p size processes.
void requireWorld(int world, int size);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMM_MEMBERS_H
