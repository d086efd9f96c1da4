//===- Log.h - What a training run reports ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_LOG_H
#define TESSERA_RUNTIME_COMMANDS_LOG_H

#include <cstdint>
#include <string>

namespace tessera::runtime {

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
  int64_t tokens = 0;       ///< of a step; 0: it learns from a graph
  int64_t seeds = 0;        ///< nodes of a step; 0: a graph's step is an epoch
  int64_t batch = 0;        ///< samples of a step
  int64_t allocations = -1; ///< since the last step; -1: not counted
  double lossScale = 0;     ///< 0: the loss is not scaled
  bool skipped = false;     ///< its update was left out
  bool spike = false;       ///< of the loss (runtime/training/LossWatch.h)
};

/// Prints a line per step on standard output, a progress bar where standard
/// error is a terminal, and a line of JSON to a file. Allocates nothing after
/// it is made. What cannot be written is said once and keeps no step from being
/// made.
class StepLog {
public:
  /// A silent log (ranks other than 0) writes nothing.
  StepLog(bool silent, int64_t steps);
  ~StepLog();
  StepLog(const StepLog &) = delete;
  StepLog &operator=(const StepLog &) = delete;

  /// Has lines go to \p path; empty: nowhere; "-": standard output, what is for
  /// people then goes to standard error. \p append goes on after what the file
  /// holds, but for a last line that is torn; without it the process exits
  /// where the file holds anything.
  void open(const std::string &path, bool append);

  void write(const StepReport &report);
  /// Removes the progress bar.
  void clear();
  /// Has the system put the lines on the disk.
  void finish();
  /// Whether a line is lost that somebody may miss: the disk was full, say. A
  /// reader of the lines that has gone misses nothing.
  bool failed() const { return lost; }

private:
  void openFile(bool append);
  void mend();
  void print(const char *line, int length, int room);
  void record(const char *line, int length);
  void lose(int descriptor, const char *what);
  void drawBar(const StepReport &report);

  bool silent, bar, drawn = false, prints = true;
  bool lost = false; ///< said, too
  std::string path;
  int file = -1;
  bool isNew = false;  ///< the file, without a line
  std::string created; ///< its name with links followed, while it is new
  int64_t end = -1;    ///< of the last whole line; -1: no regular file
  int64_t steps;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_LOG_H
