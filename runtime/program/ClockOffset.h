//===- ClockOffset.h - How far the clocks of ranks are apart ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PROGRAM_CLOCKOFFSET_H
#define TESSERA_RUNTIME_PROGRAM_CLOCKOFFSET_H

#include "runtime/program/Communicator.h"
#include <cstdint>
#include <limits>
#include <vector>

namespace tessera::runtime {

/// Bounds, in nanoseconds, of what a clock is ahead of another one.
class ClockBounds {
public:
  /// Both took part in a barrier, which each entered and left at these times of
  /// its own clock. Nobody leaves before all have entered, so each of the two
  /// left after the other entered (as in Marzullo and Owicki, PODC 1983, where
  /// servers answer with intervals).
  void narrow(int64_t entered, int64_t left, int64_t otherEntered,
              int64_t otherLeft) {
    low = std::max(low, entered - otherLeft);
    high = std::min(high, left - otherEntered);
  }
  int64_t offset() const { return low + (high - low) / 2; }
  /// The offset is so much wrong at most, while the clocks run alike.
  int64_t uncertainty() const { return std::max<int64_t>(0, high - low) / 2; }

private:
  int64_t low = std::numeric_limits<int64_t>::min() / 4,
          high = std::numeric_limits<int64_t>::max() / 4;
};

/// What the steady clock of a rank is ahead of that of rank 0.
struct ClockOffset {
  int64_t nanoseconds = 0, uncertainty = 0;
};

/// The offsets of all ranks, on each of them; all call it. Ranks of one machine
/// have one clock: 0, exactly.
std::vector<ClockOffset> compareClocks(Communicator &communicator);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_PROGRAM_CLOCKOFFSET_H
