//===- HeldSignals.h - Signals that wait ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_HELDSIGNALS_H
#define TESSERA_DRIVER_HELDSIGNALS_H

#include <array>
#include <csignal>

namespace tessera {

/// While one of these lives, signals that ask the process to end wait for it:
/// files that nobody has noted for removal yet are not left behind. One at a
/// time.
class HeldSignals {
public:
  HeldSignals() {
    noted = 0;
    struct sigaction note = {};
    note.sa_handler = [](int signal) { noted = signal; };
    note.sa_flags = SA_RESTART;
    for (size_t i = 0; i < signals.size(); ++i)
      sigaction(signals[i], &note, &before[i]);
  }
  ~HeldSignals() {
    for (size_t i = 0; i < signals.size(); ++i)
      sigaction(signals[i], &before[i], nullptr);
    if (noted)
      raise(noted);
  }
  HeldSignals(const HeldSignals &) = delete;
  HeldSignals &operator=(const HeldSignals &) = delete;

private:
  static constexpr std::array<int, 3> signals = {SIGHUP, SIGINT, SIGTERM};
  static inline volatile std::sig_atomic_t noted = 0;
  std::array<struct sigaction, signals.size()> before;
};

} // namespace tessera

#endif // TESSERA_DRIVER_HELDSIGNALS_H
