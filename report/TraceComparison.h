//===- TraceComparison.h - Measured times beside predicted ones -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_TRACECOMPARISON_H
#define TESSERA_REPORT_TRACECOMPARISON_H

#include "report/Timeline.h"
#include "report/Trace.h"

#include <map>
#include <optional>

namespace tessera {

/// Times in seconds, the mean of what was measured and what is predicted.
struct ComparedTime {
  double times = 0; ///< how often it runs in a step of training
  double measured = 0;
  std::optional<double> predicted;

  /// Measured over predicted; 0 where nothing is predicted.
  double ratio() const {
    return predicted && *predicted > 0 ? measured / *predicted : 0;
  }
  /// What is measured beyond what is predicted.
  double excess() const { return measured - predicted.value_or(0); }
  void add(const ComparedTime &other);
};

/// What took how long in the steps of a trace: means over its steps and ranks,
/// of a step of training of one rank.
class TraceComparison {
public:
  /// \p timeline, of the plan of \p trace, may be null.
  TraceComparison(const Trace &trace, const Timeline *timeline);

  /// One run of step \p planStep of the plan, on average; null where it was not
  /// recorded.
  const ComparedTime *find(int64_t planStep) const;

  using Times = std::map<std::string, ComparedTime>;
  const Times &byKind() const { return kinds; }
  /// By "LAYER: KIND" and by the names of steps.
  const Times &byLayer() const { return layers; }
  const Times &byName() const { return names; }

  /// Of whole steps.
  const ComparedTime &step() const { return whole; }
  /// Of the measured steps, what the events within them add up to that do not
  /// go on beside others.
  double covered() const { return eventSeconds; }
  /// Waiting for other ranks and copying what they have sent.
  double communication() const { return communicationSeconds; }

private:
  std::vector<ComparedTime> steps; ///< by their number in the plan, one run
  Times kinds, layers, names;
  ComparedTime whole;
  double eventSeconds = 0, communicationSeconds = 0;
};

} // namespace tessera

#endif // TESSERA_REPORT_TRACECOMPARISON_H
