//===- StepClock.h - Times on a GPU -----------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CUDA_STEPCLOCK_H
#define TESSERA_RUNTIME_CUDA_STEPCLOCK_H

#include "runtime/cuda/Device.h"
#include "runtime/program/StepClock.h"
#include <vector>

namespace tessera::runtime::cuda {

/// Marks are events. There are only so many: where a step has more marks, the
/// host waits for those before and reads them.
class GpuStepClock final : public StepClock {
public:
  static constexpr int64_t mostEvents = 1 << 16;

  /// For steps of at most \p marks marks, of which there is one: those beyond
  /// are the last. All memory is taken here. \p events of them at most are kept
  /// unread.
  GpuStepClock(const GpuDevice &device, int64_t marks,
               int64_t events = mostEvents);
  ~GpuStepClock() override;

  int64_t beginStep() override;
  int64_t markBegin(Lane lane) override;
  int64_t markEnd(Lane lane) override;
  void endStep() override;
  int64_t timeOf(int64_t mark) const override { return times[mark]; }

private:
  int64_t mark(Stream stream);
  Stream streamOf(Lane lane) const;
  /// Waits for what was issued and reads the marks that were not read yet.
  void read();

  const GpuDevice &device;
  Event start = nullptr; ///< when startTime was
  Event before = nullptr;
  int64_t startTime = 0;
  std::vector<Event> events;  ///< mark m is event m modulo their number
  std::vector<int64_t> times; ///< by mark
  int64_t marks = 0, known = 0;
};

} // namespace tessera::runtime::cuda

#endif // TESSERA_RUNTIME_CUDA_STEPCLOCK_H
