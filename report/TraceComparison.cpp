//===- TraceComparison.cpp - Measured times beside predicted ones ---------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/TraceComparison.h"

using namespace tessera;

void ComparedTime::add(const ComparedTime &other) {
  times += other.times;
  measured += other.measured;
  if (other.predicted)
    predicted = predicted.value_or(0) + *other.predicted;
}

TraceComparison::TraceComparison(const Trace &trace, const Timeline *timeline) {
  struct Sum {
    const Trace::Event *first = nullptr, *last = nullptr;
    const Trace::Step *step = nullptr; ///< of the last
    double runs = 0, seconds = 0;
  };
  // Of the plan's steps by their number, of all else by its name.
  std::map<int64_t, Sum> planned;
  std::map<std::string, Sum> others;
  for (const Trace::Step &step : trace.steps) {
    whole.measured += step.seconds();
    for (const Trace::Event &event : step.events) {
      Sum &sum =
          event.planStep >= 0 ? planned[event.planStep] : others[event.name];
      if (!sum.first)
        sum.first = &event;
      // A kernel may be several grids, and a step of a file several calls.
      bool isMore = event.planStep >= 0 && sum.step == &step &&
                    sum.last->micro == event.micro;
      sum.runs += isMore ? 0 : 1;
      sum.seconds += event.seconds();
      sum.last = &event;
      sum.step = &step;
    }
  }
  auto count = static_cast<double>(trace.steps.size());
  whole.times = 1;
  whole.measured /= count;
  if (timeline)
    whole.predicted = timeline->prediction.step;
  auto add = [&](const Sum &sum, std::optional<double> predicted) {
    ComparedTime time = {sum.runs / count, sum.seconds / count, predicted};
    const Trace::Event &event = *sum.first;
    std::string kind = event.kind;
    if (event.isAside)
      kind += " (beside computation)";
    kinds[kind].add(time);
    layers[event.layer.empty() ? kind : event.layer + ": " + kind].add(time);
    names[event.name].add(time);
    if (!event.isAside)
      eventSeconds += time.measured;
    if (event.waits)
      communicationSeconds += time.measured;
  };
  for (const auto &[number, sum] : planned) {
    std::optional<double> once;
    if (timeline && number + 1 < std::ssize(timeline->starts)) {
      once = timeline->starts[number + 1] - timeline->starts[number];
      // A device's start lasts as long as what it starts.
      if (trace.isOnDevice)
        *once += timeline->messages[number];
    }
    if (number >= std::ssize(steps))
      steps.resize(number + 1);
    steps[number] = {1, sum.seconds / sum.runs, once};
    add(sum, once ? std::optional(sum.runs / count * *once) : std::nullopt);
  }
  for (const auto &[name, sum] : others)
    add(sum, std::nullopt);
}

const ComparedTime *TraceComparison::find(int64_t planStep) const {
  bool isKnown = planStep >= 0 && planStep < std::ssize(steps) &&
                 steps[planStep].times > 0;
  return isKnown ? &steps[planStep] : nullptr;
}
