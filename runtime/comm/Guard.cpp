//===- Guard.cpp - Calls of a library that may never return ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Guard.h"
#include "runtime/comm/Peers.h"
#include "runtime/core/Error.h"

namespace tessera::runtime {

Guard::Guard(std::function<void()> look)
    : look(std::move(look)), thread([this] { run(); }) {}

Guard::~Guard() {
  {
    std::lock_guard lock(mutex);
    ended = true;
  }
  ending.notify_one();
  thread.join();
}

Guard::Section::Section(Guard &guard, const char *what) : guard(guard) {
  std::lock_guard lock(guard.mutex);
  guard.what = what;
  guard.begin = std::chrono::steady_clock::now();
}

Guard::Section::~Section() {
  std::lock_guard lock(guard.mutex);
  guard.what = nullptr;
}

void Guard::run() {
  std::unique_lock lock(mutex);
  while (!ending.wait_for(lock, std::chrono::milliseconds(50),
                          [this] { return ended; })) {
    if (!what)
      continue;
    look();
    std::chrono::duration<double> waited =
        std::chrono::steady_clock::now() - begin;
    if (waited.count() <= timeoutSeconds())
      continue;
    giveRootALead();
    giveUpWaiting(waited.count(), {}, what);
  }
}

} // namespace tessera::runtime
