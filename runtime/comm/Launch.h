//===- Launch.h - What a launcher says to its processes ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_LAUNCH_H
#define TESSERA_RUNTIME_COMM_LAUNCH_H

#include <string>
#include <string_view>

namespace tessera::runtime {

/// This process among those that one launcher has started, from the
/// environment alone.
struct Launch {
  int rank = 0, size = 1;
  /// Among the ranks of this node.
  int localRank = 0, localSize = 1;
  /// The host of rank 0, and the first port that it may listen at.
  std::string address;
  int port = 0;
  /// A name that the processes of this run have in common and no others.
  std::string job;

  bool isOneNode() const { return localSize == size; }
};

/// Reads what torchrun, Open MPI's mpirun or Slurm's srun sets, in this order;
/// a process without any of them is one rank alone. Exits the process with the
/// remedy where a variable is missing or is no number.
Launch readLaunch();

/// The first host of a list as Slurm writes it: "gpu[03-07,9],login" is
/// "gpu03".
std::string firstHost(std::string_view list);

/// The number of tasks on node \p node of a list as Slurm writes it: "4(x2),1"
/// is 4, 4, 1. 0 where the list is shorter.
int tasksOnNode(std::string_view list, int node);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMM_LAUNCH_H
