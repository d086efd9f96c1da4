//===- TracePage.cpp - Measured steps over predicted ones -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/TracePage.h"
#include "dialects/plan/StepGroups.h"
#include "report/Figures.h"
#include "report/Html.h"
#include "report/Lane.h"
#include "report/TraceComparison.h"
#include "target/StepWork.h"

#include <cmath>
#include <set>

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

llvm::Error tessera::checkTrace(const Trace &trace, ProgramOp program) {
  auto refuse = [](const llvm::Twine &difference) {
    return llvm::createStringError(
        llvm::inconvertibleErrorCode(),
        difference + ": give the specification, and with --set what else the "
                     "executable was compiled with");
  };
  if (static_cast<int64_t>(program.getWorld()) != trace.world)
    return refuse("the trace is of " + llvm::Twine(trace.world) +
                  " ranks, the plan of " + llvm::Twine(program.getWorld()));
  SmallVector<Operation *> steps = program.getSteps();
  for (const Trace::Step &step : trace.steps)
    for (const Trace::Event &event : step.events) {
      if (event.planStep < 0)
        continue;
      if (event.planStep >= std::ssize(steps))
        return refuse("the trace has a step " + llvm::Twine(event.planStep) +
                      ", the plan " + llvm::Twine(steps.size()) + " steps");
      std::string name = getStepName(steps[event.planStep]);
      if (name != event.name)
        return refuse("step " + llvm::Twine(event.planStep) + " is '" +
                      event.name + "' in the trace, and '" + name +
                      "' in the plan");
    }
  return llvm::Error::success();
}

namespace {

// The chart's measures, in its own units.
constexpr double pageWidth = 1400, leftEdge = 150, rightEdge = 1390,
                 topEdge = 6;
constexpr double bandHeight = 18, computeHeight = 30, messagesHeight = 18,
                 gapHeight = 3, blockGap = 14;

/// What a rank does over a part of a step that has one micro-batch, as the
/// prediction has.
struct Picture {
  struct Rectangle {
    double begin, end;
    std::string kind;
    std::string title;
  };
  std::string title;
  std::vector<Rectangle> sections, layers, compute, communication;
  /// Where the rank waits, at the place of what it would compute.
  std::vector<Rectangle> waiting;
  double begin = 0, end = 0;

  void add(std::vector<Rectangle> Picture::*row, Rectangle rectangle) {
    begin = std::min(begin, rectangle.begin);
    end = std::max(end, rectangle.end);
    (this->*row).push_back(std::move(rectangle));
  }
};

class Page {
public:
  Page(const NamedTrace &named, const TracePlan *plan, llvm::raw_ostream &out)
      : trace(named.trace), name(named.name), plan(plan), out(out),
        timeline(predict(plan)),
        comparison(trace, timeline ? &*timeline : nullptr) {}

  void write();

private:
  static std::optional<Timeline> predict(const TracePlan *plan) {
    if (!plan)
      return std::nullopt;
    CostModel model(plan->program, plan->machine);
    return Timeline::make(plan->program, model);
  }

  Picture getPrediction();
  Picture getMeasurement(int64_t rank);
  std::string describe(const Trace::Event &event, const Trace::Step &step);
  std::string compare(double measured, double predicted);

  void writeCards();
  void writeChart();
  void writeKeys(ArrayRef<Picture> pictures);
  double writePicture(const Picture &picture, double y);
  void writeTable(StringRef title, StringRef first,
                  const TraceComparison::Times &times, size_t most);
  double getX(double seconds) const {
    return leftEdge + (rightEdge - leftEdge) * (seconds - first) / span;
  }

  const Trace &trace;
  const std::string &name;
  const TracePlan *plan;
  llvm::raw_ostream &out;
  std::optional<Timeline> timeline;
  TraceComparison comparison;
  double first = 0, span = 1; ///< of the chart, in seconds
};

} // namespace

/// "1.25 times".
static std::string formatRatio(double ratio) {
  return ratio > 0 ? formatFixed(ratio, 2) : "";
}

std::string Page::compare(double measured, double predicted) {
  std::string text = "measured " + formatSeconds(measured) + ", predicted " +
                     formatSeconds(predicted);
  if (predicted > 0)
    text += ": " + formatFixed(measured / predicted, 2) + " times";
  return text;
}

/// The layers that follow one another in \p rectangles, which have those of
/// \p layers.
static std::vector<Picture::Rectangle>
joinLayers(ArrayRef<Picture::Rectangle> rectangles,
           ArrayRef<StringRef> layers) {
  std::vector<Picture::Rectangle> bands;
  for (auto [rectangle, layer] : llvm::zip(rectangles, layers)) {
    if (layer.empty())
      continue;
    if (bands.empty() || bands.back().kind != layer)
      bands.push_back({rectangle.begin, rectangle.end, layer.str(), ""});
    bands.back().end = rectangle.end;
  }
  for (Picture::Rectangle &band : bands)
    band.title = band.kind + "\n" + formatSeconds(band.end - band.begin);
  return bands;
}

Picture Page::getPrediction() {
  Picture picture;
  picture.title = "predicted";
  ProgramOp program = plan->program;
  SmallVector<Operation *> steps = program.getSteps();
  StepGroups groups(program);
  SmallVector<StringRef> layers = groups.getLayers(steps), computed;
  DenseMap<Operation *, int64_t> numbers;
  for (auto [number, step] : llvm::enumerate(steps))
    numbers[step] = static_cast<int64_t>(number);
  auto describe = [&](Operation *step) {
    int64_t number = numbers[step];
    std::string text = getStepName(step);
    if (!layers[number].empty())
      text += " (" + layers[number].str() + ")";
    const ComparedTime *time = comparison.find(number);
    double predicted = timeline->starts[number + 1] - timeline->starts[number];
    return text + "\n" +
           (time ? compare(time->measured, predicted)
                 : "predicted " + formatSeconds(predicted) + ", not measured");
  };
  for (const Timeline::Section &section : timeline->sections) {
    std::string title = section.name;
    if (section.times > 1)
      title += " (one of " + std::to_string(section.times) + ")";
    picture.sections.push_back(
        {section.begin, section.end, title,
         title + "\npredicted " + formatSeconds(section.end - section.begin)});
  }
  for (const Timeline::Event &event : timeline->compute) {
    picture.compute.push_back(
        {event.begin, event.end, event.kind.str(), describe(event.op)});
    computed.push_back(layers[numbers[event.op]]);
  }
  picture.layers = joinLayers(picture.compute, computed);
  for (const Timeline::Event &event : timeline->communication) {
    int64_t number = numbers[event.op];
    double predicted = event.end - event.begin;
    const ComparedTime *time =
        trace.isOnDevice ? comparison.find(number) : nullptr;
    picture.communication.push_back(
        {event.begin, event.end, event.kind.str(),
         event.kind.str() + " (" + layers[number].str() + ")\n" +
             (time ? compare(time->measured, predicted)
                   : "predicted " + formatSeconds(predicted))});
  }
  for (auto [number, step] : llvm::enumerate(steps)) {
    double begin = timeline->starts[number], end = timeline->starts[number + 1];
    if (isa<WaitOp, FenceOp>(step) && end > begin)
      picture.waiting.push_back(
          {begin, end, "waiting", "waits: " + describe(step)});
  }
  picture.end = timeline->starts.back();
  return picture;
}

std::string Page::describe(const Trace::Event &event, const Trace::Step &step) {
  std::string text = event.name;
  if (!event.layer.empty())
    text += " (" + event.layer + ")";
  double seconds = event.seconds();
  const ComparedTime *time = comparison.find(event.planStep);
  if (time && time->predicted)
    text += "\n" + compare(seconds, *time->predicted);
  else
    text += "\nmeasured " + formatSeconds(seconds);
  if (time)
    text += "\nmean of all steps and ranks " + formatSeconds(time->measured);
  if (event.flops > 0 && seconds > 0)
    text += "\n" + formatDecimal(event.flops, "flop") + ", " +
            formatDecimal(event.flops / seconds, "flop/s");
  if (event.bytes > 0 && seconds > 0)
    text += "\n" + formatBytes(event.bytes) + ", " +
            formatDecimal(event.bytes / seconds, "B/s");
  return text + "\nrank " + std::to_string(step.rank) + ", step " +
         std::to_string(step.number);
}

namespace {

/// Of the micro-batches of \p step the last is shown: what lies between the
/// begins of the first and the last is cut out.
struct Cut {
  explicit Cut(const Trace::Step &step) {
    for (const Trace::Event &section : step.sections) {
      if (section.name != "micro")
        continue;
      begin = begin < 0 ? section.begin : begin;
      end = section.begin;
    }
  }
  bool holds(double time) const { return time >= begin && time < end; }
  double length() const { return end - begin; }

  double begin = -1, end = -1;
};

} // namespace

Picture Page::getMeasurement(int64_t rank) {
  const Trace::Step &first = trace.getMedian(trace.getRanks().front());
  const Trace::Step *step = nullptr;
  for (const Trace::Step &candidate : trace.steps)
    if (candidate.rank == rank && candidate.number == first.number)
      step = &candidate;
  Picture picture;
  picture.title = "rank " + std::to_string(rank);
  if (!step)
    return picture;
  // One time axis for all ranks, so that who waits for whom is seen.
  Cut cut(*step), common(first);
  auto shown = [&](double time) {
    return time - first.begin - (time >= cut.end ? common.length() : 0);
  };
  for (const Trace::Event &section : step->sections) {
    if (cut.holds(section.begin))
      continue;
    std::string title = section.name;
    if (title == "micro" && trace.microBatches > 1)
      title += " (the last of " + std::to_string(trace.microBatches) + ")";
    picture.add(&Picture::sections,
                {shown(section.begin), shown(section.end), title,
                 title + "\nmeasured " + formatSeconds(section.seconds())});
  }
  SmallVector<StringRef> layers;
  for (const Trace::Event &event : step->events) {
    if (cut.holds(event.begin))
      continue;
    Picture::Rectangle rectangle = {shown(event.begin), shown(event.end),
                                    event.kind, describe(event, *step)};
    if (event.row == Trace::Host)
      continue;
    if (event.row == Trace::Communication)
      picture.add(&Picture::communication, rectangle);
    if (event.waits) {
      rectangle.kind = "waiting";
      picture.add(&Picture::waiting, std::move(rectangle));
      continue;
    }
    if (event.row == Trace::Communication)
      continue;
    layers.push_back(event.layer);
    picture.add(&Picture::compute, std::move(rectangle));
  }
  picture.layers = joinLayers(picture.compute, layers);
  picture.end = std::max(picture.end, shown(step->end));
  return picture;
}

double Page::writePicture(const Picture &picture, double y) {
  auto write = [&](ArrayRef<Picture::Rectangle> rectangles, double top,
                   double height,
                   llvm::function_ref<StringRef(StringRef)> colour) {
    Lane lane(out, top, height);
    for (const Picture::Rectangle &one : rectangles)
      lane.add(getX(one.begin), getX(one.end), one.kind, one.end - one.begin,
               colour(one.kind), [&] { return one.title; });
  };
  auto writeBands = [&](ArrayRef<Picture::Rectangle> bands, double height,
                        StringRef dark, StringRef pale) {
    bool isDark = false;
    write(bands, y, height, [&](StringRef) {
      isDark = !isDark;
      return isDark ? dark : pale;
    });
    for (const Picture::Rectangle &band : bands) {
      double begin = getX(band.begin), end = getX(band.end);
      if (end - begin > 6.3 * double(band.kind.size()) + 6)
        writeText(out, (begin + end) / 2, y + height - 5, "middle", band.kind,
                  "font-size:11px");
    }
  };
  out << "<g class=\"picture\">\n";
  writeText(out, 4, y + 13, "start", picture.title, "font-weight:600");
  writeText(out, leftEdge - 8, y + 13, "end", "section");
  writeBands(picture.sections, bandHeight, "#d1d9e0", "#e6eaef");
  y += bandHeight + gapHeight;
  writeText(out, leftEdge - 8, y + 12, "end", "layer");
  writeBands(picture.layers, bandHeight, "#c9d3dd", "#e3e8ee");
  y += bandHeight + gapHeight;
  double begin = getX(picture.begin), width = getX(picture.end) - begin;
  writeText(out, leftEdge - 8, y + 19, "end", "computation");
  writeRectangle(out, begin, y, width, computeHeight, "#f3f5f7",
                 "between the steps of the plan");
  write(picture.waiting, y, computeHeight,
        [](StringRef) { return getWaitingColour(); });
  write(picture.compute, y, computeHeight, getKindColour);
  y += computeHeight + gapHeight;
  writeText(out, leftEdge - 8, y + 13, "end", "communication");
  writeRectangle(out, begin, y, width, messagesHeight, "#f3f5f7",
                 "no communication");
  write(picture.communication, y, messagesHeight, getKindColour);
  out << "</g>\n";
  return y + messagesHeight + blockGap;
}

void Page::writeKeys(ArrayRef<Picture> pictures) {
  llvm::MapVector<StringRef, llvm::SetVector<StringRef>> names;
  for (const Picture &picture : pictures)
    for (const auto *rectangles : {&picture.compute, &picture.communication})
      for (const Picture::Rectangle &one : *rectangles)
        names[getKindColour(one.kind)].insert(one.kind);
  out << "<div class=\"keys\">";
  for (auto &[colour, kinds] : names)
    writeKey(out, colour, llvm::join(kinds, ", "));
  writeKey(out, getWaitingColour(), "waiting for communication");
  out << "</div>\n";
}

void Page::writeChart() {
  std::vector<Picture> pictures;
  if (timeline)
    pictures.push_back(getPrediction());
  for (int64_t rank : trace.getRanks())
    pictures.push_back(getMeasurement(rank));
  double last = 1e-9;
  for (const Picture &picture : pictures) {
    // A rank may begin before the first one does.
    first = std::min(first, picture.begin);
    last = std::max(last, picture.end);
  }
  span = last - first;
  const Trace::Step &shown = trace.getMedian(trace.getRanks().front());
  out << "<h2>Step " << shown.number << " over time</h2>\n";
  writeKeys(pictures);
  double height = topEdge + double(pictures.size()) *
                                (2 * bandHeight + computeHeight +
                                 messagesHeight + 3 * gapHeight + blockGap);
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << pageWidth
      << " " << coordinate(height + 22)
      << "\" role=\"img\">\n<title>Computation and communication over the "
         "time of a step, predicted and measured</title>\n";
  double distance = getTickDistance(span, 12);
  for (double time = 0; time <= span * (1 + 1e-9); time += distance) {
    std::string x = coordinate(getX(first + time));
    out << "<line class=\"grid\" x1=\"" << x << "\" y1=\"" << topEdge
        << "\" x2=\"" << x << "\" y2=\"" << coordinate(height) << "\"/>\n";
    writeText(out, getX(first + time), height + 16, "middle",
              time == 0 ? "0" : formatSeconds(time));
  }
  double y = topEdge;
  for (const Picture &picture : pictures)
    y = writePicture(picture, y);
  out << "</svg>\n";
}

void Page::writeCards() {
  auto percent = [](double part, double whole) {
    return formatFixed(whole > 0 ? 100 * part / whole : 0, 1) + " %";
  };
  auto card = [&](StringRef what, const std::string &figure) {
    out << "<div class=\"card\"><b>" << figure << "</b>" << what << "</div>\n";
  };
  const ComparedTime &step = comparison.step();
  std::set<int64_t> numbers;
  for (const Trace::Step &one : trace.steps)
    numbers.insert(one.number);
  size_t ranks = trace.getRanks().size();
  out << "<h1>" << escapeXml(trace.model) << "</h1>\n<p>" << escapeXml(name)
      << ": steps " << *numbers.begin() << " to " << *numbers.rbegin() << " of "
      << (static_cast<int64_t>(ranks) == trace.world
              ? groupDigits(trace.world)
              : groupDigits(ranks) + " of " + groupDigits(trace.world))
      << (trace.world == 1 ? " rank" : " ranks") << ", "
      << (trace.isOnDevice ? "a GPU"
                           : groupDigits(trace.threads) +
                                 (trace.threads == 1 ? " thread" : " threads"))
      << " each, ZeRO stage " << trace.stage << ".</p>\n<p class=\"note\">";
  if (timeline)
    out << "Times are predicted for " << escapeXml(plan->machine.describe())
        << ".";
  else
    out << "--plan SPEC adds what is predicted.";
  if (trace.uncertainty > 0)
    out << " Clocks of ranks may be " << formatSeconds(trace.uncertainty)
        << " apart.";
  out << "</p>\n<div class=\"cards\">";
  card("a step, measured", formatSeconds(step.measured));
  if (step.predicted) {
    card("a step, predicted", formatSeconds(*step.predicted));
    card("measured over predicted", formatRatio(step.ratio()));
  }
  card("waiting and communication, measured",
       formatSeconds(comparison.communication()));
  card("of a step is in its parts below",
       percent(comparison.covered(), step.measured));
  if (trace.reserved)
    card("memory per rank, exact", formatBytes(double(trace.reserved)));
  out << "</div>\n";
}

void Page::writeTable(StringRef title, StringRef first,
                      const TraceComparison::Times &times, size_t most) {
  using Row = std::pair<StringRef, ComparedTime>;
  std::vector<Row> rows;
  for (const auto &[what, time] : times)
    rows.emplace_back(what, time);
  llvm::stable_sort(rows, [](const Row &one, const Row &other) {
    return std::abs(one.second.excess()) > std::abs(other.second.excess());
  });
  out << "<div><h2>" << title << "</h2>\n";
  if (rows.size() > most) {
    out << "<p class=\"note\">" << most << " of " << groupDigits(rows.size())
        << "</p>\n";
    rows.resize(most);
  }
  out << "<table><tr><th>" << first
      << "</th><th class=\"n\">times</th><th class=\"n\">measured</th>";
  if (timeline)
    out << "<th class=\"n\">predicted</th><th class=\"n\">ratio</th>"
           "<th class=\"n\">difference</th>";
  out << "</tr>\n";
  for (const auto &[what, time] : rows) {
    out << "<tr>";
    writeCell(out, what, false);
    writeCell(
        out,
        formatFixed(
            time.times,
            time.times < 10 && time.times != std::floor(time.times) ? 1 : 0),
        true);
    writeCell(out, formatSeconds(time.measured), true);
    if (timeline) {
      writeCell(out, time.predicted ? formatSeconds(*time.predicted) : "",
                true);
      writeCell(out, formatRatio(time.ratio()), true);
      bool isSame = std::abs(time.excess()) < 5e-9; // as it is printed
      writeCell(out,
                isSame ? ""
                       : (time.excess() < 0 ? "-" : "+") +
                             formatSeconds(std::abs(time.excess())),
                true);
    }
    out << "</tr>\n";
  }
  out << "</table></div>\n";
}

void Page::write() {
  writeCards();
  writeChart();
  StringRef order = timeline ? ", what differs most first" : "";
  out << "<p class=\"note\">Below: one rank's step of training, the mean of "
         "those recorded"
      << order << ".</p>\n<div class=\"tables\">\n";
  writeTable("By kind", "kind", comparison.byKind(), 30);
  writeTable("By layer and kind", "layer: kind", comparison.byLayer(), 25);
  writeTable("By step", "step", comparison.byName(), 25);
  out << "</div>\n";
}

void tessera::printTracePage(ArrayRef<NamedTrace> traces, const TracePlan *plan,
                             llvm::raw_ostream &out) {
  std::string title = traces.size() == 1
                          ? "Profile of " + traces.front().trace.model
                          : std::to_string(traces.size()) + " profiles";
  writePage(title, out, [&] {
    for (const NamedTrace &trace : traces)
      Page(trace, plan, out).write();
  });
}
