//===- Log.h - What a training run tells ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_LOG_H
#define TESSERA_RUNTIME_LOG_H

#include <cstdint>
#include <string>

namespace tessera {

struct StepReport {
  int64_t step = 0;
  float loss = 0, gradNorm = 0;
  double lr = 0, milliseconds = 0;
  double communication = -1; ///< milliseconds; -1: one rank
  /// Model FLOPs utilisation: the step's operations over what the device could
  /// have done in its time; 0: its peak is not known.
  double mfu = 0;
  /// Milliseconds that a checkpoint made this step wait; 0: none did.
  double checkpointMilliseconds = 0;
  int64_t tokens = 0;       ///< of a step; 0: the step is an epoch
  int64_t batch = 0;        ///< samples of a step
  int64_t allocations = -1; ///< since the last step; -1: not counted
  double lossScale = 0;     ///< 0: the loss is not scaled
  bool skipped = false;     ///< its update was left out
  bool spike = false;       ///< of the loss (runtime/LossWatch.h)
};

/// Prints a line a step on standard output, a progress bar where standard
/// error is a terminal, and a line of JSON to a file. Allocates nothing after
/// it is made.
class StepLog {
public:
  /// \p path may be empty; \p append keeps what the file holds. A silent log
  /// (ranks other than 0) writes nothing.
  StepLog(bool silent, const std::string &path, bool append, int64_t steps);
  ~StepLog();
  StepLog(const StepLog &) = delete;
  StepLog &operator=(const StepLog &) = delete;

  void write(const StepReport &report);
  /// Removes the progress bar.
  void clear();

private:
  void drawBar(const StepReport &report);

  bool silent, bar = false, drawn = false;
  int file = -1;
  int64_t steps;
};

} // namespace tessera

#endif // TESSERA_RUNTIME_LOG_H
