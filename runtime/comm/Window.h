//===- Window.h - Memory that the ranks of a node share ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_WINDOW_H
#define TESSERA_RUNTIME_COMM_WINDOW_H

#include <cstdint>
#include <vector>

namespace tessera {

/// Maps \p bytes of zeroed memory of each rank into all ranks, with \p room
/// bytes reserved behind, and returns the addresses by rank. All ranks of
/// MPI_COMM_WORLD, on one node, call it alike;
/// \p processes has their process numbers. Nothing of it outlives them.
///
/// In huge pages wherever the system has them: a collective reads and writes
/// memory one after the other, and with small pages it would wait for as many
/// translations as for data.
std::vector<char *>
shareMemory(int64_t bytes, const std::vector<int> &processes, int64_t room = 0);

/// Maps the first \p bytes of each other rank's \p file at that rank's place.
void shareFile(int file, const std::vector<char *> &places, int64_t bytes,
               const std::vector<int> &processes);

} // namespace tessera

#endif // TESSERA_RUNTIME_COMM_WINDOW_H
