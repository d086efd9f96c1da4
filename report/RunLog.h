//===- RunLog.h - What a run has logged -------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A log, as `train --log FILE` writes it, is a line of JSON for each of some
// steps (docs/runtime.md). A line may lack numbers that others have.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_RUNLOG_H
#define TESSERA_REPORT_RUNLOG_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tessera {

/// A line of a log.
struct LogLine {
  int64_t step = 0;
  /// Numbers by their names, in the order of these; null is not a number (NaN).
  std::vector<std::pair<std::string, double>> values;
};

/// Fails, with a reason, where \p text is no line of a log.
llvm::Expected<LogLine> parseLogLine(llvm::StringRef text);

/// A number over the steps that have it, which ascend.
struct LogSeries {
  std::vector<int64_t> steps;
  std::vector<double> values;
};

/// A log as it counts: of steps that are there twice, since a run was resumed
/// from before them, the later ones.
class RunLog {
public:
  void add(const LogLine &line);
  /// All steps that have a line.
  llvm::ArrayRef<int64_t> getSteps() const { return steps; }
  /// By their names: "loss".
  const std::map<std::string, LogSeries> &getSeries() const { return series; }
  /// Null where no line has it.
  const LogSeries *find(llvm::StringRef name) const;

private:
  std::vector<int64_t> steps;
  std::map<std::string, LogSeries> series;
};

/// Reads the file \p path; "-" is the standard input. A last line without its
/// end, which a run is writing, is left out. Fails, with the line, on what is
/// no log.
llvm::Expected<RunLog> readRunLog(llvm::StringRef path);

} // namespace tessera

#endif // TESSERA_REPORT_RUNLOG_H
