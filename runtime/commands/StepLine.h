//===- StepLine.h - A step in a line ----------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_STEPLINE_H
#define TESSERA_RUNTIME_COMMANDS_STEPLINE_H

#include "runtime/commands/Log.h"
#include <cstdint>

namespace tessera::runtime {

/// What a line says of a step. One that has to fit a terminal leaves out what
/// says least. Allocates nothing.
class StepLine {
public:
  /// \p columns: how long the line may be; 0: as long as it gets.
  explicit StepLine(int columns) : columns(columns) {}

  /// Adds \p format's text, which is set apart from what is before it. Of a
  /// line that is too long those with the largest \p importance numbers go
  /// first; 0 stays.
  void add(int importance, const char *format, ...)
      __attribute__((format(printf, 3, 4)));

  /// Writes it to \p line, of \p room characters, without a zero or a new line;
  /// how many characters it has.
  int write(char *line, int room);

private:
  static constexpr int mostParts = 24, longestPart = 64;
  struct Part {
    char text[longestPart];
    int length = 0, importance = 0;
  };
  int length() const;

  int columns;
  Part parts[mostParts];
  int count = 0;
};

/// What a step learned from, for its rate: "tokens", "nodes" or "epochs", and
/// how many of them in a second.
struct StepRate {
  const char *unit;
  double perSecond;
  bool isCount; ///< it has no use for decimals
};
StepRate rateOf(const StepReport &report);

/// \p seconds as h:mm:ss.
void writeDuration(char (&text)[24], double seconds);

/// Adds what a step has computed to \p line, as step \p report.step of
/// \p steps.
void addStep(StepLine &line, const StepReport &report, int64_t steps);

/// Adds what was measured after it.
void addScores(StepLine &line, const StepReport &report);

/// Adds how far the run is: \p secondsLeft, the epoch and the tokens seen.
void addProgress(StepLine &line, const StepReport &report, double secondsLeft);

/// Writes a bar of the share of \p steps that is done, with its percentage and
/// how far the run is, to \p line; how many characters it has. \p columns: of
/// the terminal, 0 where that is not known.
int writeBar(char *line, int room, const StepReport &report, int64_t steps,
             double secondsLeft, int columns);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_STEPLINE_H
