//===- HeldSignals.h - Signals that wait ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_HELDSIGNALS_H
#define TESSERA_DRIVER_HELDSIGNALS_H

#include <csignal>

namespace tessera {

/// While one of these lives, signals that ask this thread's process to end wait
/// for it: files that nobody has noted for removal yet are not left behind.
/// Programs that are started meanwhile do not see them either.
class HeldSignals {
public:
  HeldSignals() {
    sigset_t held;
    sigemptyset(&held);
    for (int signal : {SIGHUP, SIGINT, SIGTERM})
      sigaddset(&held, signal);
    pthread_sigmask(SIG_BLOCK, &held, &before);
  }
  ~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
  HeldSignals(const HeldSignals &) = delete;
  HeldSignals &operator=(const HeldSignals &) = delete;

private:
  sigset_t before;
};

} // namespace tessera

#endif // TESSERA_DRIVER_HELDSIGNALS_H
