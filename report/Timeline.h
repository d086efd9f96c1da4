//===- Timeline.h - When the steps of a plan run ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_TIMELINE_H
#define TESSERA_REPORT_TIMELINE_H

#include "report/CostModel.h"
#include <string>
#include <vector>

namespace tessera {

/// What a step of training is predicted to take, in seconds; each moment of it
/// is counted under one of the four: step = compute + memory + launch +
/// exposed.
struct Prediction {
  double step = 0;
  double compute = 0; ///< of steps that their arithmetic bounds
  double memory = 0;  ///< of steps that their bytes bound
  double launch = 0;
  double exposed = 0;       ///< communication that nothing hides
  double communication = 0; ///< all of it, hidden or not

  /// All steps of one kind.
  struct Kind {
    std::string name;
    int64_t times = 0;
    double seconds = 0, flops = 0, bytes = 0;
    double busy = 0; ///< seconds, of a collective those of the link
  };
  /// In the order in which they first run; collectives, whose bytes are those
  /// received and whose seconds those exposed, last.
  std::vector<Kind> kinds;
};

/// One rank's step of training, laid out in time: the section "micro" once,
/// whatever the number of micro-batches.
struct Timeline {
  /// Something that runs from `begin` to `end` (seconds).
  struct Event {
    mlir::Operation *op;
    llvm::StringRef kind;
    double begin, end;
    StepCost cost; ///< not of a collective
  };
  struct Section {
    std::string name;
    double begin, end;
    int64_t times; ///< in a step of training
  };

  std::vector<Event> compute, communication;
  std::vector<Section> sections;
  /// When the step of each number begins, and the end.
  std::vector<double> starts;
  /// How long the link is busy with what the step of each number starts.
  std::vector<double> messages;
  Prediction prediction;

  static Timeline make(plan::ProgramOp program, CostModel &model);
};

} // namespace tessera

#endif // TESSERA_REPORT_TIMELINE_H
