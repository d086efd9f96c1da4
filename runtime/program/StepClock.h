//===- StepClock.h - Times on a device --------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a device does is timed on the device, as the host only issues it. A mark
// is a place in the order of what is issued; when the device came to it is
// known once the step has ended.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PROGRAM_STEPCLOCK_H
#define TESSERA_RUNTIME_PROGRAM_STEPCLOCK_H

#include <cstdint>

namespace tessera::runtime {

/// What runs beside each other on a device.
enum class Lane { Compute, Communication };

class StepClock {
public:
  virtual ~StepClock() = default;

  /// A step begins, for which marks count from 0, once the device has nothing
  /// to do. The host's time, in nanoseconds of the steady clock.
  virtual int64_t beginStep() = 0;

  /// Marks where what is issued to \p lane from here on begins, and where what
  /// has been issued to it ends. What communicates begins after what has been
  /// issued to compute.
  virtual int64_t markBegin(Lane lane) = 0;
  virtual int64_t markEnd(Lane lane) = 0;

  /// Waits until all that was issued is done.
  virtual void endStep() = 0;
  /// The time of \p mark, of the step that has ended, by the host's clock.
  virtual int64_t timeOf(int64_t mark) const = 0;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_PROGRAM_STEPCLOCK_H
