//===- Log.h - What a training run reports ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_LOG_H
#define TESSERA_RUNTIME_COMMANDS_LOG_H

#include "runtime/commands/Terminal.h"
#include "runtime/training/Evaluation.h"
#include <array>
#include <chrono>
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
  double epoch = 0;         ///< of the data, with this step; 1: all of it once
  int64_t tokensSeen = 0;   ///< with those of this step and all before
  int64_t allocations = -1; ///< since the last step; -1: not counted
  double lossScale = 0;     ///< 0: the loss is not scaled
  bool skipped = false;     ///< its update was left out
  bool spike = false;       ///< of the loss (runtime/training/LossWatch.h)
  /// The model's after the step, if any.
  std::array<SplitScore, 3> scores;
  int scoreCount = 0;
};

/// Prints lines of steps on standard output, a progress bar on the terminal
/// that they get to, and lines of JSON to a file. Allocates nothing after it is
/// opened. What cannot be written is said once and keeps no step from being
/// made.
class StepLog {
public:
  /// A silent log (ranks other than 0) writes nothing. Lines are those of each
  /// \p every -th step, of the first and last of a run, and of what is worth a
  /// word: a step that is skipped, or a spike.
  StepLog(bool silent, int64_t steps, int64_t every);
  ~StepLog();
  StepLog(const StepLog &) = delete;
  StepLog &operator=(const StepLog &) = delete;

  /// Has lines go to \p path; empty: nowhere; "-": standard output, what is for
  /// people then goes to standard error. \p append goes on after what the file
  /// holds, but for a last line that is torn; without it the process exits
  /// where the file holds anything.
  void open(const std::string &path, bool append);

  /// Has the bar show the step, and lines where they are due.
  void write(const StepReport &report);
  /// Writes the scores alone, of a step whose lines were written before.
  void writeScores(const StepReport &report);
  /// Removes the progress bar.
  void clear();
  /// Writes the lines of the last step, where they are not there, and has the
  /// system put them on the disk.
  void finish();
  /// Whether a line is lost that somebody may miss: the disk was full, say. A
  /// reader of the lines that has gone misses nothing.
  bool failed() const { return lost; }

private:
  void openFile(bool append);
  bool isDue(const StepReport &report) const;
  void writeLines(const StepReport &report);
  void recordStep(const StepReport &report);
  double secondsLeft(const StepReport &report);
  void mend();
  void print(const char *line, int length, int room);
  void record(const char *line, int length);
  void lose(int descriptor, const char *what);
  void drawBar(const StepReport &report, double secondsLeft);

  bool silent, drawn = false, prints = true;
  Terminal terminal;
  int bar = -1;      ///< the stream of the bar; -1: there is none
  bool lost = false; ///< said, too
  std::string path;
  int file = -1;
  bool isNew = false;  ///< the file, without a line
  std::string created; ///< its name with links followed, while it is new
  int64_t end = -1;    ///< of the last whole line; -1: no regular file
  int64_t steps, every;
  /// The last step, whose lines may not be there yet; its number is 0 before
  /// the first one.
  StepReport last;
  bool isPending = false;
  /// Seconds of a step, with what goes on between steps: a mean that forgets.
  double stepSeconds = 0;
  int64_t timed = 0; ///< steps in it
  std::chrono::steady_clock::time_point lastTime;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_LOG_H
