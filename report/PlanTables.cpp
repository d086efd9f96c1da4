//===- PlanTables.cpp - The figures of the page of a plan -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/PlanTables.h"
#include "report/Figures.h"
#include "report/Html.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

void tessera::printPlanHeader(const PlanReport &report,
                              llvm::raw_ostream &out) {
  out << "<h1>" << escapeXml(report.name) << "</h1>\n<p>"
      << groupDigits(report.parameters) << " parameters, "
      << groupDigits(report.world) << (report.world == 1 ? " rank" : " ranks")
      << ", ZeRO stage " << report.stage << ". One rank, one step of "
      << groupDigits(report.accumulation)
      << (report.accumulation == 1 ? " micro-batch" : " micro-batches")
      << ".</p>\n<p class=\"note\">Times are predictions for "
      << escapeXml(report.machine.describe()) << ".</p>\n<div class=\"cards\">";
  auto card = [&](StringRef name, const std::string &figure) {
    out << "<div class=\"card\"><b>" << figure << "</b>" << name << "</div>\n";
  };
  card("a step, predicted", formatSeconds(report.predicted.step));
  card((report.unit + " per second" +
        (report.unit == "epochs" ? "" : ", all ranks"))
           .str(),
       report.formatThroughput());
  card("memory per rank, exact", formatBytes(report.peak));
  card("received by a rank per step, exact", formatBytes(report.getVolume()));
  card("of communication exposed", formatSeconds(report.predicted.exposed));
  card("MFU, predicted", formatFixed(100 * report.getUtilisation(), 1) + " %");
  if (report.steps > 0)
    card("the whole schedule, predicted",
         formatSeconds(static_cast<double>(report.steps) *
                       report.predicted.step));
  if (report.limit > 0)
    card(
        report.peak <= report.limit ? "memory is left" : "too much memory",
        formatBytes(static_cast<double>(std::abs(report.limit - report.peak))));
  out << "</div>\n";
}

void tessera::printPlanTables(const PlanReport &report,
                              llvm::raw_ostream &out) {
  // The first columns are texts, as many as `texts` says, the others numbers.
  auto head = [&](std::initializer_list<StringRef> names, size_t texts = 1) {
    out << "<table><tr>";
    for (auto [i, name] : llvm::enumerate(names))
      out << (i < texts ? "<th>" : "<th class=\"n\">") << name << "</th>";
    out << "</tr>\n";
  };
  auto row = [&](std::initializer_list<std::string> cells, size_t texts = 1) {
    out << "<tr>";
    for (auto [i, cell] : llvm::enumerate(cells))
      writeCell(out, cell, i >= texts);
    out << "</tr>\n";
  };
  auto percent = [](double part, double whole) {
    return formatFixed(whole > 0 ? 100 * part / whole : 0, 1) + " %";
  };
  out << "<div class=\"tables\"><div><h2>Time, predicted</h2>\n";
  head({"kind", "times", "time", "share", "arithmetic", "bytes"});
  for (const Prediction::Kind &kind : report.predicted.kinds)
    row({kind.name, groupDigits(kind.times), formatSeconds(kind.seconds),
         percent(kind.seconds, report.predicted.step),
         kind.flops ? formatDecimal(kind.flops, "flop") : "",
         kind.bytes ? formatBytes(kind.bytes) : ""});
  row({"step", "", formatSeconds(report.predicted.step), "100.0 %",
       formatDecimal(report.flops, "flop"), ""});
  out << "</table></div>\n<div><h2>Memory, exact</h2>\n";
  head({"category", "bytes", "", "share"});
  for (int i = 0; i < stepCategoryCount; ++i)
    row({stringifyCategory(static_cast<Category>(i)).str(),
         groupDigits(report.memory[i]), formatBytes(report.memory[i]),
         percent(report.memory[i], report.peak)});
  row({"peak", groupDigits(report.peak), formatBytes(report.peak), "100.0 %"});
  out << "</table></div>\n";
  out << "<div><h2>Largest at the peak</h2>\n";
  constexpr size_t texts = 3;
  head({"buffer", "layer", "category", "", "share"}, texts);
  for (const PeakBuffer &buffer : report.peakBuffers)
    row({buffer.name, buffer.layer, stringifyCategory(buffer.category).str(),
         formatBytes(buffer.bytes), percent(buffer.bytes, report.peak)},
        texts);
  out << "</table></div>\n";
  if (!report.collectives.empty()) {
    llvm::MapVector<StringRef, std::pair<int64_t, int64_t>> sums;
    for (const PlanReport::Collective &collective : report.collectives) {
      sums[collective.kind].first += collective.times;
      sums[collective.kind].second += collective.times * collective.bytes;
    }
    out << "<div><h2>Communication, exact</h2>\n";
    head({"collective", "times", "bytes received", ""});
    for (auto &[kind, sum] : sums)
      row({kind.str(), groupDigits(sum.first), groupDigits(sum.second),
           formatBytes(sum.second)});
    out << "</table></div>\n";
  }
  out << "</div>\n";
}
