//===- Sweep.cpp - Plans over the values of some fields ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Sweep.h"
#include "report/Figures.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace tessera;
using plan::Category;
using plan::stepCategoryCount;

/// More combinations are a mistake.
static constexpr size_t mostRows = 100000;

Expected<Sweep> Sweep::run(const Planner &planner, std::vector<Axis> axes) {
  Sweep sweep;
  size_t count = 1;
  for (const Axis &axis : axes) {
    count *= axis.values.size();
    if (count > mostRows)
      return createStringError(inconvertibleErrorCode(),
                               "--sweep: more than " + Twine(mostRows) +
                                   " combinations; sweep over fewer values");
  }
  std::vector<Planner::Settings> variants(count);
  for (size_t i = 0; i < count; ++i) {
    Row row;
    size_t below = count, rest = i;
    for (const Axis &axis : axes) {
      below /= axis.values.size();
      size_t at = rest / below;
      rest %= below;
      row.indices.push_back(at);
      append_range(variants[i], axis.getSettings(at));
    }
    sweep.rows.push_back(std::move(row));
  }
  std::vector<Planner::Outcome> outcomes = planner.plan(variants);
  for (auto [row, outcome] : zip(sweep.rows, outcomes))
    row.outcome = std::move(outcome);
  sweep.axes = std::move(axes);
  return sweep;
}

/// "parallel.world" as "world".
static std::string getLabel(const Axis &axis) {
  std::vector<std::string> names;
  for (StringRef path : axis.paths)
    names.push_back(path.contains('.') ? path.rsplit('.').second.str()
                                       : path.str());
  return join(names, ",");
}

static StringRef getName(int64_t category) {
  return stringifyCategory(static_cast<Category>(category));
}

std::vector<std::string> Sweep::getTexts(const Row &row) const {
  std::vector<std::string> texts;
  for (auto [axis, index] : zip(axes, row.indices))
    texts.push_back(axis.values[index]);
  return texts;
}

bool Sweep::hasPlan() const {
  return any_of(rows,
                [](const Row &row) { return row.outcome.report.has_value(); });
}

void Sweep::printText(raw_ostream &out) const {
  std::vector<std::vector<std::string>> table(1);
  for (const Axis &axis : axes)
    table[0].push_back(getLabel(axis));
  table[0].push_back("peak");
  for (int64_t i = 0; i < stepCategoryCount; ++i)
    table[0].push_back(getName(i).str());
  for (const char *name : {"received", "step", "exposed", "units/s"})
    table[0].push_back(name);
  for (const Row &row : rows) {
    std::vector<std::string> line = getTexts(row);
    if (const auto &report = row.outcome.report) {
      line.push_back(formatBytes(report->peak));
      for (int64_t bytes : report->memory)
        line.push_back(formatBytes(bytes));
      line.push_back(formatBytes(report->getVolume()));
      line.push_back(formatSeconds(report->predicted.step));
      line.push_back(formatSeconds(report->predicted.exposed));
      line.push_back(report->formatThroughput());
      table[0].back() = (report->unit + "/s").str();
    }
    table.push_back(std::move(line));
  }
  std::vector<size_t> widths(table[0].size());
  for (const auto &line : table)
    for (auto [i, cell] : enumerate(line))
      widths[i] = std::max(widths[i], cell.size());
  for (auto [number, line] : enumerate(table)) {
    for (auto [i, cell] : enumerate(line))
      out << (i ? "  " : "") << right_justify(cell, widths[i]);
    if (number && !rows[number - 1].outcome.report)
      out << "  " << rows[number - 1].outcome.reason;
    out << "\n";
  }
}

/// A cell of comma-separated values (RFC 4180).
static std::string csvCell(StringRef text) {
  if (text.find_first_of(",\"\n") == StringRef::npos)
    return text.str();
  std::string quoted = "\"";
  for (char c : text)
    quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

void Sweep::printCsv(raw_ostream &out) const {
  for (const Axis &axis : axes)
    out << csvCell(join(axis.paths, ",")) << ",";
  out << "peak_bytes";
  for (int64_t i = 0; i < stepCategoryCount; ++i)
    out << "," << getName(i) << "_bytes";
  out << ",parameters,volume_bytes,flops,step_ms,exposed_communication_ms,"
         "units_per_second,error\n";
  for (const Row &row : rows) {
    for (const std::string &value : getTexts(row))
      out << csvCell(value) << ",";
    if (const auto &report = row.outcome.report) {
      out << report->peak;
      for (int64_t bytes : report->memory)
        out << "," << bytes;
      out << "," << report->parameters << "," << report->getVolume() << ","
          << report->flops << ","
          << formatFixed(1e3 * report->predicted.step, 6) << ","
          << formatFixed(1e3 * report->predicted.exposed, 6) << ","
          << formatFixed(report->getThroughput(), 3) << ",";
    } else {
      out << std::string(stepCategoryCount + 7, ',')
          << csvCell(row.outcome.reason);
    }
    out << "\n";
  }
}

void Sweep::printJson(raw_ostream &out) const {
  json::OStream json(out, 2);
  json.array([&] {
    for (const Row &row : rows)
      json.object([&] {
        json.attributeObject("values", [&] {
          for (auto [axis, index] : zip(axes, row.indices))
            for (auto [path, value] : zip(axis.paths, axis.getValues(index))) {
              int64_t number;
              if (StringRef(value).getAsInteger(10, number))
                json.attribute(path, value);
              else
                json.attribute(path, number);
            }
        });
        if (row.outcome.report)
          writePlanFigures(*row.outcome.report, json);
        else
          json.attribute("error", row.outcome.reason);
      });
  });
  out << "\n";
}
