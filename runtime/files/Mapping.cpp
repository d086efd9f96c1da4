//===- Mapping.cpp - Mapped files that may fail ---------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/Mapping.h"
#include "runtime/core/Error.h"
#include <atomic>
#include <csignal>
#include <cstdio>

namespace tessera::runtime {
namespace {

struct Mapping {
  /// Free: nothing; reserved: 1; else the address.
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};
  char name[256];
};

constexpr uintptr_t reserved = 1;
Mapping mappings[64];

/// Only what may be done in a signal's handler.
void endByFault(int number, siginfo_t *info, void *) {
  auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (const Mapping &mapping : mappings) {
    uintptr_t begin = mapping.begin.load();
    if (begin > reserved && address >= begin && address < mapping.end.load())
      fatalInHandler("'%s' cannot be read any more: it has been cut short, or "
                     "its disk fails",
                     mapping.name);
  }
  // None of ours: the access is made again, and ends the process.
  signal(number, SIG_DFL);
}

} // namespace

void registerMapping(const void *address, int64_t bytes, const char *name) {
  static const bool installed = [] {
    struct sigaction action = {};
    action.sa_sigaction = endByFault;
    action.sa_flags = SA_SIGINFO;
    return sigaction(SIGBUS, &action, nullptr) == 0;
  }();
  if (!installed)
    return;
  for (Mapping &mapping : mappings) {
    uintptr_t free = 0;
    if (!mapping.begin.compare_exchange_strong(free, reserved))
      continue;
    snprintf(mapping.name, sizeof mapping.name, "%s", name);
    auto begin = reinterpret_cast<uintptr_t>(address);
    mapping.end = begin + bytes;
    mapping.begin = begin;
    return;
  }
}

void unregisterMapping(const void *address) {
  for (Mapping &mapping : mappings)
    if (mapping.begin == reinterpret_cast<uintptr_t>(address))
      mapping.begin = 0;
}

} // namespace tessera::runtime
