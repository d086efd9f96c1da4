//===- StepClock.cpp - Times on a GPU -------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/StepClock.h"
#include <algorithm>
#include <chrono>
#include <cmath>

namespace tessera::runtime::cuda {

/// Nanoseconds of the clock that StepRecorder::now reads.
static int64_t hostTime() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

GpuStepClock::GpuStepClock(const GpuDevice &device, int64_t marks, int64_t most)
    : device(device), before(device.makeEvent()), events(std::min(marks, most)),
      times(marks) {
  driver().eventCreate(&start, EventDefault);
  for (Event &event : events)
    driver().eventCreate(&event, EventDefault);
}

GpuStepClock::~GpuStepClock() {
  for (Event event : events)
    driver().eventDestroy(event);
  driver().eventDestroy(start);
  driver().eventDestroy(before);
}

int64_t GpuStepClock::beginStep() {
  device.synchronize(device.communication());
  device.synchronize(device.compute());
  marks = known = 0;
  // Not later than the event, so that nothing ends behind its step; an idle
  // stream records it within microseconds.
  startTime = hostTime();
  driver().eventRecord(start, device.compute());
  device.synchronize(device.compute());
  return startTime;
}

Stream GpuStepClock::streamOf(Lane lane) const {
  return lane == Lane::Compute ? device.compute() : device.communication();
}

int64_t GpuStepClock::markBegin(Lane lane) {
  // Waiting for what is communicated is no communication.
  if (lane == Lane::Communication)
    device.order(device.compute(), device.communication(), before);
  return mark(streamOf(lane));
}

int64_t GpuStepClock::markEnd(Lane lane) { return mark(streamOf(lane)); }

int64_t GpuStepClock::mark(Stream stream) {
  if (marks == std::ssize(times))
    return marks - 1;
  if (marks - known == std::ssize(events))
    read();
  driver().eventRecord(events[marks % std::ssize(events)], stream);
  return marks++;
}

void GpuStepClock::read() {
  device.synchronize(device.communication());
  device.synchronize(device.compute());
  for (; known < marks; ++known) {
    float milliseconds = 0;
    driver().eventElapsedTime(&milliseconds, start,
                              events[known % std::ssize(events)]);
    times[known] = startTime + std::llround(double(milliseconds) * 1e6);
  }
}

void GpuStepClock::endStep() { read(); }

} // namespace tessera::runtime::cuda
