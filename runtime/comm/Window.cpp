//===- Window.cpp - Memory that the ranks of a node share -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MPI's shared windows are files of /dev/shm, which has a limit of its own
// (64 MB in many containers) and which most systems keep from using huge
// pages. A file of memory without a name has neither trouble: a kernel from
// 6.1 on makes its pages huge when it is asked to.
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Window.h"
#include "runtime/Error.h"
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <mpi.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace tessera {

static constexpr int64_t hugePage = 2 << 20;

/// Maps all of \p file at an address that huge pages can have; null with the
/// reason in errno.
static char *mapAligned(int file, int64_t bytes) {
  void *room = mmap(nullptr, bytes + hugePage, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED)
    return nullptr;
  char *begin = static_cast<char *>(room);
  char *aligned =
      begin +
      (hugePage - reinterpret_cast<uintptr_t>(begin) % hugePage) % hugePage;
  void *mapped = mmap(aligned, bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_FIXED, file, 0);
  if (mapped == MAP_FAILED)
    return nullptr;
  if (aligned > begin)
    munmap(begin, aligned - begin);
  int64_t used = (bytes + 4095) / 4096 * 4096;
  munmap(aligned + used, begin + bytes + hugePage - (aligned + used));
  return aligned;
}

/// Best effort: a system without huge pages runs with small ones.
static void makeHuge(char *memory, int64_t bytes) {
  int64_t huge = bytes / hugePage * hugePage;
  // The kernel makes huge what has a page, many at a time for little.
  for (int64_t at = 0; at < huge; at += hugePage)
    memory[at] = 0;
  if (huge)
    madvise(memory, huge, MADV_COLLAPSE);
}

std::vector<char *> shareMemory(int64_t bytes,
                                const std::vector<int> &processes) {
  int own = memfd_create("tessera", MFD_CLOEXEC);
  if (own < 0 || ftruncate(own, bytes) != 0)
    fatal("the system cannot share %.3f GB among the ranks of this node (%s): "
          "TESSERA_COMM=messages does without",
          double(bytes) * 1e-9, strerror(errno));
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  std::vector<int> files(processes.size());
  MPI_Allgather(&own, 1, MPI_INT, files.data(), 1, MPI_INT, MPI_COMM_WORLD);
  std::vector<char *> parts;
  for (size_t peer = 0; peer < processes.size(); ++peer) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/fd/%d", processes[peer], files[peer]);
    bool isOwn = static_cast<int>(peer) == rank;
    int file = isOwn ? own : open(name, O_RDWR | O_CLOEXEC);
    char *memory = file < 0 ? nullptr : mapAligned(file, bytes);
    if (!memory)
      fatal("rank %d cannot map the memory of rank %zu (%s: %s): "
            "TESSERA_COMM=messages does without",
            rank, peer, name, strerror(errno));
    if (isOwn)
      makeHuge(memory, bytes);
    else
      close(file);
    parts.push_back(memory);
  }
  // Nobody needs a file's name once all have mapped it.
  MPI_Barrier(MPI_COMM_WORLD);
  close(own);
  return parts;
}

} // namespace tessera
