//===- Mpi.h - Several ranks ------------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_MPI_H
#define TESSERA_RUNTIME_COMM_MPI_H

#include "runtime/comm/Members.h"
#include "runtime/comm/Peers.h"
#include "runtime/program/Communicator.h"
#include <memory>
#include <mpi.h>

namespace tessera::runtime {

/// Ranks of one node: arenas in shared memory, which peers read in place.
std::unique_ptr<Communicator> createSharedCommunicator();

/// Ranks of several nodes: messages through a fixed staging buffer.
std::unique_ptr<Communicator> createMessageCommunicator(int localSize);

/// MPI_Finalize within the time that ranks wait for each other.
void finalizeMpi();

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMM_MPI_H
