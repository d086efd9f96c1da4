//===- SweepPage.cpp - A sweep as a page ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Sweep.h"
#include "report/Figures.h"
#include "report/Html.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace tessera;
using plan::Category;
using plan::stepCategoryCount;

static StringRef getName(int64_t category) {
  return stringifyCategory(static_cast<Category>(category));
}

/// One rank's memory as a bar whose whole width is \p most bytes.
static void writeBar(raw_ostream &out, const PlanReport &report, double most) {
  constexpr double width = 520, height = 16;
  out << "<td><svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width
      << " " << height << "\" style=\"width:" << width << "px\">\n";
  double x = 0;
  for (int64_t i = 0; i < stepCategoryCount; ++i) {
    double part = width * report.memory[i] / most;
    if (part > 0)
      writeRectangle(out, x, 0, part, height,
                     getColour(static_cast<Category>(i)),
                     getName(i).str() + " " + formatBytes(report.memory[i]));
    x += part;
  }
  out << "</svg></td>";
}

void Sweep::printHtml(StringRef title, raw_ostream &out) const {
  double most = 1;
  StringRef unit = "tokens";
  const PlanReport *any = nullptr;
  for (const Row &row : rows)
    if (const auto &report = row.outcome.report) {
      most = std::max<double>(most, report->peak);
      unit = report->unit;
      any = &*report;
    }
  writePage(title.str() + ": a sweep", out, [&] {
    out << "<h1>" << escapeXml(title) << "</h1>\n<p>Plans of " << rows.size()
        << " combinations; one rank, one step. Memory and "
        << "messages are exact.</p>\n";
    if (any)
      out << "<p class=\"note\">Times are predictions for "
          << escapeXml(any->machine.describe()) << ".</p>\n";
    out << "<div class=\"keys\">";
    for (int64_t i = 0; i < stepCategoryCount; ++i)
      writeKey(out, getColour(static_cast<Category>(i)), getName(i));
    out << "</div>\n<table><tr>";
    for (const Axis &axis : axes)
      out << "<th class=\"n\">" << escapeXml(join(axis.paths, ", ")) << "</th>";
    for (StringRef name : {"peak", "received", "step", "exposed"})
      out << "<th class=\"n\">" << name << "</th>";
    out << "<th class=\"n\">" << unit << "/s"
        << "</th><th>memory per rank, up to " << formatBytes(most)
        << "</th></tr>\n";
    for (const Row &row : rows) {
      out << "<tr>";
      for (const std::string &value : getTexts(row))
        writeCell(out, value, true);
      if (const auto &report = row.outcome.report) {
        writeCell(out, formatBytes(report->peak), true);
        writeCell(out, formatBytes(report->getVolume()), true);
        writeCell(out, formatSeconds(report->predicted.step), true);
        writeCell(out, formatSeconds(report->predicted.exposed), true);
        writeCell(out, report->formatThroughput(), true);
        writeBar(out, *report, most);
      } else {
        out << "<td colspan=\"6\">" << escapeXml(row.outcome.reason) << "</td>";
      }
      out << "</tr>\n";
    }
    out << "</table>\n";
  });
}
