//===- Fit.cpp - The largest plan that fits a memory ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Fit.h"
#include "report/Figures.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"

#include <thread>

using namespace llvm;
using namespace tessera;

/// Without a list no larger value is tried.
static constexpr int64_t largestValue = 65536;

static Error refuse(const Axis &axis, const Twine &message) {
  return createStringError(inconvertibleErrorCode(),
                           "--vary " + join(axis.paths, ",") + ": " + message);
}

/// Leaves the values of \p axis that make a valid specification, ascending; the
/// others among them are \p invalid.
static Error chooseValues(const Planner &planner, Axis &axis,
                          std::vector<std::string> &invalid,
                          raw_ostream *progress) {
  std::vector<int64_t> values;
  bool isOpen = axis.values.empty();
  for (StringRef text : axis.values) {
    int64_t value;
    if (text.getAsInteger(10, value))
      return refuse(axis, "`" + text + "` is no whole number");
    values.push_back(value);
  }
  sort(values);
  values.erase(llvm::unique(values), values.end());
  if (isOpen)
    values.assign(seq<int64_t>(0, largestValue + 1).begin(),
                  seq<int64_t>(0, largestValue + 1).end());
  Axis valid{axis.paths, {}};
  int64_t last = 0;
  std::string one;
  for (int64_t value : values) {
    // What divides or limits the field has ended.
    if (isOpen && value > 4096 && value > 4 * last)
      break;
    if (progress && value % 256 == 0)
      *progress << "\r\x1b[Kchecking " << join(axis.paths, ",") << " = "
                << value;
    Axis candidate{axis.paths, {std::to_string(value)}};
    if (!planner.isValid(candidate.getSettings(0))) {
      // Nobody asks for what is below the least.
      if (!isOpen || last > 0)
        invalid.push_back(candidate.values[0]);
      continue;
    }
    valid.values.push_back(candidate.values[0]);
    last = value;
  }
  // Behind the last valid one an open list goes on without end.
  while (isOpen && !invalid.empty() && std::stoll(invalid.back()) > last)
    invalid.pop_back();
  if (valid.values.empty()) {
    Axis first{axis.paths, {isOpen ? "1" : std::to_string(values[0])}};
    return refuse(axis, "no value makes a valid specification; with " +
                            first.values[0] + ": " +
                            planner.plan(first.getSettings(0)).reason);
  }
  axis = std::move(valid);
  return Error::success();
}

namespace {
/// Finds where a line of candidates changes from one side to the other.
class Search {
public:
  Search(const Planner &planner, Fit &fit, raw_ostream *progress)
      : planner(planner), fit(fit), progress(progress) {}

  void run() {
    int64_t count = fit.axis.values.size();
    // What the first candidates are like, all do not fit (smallest) or fit.
    int64_t low = -1, high = count;
    int64_t workers = std::max(1u, std::thread::hardware_concurrency());
    // Steps that double, since large values are slow to plan: however many
    // cores there are, none is far above the largest that is known to fit.
    constexpr int64_t mostAhead = 3;
    for (int64_t at = 0, step = 1; high == count && low < count - 1;) {
      std::vector<int64_t> probes;
      for (int64_t i = 0; i < std::min(workers, mostAhead) && at < count; ++i) {
        probes.push_back(at);
        at = std::min(at + step, at == count - 1 ? count : count - 1);
        step *= 2;
      }
      narrow(probes, low, high);
    }
    while (high - low > 1) {
      std::vector<int64_t> probes;
      int64_t parts = std::min(workers, high - low - 1) + 1;
      for (int64_t i = 1; i < parts; ++i)
        probes.push_back(low + (high - low) * i / parts);
      narrow(probes, low, high);
    }
    int64_t best = fit.smallest ? high : low, next = fit.smallest ? low : high;
    if (best >= 0 && best < count)
      fit.best = take(best);
    if (next >= 0 && next < count)
      fit.next = take(next);
  }

private:
  /// Plans \p probes and moves the ends between which the change lies.
  void narrow(ArrayRef<int64_t> probes, int64_t &low, int64_t &high) {
    std::vector<Planner::Settings> variants;
    for (int64_t probe : probes)
      variants.push_back(fit.axis.getSettings(probe));
    if (progress)
      *progress << "\r\x1b[Kplanning " << join(fit.axis.paths, ",") << " = "
                << join(map_range(probes,
                                  [&](int64_t probe) -> StringRef {
                                    return fit.axis.values[probe];
                                  }),
                        ", ")
                << " of up to " << fit.axis.values.back();
    std::vector<Planner::Outcome> results = planner.plan(variants);
    for (auto [probe, outcome] : zip(probes, results)) {
      bool fits = outcome.report && outcome.report->peak <= fit.limit;
      if (fits != fit.smallest)
        low = std::max(low, probe);
      else
        high = std::min(high, probe);
      outcomes[probe] = std::move(outcome);
    }
  }

  Fit::Candidate take(int64_t index) {
    return {fit.axis.values[index], std::move(outcomes[index])};
  }

  const Planner &planner;
  Fit &fit;
  raw_ostream *progress;
  std::map<int64_t, Planner::Outcome> outcomes;
};
} // namespace

Expected<Fit> Fit::run(const Planner &planner, Axis axis, int64_t limit,
                       raw_ostream *progress) {
  Fit fit;
  scope_exit clear([&] {
    if (progress)
      *progress << "\r\x1b[K";
  });
  if (Error error = chooseValues(planner, axis, fit.invalid, progress))
    return error;
  if (!fit.invalid.empty()) {
    Axis first{axis.paths, {fit.invalid.front()}};
    fit.invalidReason = planner.plan(first.getSettings(0)).reason;
  }
  fit.smallest = is_contained(axis.paths, "parallel.world") ||
                 is_contained(axis.paths, "parallel.zero_stage");
  fit.axis = std::move(axis);
  fit.limit = limit;
  Search(planner, fit, progress).run();
  return fit;
}

/// What a value that does not fit would take.
static std::string describeExcess(const Fit::Candidate &candidate,
                                  int64_t limit) {
  const auto &report = candidate.outcome.report;
  if (!report)
    return "cannot be planned: " + candidate.outcome.reason;
  return "would take " + groupDigits(report->peak) + " bytes (" +
         formatBytes(report->peak) + "), " + formatBytes(report->peak - limit) +
         " too much";
}

void Fit::printText(raw_ostream &out) const {
  std::string field = join(axis.paths, ",");
  std::string memory =
      groupDigits(limit) + " bytes (" + formatBytes(limit) + ")";
  if (!best) {
    out << "No " << field << " fits " << memory << ".\n";
  } else {
    const PlanReport &report = *best->outcome.report;
    out << "The " << (smallest ? "smallest " : "largest ") << field
        << " that fits " << memory << " is " << best->value << ".\n  "
        << best->value << " takes " << groupDigits(report.peak) << " bytes ("
        << formatBytes(report.peak)
        << ") per rank: " << groupDigits(report.parameters) << " parameters, "
        << report.world << (report.world == 1 ? " rank" : " ranks")
        << ", ZeRO stage " << report.stage << ", a step predicted to take "
        << formatSeconds(report.predicted.step) << ".\n";
  }
  if (next)
    out << "  " << next->value << " " << describeExcess(*next, limit) << ".\n";
  else
    out << "  No " << (smallest ? "smaller" : "larger")
        << " value is left to try.\n";
  if (invalid.empty())
    return;
  constexpr size_t shown = 8;
  ArrayRef<std::string> some(invalid);
  out << "  No specification: " << join(some.take_front(shown), ", ");
  if (some.size() > shown)
    out << " and " << groupDigits(static_cast<int64_t>(some.size() - shown))
        << " others";
  out << "; with " << invalid.front() << ": " << invalidReason << "\n";
}

static void writeCandidate(json::OStream &json, StringRef key,
                           const std::optional<Fit::Candidate> &candidate) {
  json.attributeBegin(key);
  if (!candidate) {
    json.value(nullptr);
  } else {
    json.object([&] {
      json.attribute("value", std::stoll(candidate->value));
      if (candidate->outcome.report)
        writePlanFigures(*candidate->outcome.report, json);
      else
        json.attribute("error", candidate->outcome.reason);
    });
  }
  json.attributeEnd();
}

void Fit::printJson(raw_ostream &out) const {
  json::OStream json(out, 2);
  json.object([&] {
    json.attribute("vary", join(axis.paths, ","));
    json.attribute("wanted", smallest ? "smallest" : "largest");
    json.attribute("limit_bytes", limit);
    writeCandidate(json, "best", best);
    writeCandidate(json, "next", next);
    json.attributeArray("invalid", [&] {
      for (const std::string &value : invalid)
        json.value(std::stoll(value));
    });
  });
  out << "\n";
}
