//===- Communicator.cpp - How ranks reach one another ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/Communicator.h"
#include "runtime/core/Error.h"
#include "runtime/core/Threads.h"
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace tessera::runtime {

void Communicator::exchange(const void *mine, void *all, size_t bytes) {
  if (bytes > exchangeLimit)
    fatal("internal error: an exchange of %zu bytes; a rank may give %zu, and "
          "Communicator::collect() takes any size",
          bytes, exchangeLimit);
  exchangeBytes(mine, all, bytes);
}

void Communicator::barrier() { any(false); }

bool Communicator::any(bool flag) { return agree(flag).any != 0; }

Communicator::Agreement Communicator::agree(uint8_t bits) {
  static constexpr int enough = 4096;
  uint8_t all[enough];
  if (ranks > enough)
    fatal("more than %d ranks are not supported", enough);
  exchange(&bits, all, 1);
  Agreement agreement;
  for (int rank = 0; rank < ranks; ++rank) {
    agreement.any |= all[rank];
    agreement.all &= all[rank];
  }
  return agreement;
}

std::vector<std::string> Communicator::collect(const std::string &mine) {
  auto size = static_cast<int64_t>(mine.size());
  std::vector<int64_t> sizes(ranks);
  exchange(&size, sizes.data(), sizeof size);
  std::vector<std::string> all(ranks);
  struct Piece {
    char bytes[exchangeLimit];
  } piece;
  std::vector<Piece> pieces(ranks);
  int64_t most = *std::max_element(sizes.begin(), sizes.end());
  for (int64_t at = 0; at < most; at += sizeof piece) {
    if (at < size)
      memcpy(&piece, mine.data() + at,
             std::min<int64_t>(sizeof piece, size - at));
    exchange(&piece, pieces.data(), sizeof piece);
    for (int rank = 0; rank < ranks; ++rank)
      if (at < sizes[rank])
        all[rank].append(pieces[rank].bytes,
                         std::min<int64_t>(sizeof piece, sizes[rank] - at));
  }
  return all;
}

void Communicator::failTogether(const char *reason) {
  uint8_t mine = reason != nullptr;
  std::vector<uint8_t> all(ranks);
  exchange(&mine, all.data(), 1);
  auto speaker = std::find(all.begin(), all.end(), 1) - all.begin();
  if (speaker == ownRank)
    printError(reason);
  // A launcher that sees one end with an error may end the others.
  finish();
  exitProcess(1);
}

std::vector<Collective> Communicator::resolve(const Program &program) const {
  std::vector<Collective> collectives = program.collectives;
  for (Collective &collective : collectives) {
    int64_t further = ownRank % collective.step * collective.stride;
    collective.source += further;
    collective.destination += further;
  }
  return collectives;
}

void requireMemory(int64_t bytes, int ranks) {
  FILE *file = fopen("/proc/meminfo", "r");
  if (!file)
    return;
  char line[128];
  double available = -1;
  while (fgets(line, sizeof line, file))
    if (long long kilobytes;
        sscanf(line, "MemAvailable: %lld kB", &kilobytes) == 1)
      available = double(kilobytes) * 1024;
  fclose(file);
  if (available < 0 || double(bytes) * ranks <= available)
    return;
  fatal("the plan needs %.3f GB for each of %d ranks on this node, which has "
        "%.3f GB of memory left: use more nodes, a higher ZeRO stage or a "
        "smaller micro-batch",
        double(bytes) * 1e-9, ranks, available * 1e-9);
}

char *mapPrivateArena(int64_t bytes, int64_t room) {
  size_t length = std::max<int64_t>(bytes, 1);
  void *address = nullptr;
  if (room > 0) {
    // Given back and taken anew, since the system does not count what replaces
    // another mapping.
    address = mmap(nullptr, length + room, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (address != MAP_FAILED)
      munmap(address, length);
  }
  if (address != MAP_FAILED)
    address =
        mmap(address, length, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | (address ? MAP_FIXED_NOREPLACE : 0),
             -1, 0);
  if (address == MAP_FAILED)
    fatal("cannot get the %.3f GB that the plan needs (%s): free memory, use "
          "more ranks or a higher ZeRO stage",
          bytes * 1e-9, strerror(errno));
  // Best effort: a kernel without huge pages runs with small ones.
  madvise(address, length, MADV_HUGEPAGE);
  char *arena = static_cast<char *>(address);
  parallelFor(length, 1 << 21, [&](int64_t begin, int64_t end) {
    memset(arena + begin, 0, end - begin);
  });
  return arena;
}

char *mapPrivateArena(const Program &program, OffloadFile *offload) {
  if (!offload)
    return mapPrivateArena(program.arenaBytes);
  int64_t end = program.offloadOffset + program.offloadBytes;
  char *arena = mapPrivateArena(program.arenaBytes, end - program.arenaBytes);
  offload->map(arena + program.offloadOffset);
  return arena;
}

} // namespace tessera::runtime
