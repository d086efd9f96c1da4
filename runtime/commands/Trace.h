//===- Trace.h - Recorded steps as a Chrome trace ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_TRACE_H
#define TESSERA_RUNTIME_COMMANDS_TRACE_H

#include "runtime/program/ClockOffset.h"
#include "runtime/program/StepRecorder.h"
#include <string>
#include <vector>

namespace tessera::runtime {

/// What a trace says of its run.
struct TraceRun {
  std::string model;
  int world = 1, stage = 0, threads = 1;
  int64_t microBatches = 1;   ///< of a step at most
  int64_t reservedMemory = 0; ///< bytes of a rank's arena
  bool isOnDevice = false;    ///< whose streams are rows
};

/// Writes the events of recorded steps in the format of Chrome's traces ("Trace
/// Event Format"), an object with the array `traceEvents`: docs/runtime.md says
/// which. A text is built piece by piece, a rank at a time, with separator()
/// between ranks.
class TraceText {
public:
  /// Times count from \p start, nanoseconds of the clock of rank 0.
  TraceText(const StepTable &table, const TraceRun &run, int64_t start);

  /// What comes before all ranks; \p clocks of those that follow.
  std::string begin(const std::vector<ClockOffset> &clocks) const;
  /// The events of \p spans, which a rank has recorded, whose clock is as
  /// \p clock says.
  std::string rank(int number, const std::vector<Span> &spans,
                   const ClockOffset &clock) const;
  static const char *separator() { return ",\n"; }
  static const char *end() { return "\n]}\n"; }

private:
  class Writer;

  const StepTable &table;
  const TraceRun &run;
  int64_t start;
};

/// \p spans as few bytes, and back. They are put in the order in which they
/// begin, each before those within it.
std::string packSpans(std::vector<Span> spans);
std::vector<Span> unpackSpans(const std::string &bytes);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_TRACE_H
