//===- PlanChart.cpp - A chart of a step ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/PlanChart.h"
#include "dialects/plan/StepGroups.h"
#include "report/Figures.h"
#include "report/Html.h"
#include "report/Lane.h"
#include "report/PlanTables.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

namespace {

// The chart's measures, in its own units.
constexpr double chartWidth = 1400, leftEdge = 112, rightEdge = 1390;
constexpr double sectionsTop = 6, groupsTop = 28, computeTop = 52,
                 messagesTop = 100, timeAxisTop = 134, memoryTop = 186,
                 memoryBottom = 446, chartHeight = 482;

constexpr llvm::StringLiteral limitColour = "#e5000f";

/// The categories from the ground up: what mostly stays comes first.
constexpr Category categoryOrder[] = {
    Category::Parameters, Category::Gradients,   Category::Optimizer,
    Category::Workspace,  Category::Activations, Category::Communication};

class Chart {
public:
  Chart(ModuleOp module, const PlanReport &report, llvm::raw_ostream &out)
      : program(module.lookupSymbol<ProgramOp>("train")), report(report),
        out(out), groups(program), memory(MemoryUsage::measure(program)) {
    CostModel model(program, report.machine);
    timeline = Timeline::make(program, model);
    span = std::max(timeline.starts.back(), 1e-9);
    // A limit far above would flatten what is below it.
    isLimitShown = report.limit > 0 && report.limit <= 3 * report.peak;
    ceiling =
        1.08 * std::max<double>({1.0, double(report.peak),
                                 isLimitShown ? double(report.limit) : 0.0});
  }

  void write();

private:
  double getX(double seconds) {
    return leftEdge + (rightEdge - leftEdge) * seconds / span;
  }
  double getY(double bytes) {
    return memoryBottom - (memoryBottom - memoryTop) * bytes / ceiling;
  }

  std::string describe(const Timeline::Event &event);

  void writeSections();
  void writeGroups();
  void writeLanes();
  void writeTimeAxis(double y, double bottom);
  void writeMemory();
  void writePeak();
  void writeKeys();

  ProgramOp program;
  const PlanReport &report;
  llvm::raw_ostream &out;
  Timeline timeline;
  double span, ceiling = 1;
  bool isLimitShown = false;
  StepGroups groups;
  MemoryUsage memory;
};

} // namespace

std::string Chart::describe(const Timeline::Event &event) {
  std::string text =
      isa<StartOp>(event.op) ? event.kind.str() : getStepName(event.op);
  if (StringRef group = groups.getGroup(event.op); !group.empty())
    text += " (" + group.str() + ")";
  double seconds = event.end - event.begin;
  text += "\n" + formatSeconds(event.begin) + " + " + formatSeconds(seconds);
  if (auto start = dyn_cast<StartOp>(event.op)) {
    double bytes = start.getReceivedBytes(program.getWorld());
    return text + "\n" + formatBytes(bytes) + " received, " +
           formatDecimal(bytes / seconds, "B/s");
  }
  if (event.cost.flops)
    text += "\n" + formatDecimal(event.cost.flops, "flop") + ", " +
            formatDecimal(event.cost.flops / seconds, "flop/s");
  text += "\n" + formatBytes(event.cost.bytes) + " moved, " +
          formatDecimal(event.cost.bytes / seconds, "B/s");
  return text + (event.cost.arithmetic >= event.cost.memory
                     ? "\nbound by arithmetic"
                     : "\nbound by memory");
}

void Chart::writeSections() {
  writeText(out, leftEdge - 8, sectionsTop + 13, "end", "section");
  for (auto [i, section] : llvm::enumerate(timeline.sections)) {
    double x = getX(section.begin), width = getX(section.end) - x;
    if (width < 0.05)
      continue;
    std::string name = section.name;
    if (section.times > 1)
      name += " (one of " + std::to_string(section.times) + ")";
    writeRectangle(
        out, x, sectionsTop, width, 18, i % 2 ? "#e6eaef" : "#d1d9e0",
        name + "\n" + formatSeconds(section.end - section.begin) +
            (section.times > 1
                 ? " each of " + std::to_string(section.times) + " times"
                 : ""));
    if (width > 7.0 * name.size())
      writeText(out, x + width / 2, sectionsTop + 13, "middle", name);
  }
}

void Chart::writeGroups() {
  writeText(out, leftEdge - 8, groupsTop + 12, "end", "group");
  struct Band {
    StringRef group;
    double begin, end;
  };
  SmallVector<Band> bands;
  for (const Timeline::Event &event : timeline.compute) {
    StringRef group = groups.getGroup(event.op);
    if (!bands.empty() && (group.empty() || bands.back().group == group))
      bands.back().end = event.end;
    else if (!group.empty())
      bands.push_back({group, event.begin, event.end});
  }
  bool dark = false;
  Lane lane(out, groupsTop, 16);
  for (Band &band : bands) {
    double x = getX(band.begin), end = getX(band.end);
    dark = !dark;
    lane.add(x, end, band.group, band.end - band.begin,
             dark ? "#c9d3dd" : "#e3e8ee", [&] {
               return band.group.str() + "\n" + formatSeconds(band.begin) +
                      " to " + formatSeconds(band.end);
             });
    if (end - x > 6.3 * band.group.size())
      writeText(out, (x + end) / 2, groupsTop + 12, "middle", band.group,
                "font-size:11px");
  }
}

void Chart::writeLanes() {
  writeText(out, leftEdge - 8, computeTop + 24, "end", "computation");
  writeText(out, leftEdge - 8, messagesTop + 18, "end", "communication");
  auto write = [&](ArrayRef<Timeline::Event> events, double y, double height) {
    Lane lane(out, y, height);
    for (const Timeline::Event &event : events)
      lane.add(getX(event.begin), getX(event.end), event.kind,
               event.end - event.begin, getKindColour(event.kind),
               [&] { return describe(event); });
  };
  // Where the rank waits, nothing covers the ground.
  writeRectangle(out, leftEdge, computeTop, rightEdge - leftEdge, 40,
                 getWaitingColour(), "exposed communication: the rank waits");
  write(timeline.compute, computeTop, 40);
  writeRectangle(out, leftEdge, messagesTop, rightEdge - leftEdge, 26,
                 "#f3f5f7", "no communication");
  write(timeline.communication, messagesTop, 26);
}

void Chart::writeTimeAxis(double y, double bottom) {
  double distance = getTickDistance(span, 12);
  for (double time = 0; time <= span * (1 + 1e-9); time += distance) {
    double x = getX(time);
    out << "<line class=\"grid\" x1=\"" << coordinate(x) << "\" y1=\""
        << coordinate(y) << "\" x2=\"" << coordinate(x) << "\" y2=\""
        << coordinate(bottom) << "\"/>\n";
    writeText(out, x, bottom + 16, "middle",
              time == 0 ? "0" : formatSeconds(time));
  }
}

void Chart::writeMemory() {
  double distance = getTickDistance(ceiling, 7);
  for (double bytes = 0; bytes <= ceiling; bytes += distance) {
    double y = getY(bytes);
    out << "<line class=\"grid\" x1=\"" << coordinate(leftEdge) << "\" y1=\""
        << coordinate(y) << "\" x2=\"" << coordinate(rightEdge) << "\" y2=\""
        << coordinate(y) << "\"/>\n";
    writeText(out, leftEdge - 8, y + 4, "end",
              bytes == 0 ? "0" : formatBytes(bytes));
  }
  // The fullest moment of each sliver of time stands for it.
  struct Sample {
    double begin, end;
    size_t step;
  };
  SmallVector<Sample> samples;
  for (size_t i = 0; i < memory.steps.size(); ++i) {
    double begin = getX(timeline.starts[i]), end = getX(timeline.starts[i + 1]);
    if (!samples.empty() &&
        samples.back().end - samples.back().begin < sliver) {
      Sample &last = samples.back();
      last.end = end;
      if (getTotal(memory.atStep[i]) > getTotal(memory.atStep[last.step]))
        last.step = i;
    } else {
      samples.push_back({begin, end, i});
    }
  }
  std::vector<int64_t> floor(samples.size());
  for (Category category : categoryOrder) {
    auto c = static_cast<int>(category);
    std::string path;
    llvm::raw_string_ostream line(path);
    int64_t most = 0;
    auto point = [&](double x, double bytes) {
      line << " " << coordinate(x) << "," << coordinate(getY(bytes));
    };
    for (size_t i = 0; i < samples.size(); ++i) {
      int64_t bytes = memory.atStep[samples[i].step][c];
      most = std::max(most, bytes);
      point(samples[i].begin, floor[i] + bytes);
      point(samples[i].end, floor[i] + bytes);
    }
    for (size_t i = samples.size(); i-- > 0;) {
      point(samples[i].end, floor[i]);
      point(samples[i].begin, floor[i]);
    }
    if (most)
      out << "<polygon points=\"" << path.substr(1) << "\" fill=\""
          << getColour(category) << "\"><title>" << stringifyCategory(category)
          << ": up to " << formatBytes(most) << "</title></polygon>\n";
    for (size_t i = 0; i < samples.size(); ++i)
      floor[i] += memory.atStep[samples[i].step][c];
  }
  // Invisible, they show what is in use below the pointer.
  double from = leftEdge;
  size_t fullest = samples.empty() ? 0 : samples[0].step;
  for (const Sample &sample : samples) {
    if (getTotal(memory.atStep[sample.step]) > getTotal(memory.atStep[fullest]))
      fullest = sample.step;
    if (sample.end - from < 3 && &sample != &samples.back())
      continue;
    out << "<rect x=\"" << coordinate(from) << "\" y=\""
        << coordinate(memoryTop) << "\" width=\""
        << coordinate(sample.end - from) << "\" height=\""
        << coordinate(memoryBottom - memoryTop)
        << "\" fill-opacity=\"0\"><title>"
        << escapeXml(formatSeconds(timeline.starts[fullest]) + ": " +
                     describeUsage(memory.atStep[fullest]))
        << "</title></rect>\n";
    from = sample.end;
    fullest = (&sample != &samples.back()) ? (&sample + 1)->step : 0;
  }
}

/// Marks the fullest moment and what the arena reserves.
void Chart::writePeak() {
  double reserved = getY(report.peak);
  out << "<line x1=\"" << coordinate(leftEdge) << "\" y1=\""
      << coordinate(reserved) << "\" x2=\"" << coordinate(rightEdge)
      << "\" y2=\"" << coordinate(reserved)
      << "\" stroke=\"#1f2328\" stroke-dasharray=\"5 4\"/>\n";
  writeText(out, rightEdge, reserved - 6, "end",
            "reserved: " + formatBytes(report.peak));
  if (isLimitShown) {
    std::string limit = coordinate(getY(report.limit));
    out << "<line class=\"limit\" x1=\"" << coordinate(leftEdge) << "\" y1=\""
        << limit << "\" x2=\"" << coordinate(rightEdge) << "\" y2=\"" << limit
        << "\" stroke=\"" << limitColour << "\" stroke-width=\"1.6\"/>\n";
    writeText(out, leftEdge + 6, getY(report.limit) - 6, "start",
              "limit: " + formatBytes(report.limit),
              std::string("fill:") + limitColour.data());
  }
  double x = getX(timeline.starts[memory.peak]),
         y = getY(getTotal(memory.atStep[memory.peak]));
  std::string label =
      "peak in use: " + formatBytes(getTotal(memory.atStep[memory.peak])) +
      " at " + formatSeconds(timeline.starts[memory.peak]) + ", " +
      getStepName(memory.steps[memory.peak]);
  out << "<line x1=\"" << coordinate(x) << "\" y1=\""
      << coordinate(memoryTop - 18) << "\" x2=\"" << coordinate(x) << "\" y2=\""
      << coordinate(memoryBottom)
      << "\" stroke=\"#1f2328\" stroke-width=\"0.8\"/>\n<circle cx=\""
      << coordinate(x) << "\" cy=\"" << coordinate(y)
      << "\" r=\"3.5\" fill=\"#1f2328\"><title>"
      << escapeXml(label + "\n" + describeUsage(memory.atStep[memory.peak]))
      << "</title></circle>\n";
  bool left = x > (leftEdge + rightEdge) / 2;
  writeText(out, left ? x - 6 : x + 6, memoryTop - 10, left ? "end" : "start",
            label, "font-weight:600");
}

void Chart::writeKeys() {
  out << "<div class=\"keys\">";
  llvm::MapVector<StringRef, SmallVector<StringRef>> names;
  for (const Prediction::Kind &kind : report.predicted.kinds)
    if (kind.seconds > 0)
      names[getKindColour(kind.name)].push_back(kind.name);
  for (auto &[colour, kinds] : names)
    writeKey(out, colour, llvm::join(kinds, ", "));
  if (report.predicted.exposed > 0)
    writeKey(out, getWaitingColour(), "waiting for communication");
  out << "</div>\n";
}

void Chart::write() {
  printPlanHeader(report, out);
  out << "<h2>A step over time</h2>\n";
  writeKeys();
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 "
      << chartWidth << " " << chartHeight << "\" role=\"img\">\n<title>"
      << "Computation, "
      << "communication and memory over the time of a step</title>\n";
  writeSections();
  writeGroups();
  writeLanes();
  writeTimeAxis(timeAxisTop - 4, timeAxisTop);
  writeMemory();
  writeTimeAxis(memoryTop, memoryBottom);
  writePeak();
  out << "</svg>\n<div class=\"keys\"><span>Memory in use:</span>";
  for (Category category : categoryOrder)
    writeKey(out, getColour(category), stringifyCategory(category));
  if (isLimitShown)
    writeKey(out, limitColour, "limit");
  out << "</div>\n";
  printPlanTables(report, out);
}

/// The programs of several models, which share memory in turn.
static void printPrograms(ArrayRef<ModuleOp> models, llvm::raw_ostream &out) {
  out << "<h2>Programs, in the same memory in turn</h2>\n<table><tr>"
      << "<th>model</th><th>program</th><th>memory</th></tr>\n";
  int64_t whole = 0;
  auto row = [&](StringRef model, StringRef program, int64_t bytes) {
    out << "<tr>";
    writeCell(out, model, /*isNumber=*/false);
    writeCell(out, program, /*isNumber=*/false);
    writeCell(out, formatBytes(static_cast<double>(bytes)), /*isNumber=*/true);
    out << "</tr>\n";
  };
  for (ModuleOp model : models)
    for (auto program : model.getOps<ProgramOp>()) {
      auto bytes = static_cast<int64_t>(program.getArenaBytes());
      row(model.getSymName().value_or(""), program.getSymName(), bytes);
      whole = std::max(whole, bytes);
    }
  row("in all", "", whole);
  out << "</table>\n";
}

void tessera::printPlanChart(ArrayRef<ModuleOp> models,
                             ArrayRef<PlanReport> reports,
                             llvm::raw_ostream &out) {
  bool isOne = models.size() == 1;
  std::string title = reports.front().name + (isOne ? ": a step" : "");
  writePage(title, out, [&] {
    if (!isOne)
      printPrograms(models, out);
    for (auto [model, report] : llvm::zip(models, reports))
      Chart(model, report, out).write();
  });
}
