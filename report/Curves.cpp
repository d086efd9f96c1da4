//===- Curves.cpp - Runs as curves ----------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/Curves.h"
#include "report/CurveChart.h"
#include "report/Figures.h"
#include "report/Html.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"

#include <cmath>

using namespace tessera;
using namespace llvm;

namespace {

/// Numbers that share a chart; the first one leads.
struct ChartKind {
  StringRef title;
  SmallVector<StringRef, 4> fields;
};

/// The charts of numbers that are known, in their order on the page; those of
/// others follow under their names.
const ChartKind known[] = {
    {"Loss", {"loss", "train_loss", "val_loss", "test_loss"}},
    {"Accuracy",
     {"accuracy", "train_accuracy", "val_accuracy", "test_accuracy"}},
    {"Gradient norm", {"grad_norm"}},
    {"Learning rate", {"lr"}},
    {"Tokens per second", {"tokens_per_second"}},
    {"Nodes per second", {"nodes_per_second"}},
    {"Epochs per second", {"epochs_per_second"}},
};
/// What is no curve: counts, and times that a speed says better.
constexpr StringLiteral plain[] = {"batch", "epoch", "tokens", "ms",
                                   "checkpoint_ms"};

/// Of runs, again from the start where there are more.
constexpr StringLiteral colours[] = {"#4269d0", "#e0605e", "#3ca951",
                                     "#efb118", "#9b6bd3", "#2ca5a5",
                                     "#d2669c", "#8a6d4b"};

std::vector<ChartKind> findCharts(ArrayRef<NamedRun> runs) {
  std::vector<ChartKind> charts(std::begin(known), std::end(known));
  StringSet<> placed;
  for (StringRef name : plain)
    placed.insert(name);
  for (const ChartKind &chart : charts)
    for (StringRef field : chart.fields)
      placed.insert(field);
  for (const NamedRun &run : runs)
    for (const auto &[name, series] : run.log.getSeries())
      if (placed.insert(name).second)
        charts.push_back({name, {name}});
  erase_if(charts, [&](const ChartKind &chart) {
    return none_of(chart.fields, [&](StringRef field) {
      return any_of(runs, [&](const NamedRun &run) {
        return run.log.find(field) != nullptr;
      });
    });
  });
  return charts;
}

/// The mean of each value and those before it, \p count at most, without what
/// is not finite.
std::vector<double> smoothed(ArrayRef<double> values, int64_t count) {
  std::vector<double> means;
  double sum = 0;
  int64_t finite = 0;
  auto take = [&](double value, int sign) {
    if (!std::isfinite(value))
      return;
    sum += sign * value;
    finite += sign;
  };
  for (size_t i = 0; i < values.size(); ++i) {
    take(values[i], 1);
    if (i >= size_t(count))
      take(values[i - size_t(count)], -1);
    means.push_back(finite ? sum / double(finite) : std::nan(""));
  }
  return means;
}

/// The values of \p by at \p steps; NaN where there are none.
std::vector<double> abscissas(const RunLog &log, ArrayRef<int64_t> steps,
                              StringRef by) {
  if (by == "step")
    return {steps.begin(), steps.end()};
  const LogSeries *series = log.find(by);
  std::vector<double> found;
  for (int64_t step : steps) {
    auto at = series ? lower_bound(series->steps, step)
                     : std::vector<int64_t>::const_iterator();
    bool isThere = series && at != series->steps.end() && *at == step;
    found.push_back(isThere ? series->values[at - series->steps.begin()]
                            : std::nan(""));
  }
  return found;
}

std::vector<Curve> makeCurves(ArrayRef<NamedRun> runs, const ChartKind &chart,
                              const CurvesOptions &options) {
  std::vector<Curve> curves;
  for (auto [number, run] : enumerate(runs))
    for (auto [place, field] : enumerate(chart.fields)) {
      const LogSeries *series = run.log.find(field);
      if (!series)
        continue;
      Curve curve;
      curve.name = run.name;
      if (chart.fields.size() > 1)
        curve.name += " " + field.str();
      curve.colour = colours[number % std::size(colours)];
      curve.isDashed = place > 0;
      curve.x = abscissas(run.log, series->steps, options.by);
      curve.y = series->values;
      // A schedule has no noise.
      if (options.smooth > 1 && !curve.isDashed && field != "lr") {
        curve.raw = std::move(curve.y);
        curve.y = smoothed(curve.raw, options.smooth);
      }
      curves.push_back(std::move(curve));
    }
  return curves;
}

/// "2.1349".
std::string number(double value) {
  std::string text;
  raw_string_ostream(text) << format("%.5g", value);
  return std::isfinite(value) ? text : "not a number";
}

/// The least finite value of \p series with its step; empty where it has none.
std::string leastOf(const LogSeries *series) {
  std::optional<size_t> best;
  for (size_t i = 0; series && i < series->values.size(); ++i)
    if (std::isfinite(series->values[i]) &&
        (!best || series->values[i] < series->values[*best]))
      best = i;
  return best ? number(series->values[*best]) + " at step " +
                    groupDigits(series->steps[*best])
              : "";
}

void writeTable(ArrayRef<NamedRun> runs, raw_ostream &out) {
  out << "<table>\n<tr><th>run</th><th class=\"n\">steps</th>"
         "<th class=\"n\">tokens</th><th class=\"n\">last loss</th>"
         "<th class=\"n\">least loss</th><th class=\"n\">least validation "
         "loss</th><th class=\"n\">time of the steps</th></tr>\n";
  for (auto [i, run] : enumerate(runs)) {
    const LogSeries *loss = run.log.find("loss"),
                    *tokens = run.log.find("tokens"), *ms = run.log.find("ms");
    double seconds = 0;
    for (size_t j = 0; ms && j < ms->values.size(); ++j)
      seconds += 1e-3 * ms->values[j];
    // A log that leaves out steps (--log-every) leaves out their time.
    bool isWhole = int64_t(run.log.getSteps().size()) ==
                   run.log.getSteps().back() - run.log.getSteps().front() + 1;
    out << "<tr><td>";
    writeKey(out, colours[i % std::size(colours)], run.name);
    out << "</td>";
    writeCell(out, groupDigits(run.log.getSteps().back()), true);
    writeCell(out, tokens ? formatDecimal(tokens->values.back(), "") : "",
              true);
    writeCell(out, loss ? number(loss->values.back()) : "", true);
    writeCell(out, leastOf(loss), true);
    writeCell(out, leastOf(run.log.find("val_loss")), true);
    writeCell(out, ms && isWhole ? formatSeconds(seconds) : "not logged", true);
    out << "</tr>\n";
  }
  out << "</table>\n";
}

/// Of four drawings of a chart the two boxes before them show one.
constexpr StringLiteral switchStyle = R"(
label { margin-right: 16px; }
.charts .linear, .charts .logx, .charts .logy, .charts .both { display: none; }
#logy:not(:checked) ~ #logx:not(:checked) ~ .charts .linear { display: block; }
#logy:not(:checked) ~ #logx:checked ~ .charts .logx { display: block; }
#logy:checked ~ #logx:not(:checked) ~ .charts .logy { display: block; }
#logy:checked ~ #logx:checked ~ .charts .both { display: block; }
)";

} // namespace

void tessera::printCurves(ArrayRef<NamedRun> runs, const CurvesOptions &options,
                          raw_ostream &out) {
  std::string title =
      runs.size() == 1 ? "Curves of " + runs.front().name
                       : "Curves of " + std::to_string(runs.size()) + " runs";
  std::string style = (Twine(curveStyle) + switchStyle).str();
  writePage(
      title, out,
      [&] {
        out << "<h1>" << escapeXml(title) << "</h1>\n";
        writeTable(runs, out);
        if (options.smooth > 1)
          out << "<p class=\"note\">Curves are means of " << options.smooth
              << " lines of the log; pale ones are the lines.</p>\n";
        out << "<p class=\"note\">Dashed curves are of validation. Rest the "
               "pointer on a chart to read it.</p>\n"
               "<input type=\"checkbox\" id=\"logy\"/>"
               "<label for=\"logy\">logarithmic values</label>\n"
               "<input type=\"checkbox\" id=\"logx\"/>"
               "<label for=\"logx\">logarithmic "
            << escapeXml(options.by == "tokens" ? options.by : options.by + "s")
            << "</label>\n<div class=\"charts\">\n";
        struct Drawing {
          StringRef name;
          ChartAxes axes;
        };
        const Drawing drawings[] = {{"linear", {false, false}},
                                    {"logx", {true, false}},
                                    {"logy", {false, true}},
                                    {"both", {true, true}}};
        for (const ChartKind &chart : findCharts(runs)) {
          out << "<h2>" << escapeXml(chart.title) << "</h2>\n";
          std::vector<Curve> curves = makeCurves(runs, chart, options);
          for (const Drawing &drawing : drawings) {
            out << "<div class=\"" << drawing.name << "\">\n";
            writeCurveChart(curves, options.by, drawing.axes, out);
            out << "</div>\n";
          }
        }
        out << "</div>\n";
      },
      style);
}
