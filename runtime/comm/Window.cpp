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
#include "runtime/core/Error.h"
#include "runtime/program/Offload.h"
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

namespace tessera::runtime {

static constexpr int64_t hugePage = 2 << 20;

/// Maps all of \p file at an address that huge pages can have, with \p room
/// bytes behind it reserved; null with the reason in errno.
static char *mapAligned(int file, int64_t bytes, int64_t room) {
  void *reserved = mmap(nullptr, bytes + room + hugePage, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED)
    return nullptr;
  char *begin = static_cast<char *>(reserved);
  char *aligned =
      begin +
      (hugePage - reinterpret_cast<uintptr_t>(begin) % hugePage) % hugePage;
  void *mapped = mmap(aligned, bytes, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_FIXED, file, 0);
  if (mapped == MAP_FAILED)
    return nullptr;
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

/// Descriptors of all ranks' files; \p own is this rank's.
static std::vector<int> openPeersFiles(const NodeRanks &node, int own) {
  std::vector<int> files(node.processes.size());
  node.exchange(&own, files.data(), sizeof own);
  for (int peer = 0; peer < static_cast<int>(files.size()); ++peer) {
    if (peer == node.rank) {
      files[peer] = own;
      continue;
    }
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/fd/%d", node.processes[peer],
             files[peer]);
    files[peer] = open(name, O_RDWR | O_CLOEXEC);
    if (files[peer] < 0)
      fatal("rank %d cannot open the memory of rank %d (%s: %s): %s", node.rank,
            peer, name, strerror(errno), node.remedy);
  }
  return files;
}

/// Closes them all but \p own once every rank has opened them.
static void closePeersFiles(const NodeRanks &node, int own,
                            const std::vector<int> &files) {
  std::vector<char> all(files.size());
  node.exchange("", all.data(), 1);
  for (int file : files)
    if (file != own)
      close(file);
}

std::vector<char *> shareMemory(const NodeRanks &node, int64_t bytes,
                                int64_t room) {
  int own = memfd_create("tessera", MFD_CLOEXEC);
  if (own < 0 || ftruncate(own, bytes) != 0)
    fatal("the system cannot share %.3f GB among the ranks of this node (%s): "
          "%s",
          double(bytes) * 1e-9, strerror(errno), node.remedy);
  std::vector<int> files = openPeersFiles(node, own);
  std::vector<char *> parts;
  for (int file : files) {
    parts.push_back(mapAligned(file, bytes, room));
    if (!parts.back())
      fatal("cannot map the %.3f GB of another rank (%s): free memory; %s",
            double(bytes) * 1e-9, strerror(errno), node.remedy);
    if (file == own)
      makeHuge(parts.back(), bytes);
  }
  closePeersFiles(node, own, files);
  close(own);
  return parts;
}

void shareFile(const NodeRanks &node, int file,
               const std::vector<char *> &places, int64_t bytes) {
  std::vector<int> files = openPeersFiles(node, file);
  for (size_t rank = 0; rank < files.size(); ++rank)
    if (files[rank] != file)
      mapFile(files[rank], places[rank], bytes);
  closePeersFiles(node, file, files);
}

} // namespace tessera::runtime
