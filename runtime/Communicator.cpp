//===- Communicator.cpp - How ranks reach one another ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Communicator.h"
#include "runtime/Error.h"
#include "runtime/Threads.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>

namespace tessera {

void Communicator::barrier() { any(false); }

bool Communicator::any(bool flag) {
  static constexpr int enough = 4096;
  char mine = flag, all[enough];
  if (ranks > enough)
    fatal("more than %d ranks are not supported", enough);
  exchange(&mine, all, 1);
  return std::any_of(all, all + ranks, [](char other) { return other != 0; });
}

char *mapPrivateArena(int64_t bytes) {
  size_t length = std::max<int64_t>(bytes, 1);
  void *address = mmap(nullptr, length, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
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

} // namespace tessera
