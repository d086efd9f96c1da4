//===- RunLogs.h - Commands on logs of runs ---------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     tessera plot LOG... -o FILE [--by step|tokens|epoch] [--smooth N]
//     tessera plot TRACE... -o FILE [--plan SPEC] [--set path=value]...
//     tessera tensorboard LOG DIR [--follow]
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_RUNLOGS_H
#define TESSERA_DRIVER_RUNLOGS_H

#include "llvm/Support/LogicalResult.h"
#include <string>
#include <vector>

namespace tessera {

struct PlotOptions {
  /// As `train --log` writes them, or `train --profile`.
  std::vector<std::string> logs;
  std::string output;
  std::string by;     ///< what is below the curves: step, tokens or epoch
  int64_t smooth = 1; ///< lines that a point is the mean of
  // Of traces.
  std::string plan;                   ///< a specification, if any
  std::vector<std::string> overrides; ///< `path=value`, of --set
  std::string machine;
};

struct TensorBoardOptions {
  std::string log;
  std::string directory; ///< of a run, which is made where it is missing
  /// Goes on with what the run adds to the log, until a signal.
  bool follow = false;
};

// Each writes its errors to the standard error and fails then.

/// Writes a page with the curves of runs, or with profiles over their plan.
llvm::LogicalResult runPlot(const PlotOptions &options);

/// Writes a log's numbers as events that TensorBoard reads.
llvm::LogicalResult runTensorBoard(const TensorBoardOptions &options);

} // namespace tessera

#endif // TESSERA_DRIVER_RUNLOGS_H
