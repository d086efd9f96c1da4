//===- Plot.cpp - The curves of runs, and their profiles ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Output.h"
#include "driver/RunLogs.h"
#include "driver/TracePlot.h"
#include "report/Curves.h"

#include <cmath>

using namespace llvm;
using namespace tessera;

/// Whether all lines of \p log have \p name, and it never falls.
static bool canBeAxis(const RunLog &log, StringRef name) {
  const LogSeries *series = log.find(name);
  if (!series || ArrayRef(series->steps) != log.getSteps())
    return false;
  for (size_t i = 0; i < series->values.size(); ++i)
    if (!std::isfinite(series->values[i]) ||
        (i > 0 && series->values[i] < series->values[i - 1]))
      return false;
  return true;
}

/// The folders that all of \p paths begin with, with a slash behind them.
static StringRef commonFolders(ArrayRef<std::string> paths) {
  StringRef common = paths.front();
  common = common.take_front(common.rfind('/') + 1);
  for (StringRef path : paths)
    while (!path.starts_with(common))
      common = common.take_front(common.drop_back().rfind('/') + 1);
  return common;
}

LogicalResult tessera::runPlot(const PlotOptions &options) {
  SmallVector<NamedTrace> traces;
  for (const std::string &path : options.logs) {
    Expected<std::optional<Trace>> trace = readTrace(path);
    if (!trace)
      return failCommand(toString(trace.takeError()));
    if (*trace)
      traces.push_back({path.substr(commonFolders(options.logs).size()),
                        std::move(**trace)});
  }
  if (traces.size() == options.logs.size()) {
    if (options.plan.empty() &&
        !(options.overrides.empty() && options.machine.empty()))
      return failCommand("--set and --machine change the plan of --plan SPEC; "
                         "give it, too");
    return plotTraces(options, traces);
  }
  if (!traces.empty())
    return failCommand("a page has curves of logs or profiles of traces, and " +
                       Twine(traces.size()) + " of these " +
                       Twine(options.logs.size()) +
                       " are traces; plot them apart");
  if (!options.plan.empty() || !options.overrides.empty() ||
      !options.machine.empty())
    return failCommand("--plan, --set and --machine are of traces, as train "
                       "--profile writes them; these are logs");
  if (options.by != "step" && options.by != "tokens" && options.by != "epoch")
    return failCommand("--by " + options.by +
                       ": curves are over step, tokens or epoch; choose one");
  if (options.smooth < 1)
    return failCommand("--smooth takes a number of lines from 1 on");
  std::vector<NamedRun> runs;
  StringRef folders = commonFolders(options.logs);
  std::vector<runtime::UsedFile> used;
  for (const std::string &path : options.logs) {
    Expected<RunLog> log = readRunLog(path);
    if (!log)
      return failCommand(toString(log.takeError()));
    if (options.by != "step" && !canBeAxis(*log, options.by))
      return failCommand("--by " + options.by + ": the lines of " + path +
                         " do not all have \"" + options.by +
                         "\", or not in order; choose --by step");
    runs.push_back({path.substr(folders.size()), std::move(*log)});
    used.push_back({"a log that is read", path});
  }
  Output output;
  if (Error error = output.open(options.output, used))
    return failCommand(toString(std::move(error)));
  CurvesOptions curves;
  curves.by = options.by;
  curves.smooth = options.smooth;
  return writeOutput(output,
                     [&](raw_ostream &out) { printCurves(runs, curves, out); });
}
