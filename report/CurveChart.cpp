//===- CurveChart.cpp - A chart of curves ---------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/CurveChart.h"
#include "report/Figures.h"
#include "report/Html.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"

#include <cmath>

using namespace tessera;
using namespace llvm;

const StringLiteral tessera::curveStyle = R"(
svg .axis { stroke: #59636e; stroke-width: 1; }
svg .curve { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
svg .pale { fill: none; stroke-width: 0.8; opacity: 0.45; }
svg .dashed { stroke-dasharray: 6 3; }
.at rect { fill: transparent; }
.at line { stroke: #59636e; stroke-width: 0.8; }
.at line, .at circle, .at text, .at .card { visibility: hidden; }
.at:hover line, .at:hover circle, .at:hover text, .at:hover .card { visibility: visible; }
.at rect.card { fill: #ffffffe6; stroke: #d1d9e0; }
)";

namespace {

// Of the drawing: the room for labels is left of and below the curves.
constexpr double width = 1000, height = 300, left = 70, top = 10, bottom = 40,
                 right = 12, innerWidth = width - left - right,
                 innerHeight = height - top - bottom;
/// Places at which values can be read.
constexpr int readings = 100;

class ChartAxis {
public:
  explicit ChartAxis(bool isLog) : isLog(isLog) {}

  bool holds(double value) const {
    return std::isfinite(value) && (!isLog || value > 0);
  }
  void include(double value) {
    if (!holds(value))
      return;
    low = isEmpty ? value : std::min(low, value);
    high = isEmpty ? value : std::max(high, value);
    isEmpty = false;
  }
  bool empty() const { return isEmpty; }
  /// Leaves \p share of its length free at both ends.
  void widen(double share) {
    if (isLog) {
      double factor = high > low ? std::pow(high / low, share) : 1.5;
      low /= factor;
      high *= factor;
      return;
    }
    double more = high > low    ? share * (high - low)
                  : high == 0.0 ? 1
                                : 0.1 * std::abs(high);
    low -= more;
    high += more;
  }
  /// From 0 to 1 along it.
  double place(double value) const {
    if (isLog)
      return std::log(value / low) / std::log(high / low);
    return (value - low) / (high - low);
  }
  std::vector<double> ticks(int count) const;

private:
  bool isLog, isEmpty = true;
  double low = 0, high = 0;
};

std::vector<double> ChartAxis::ticks(int count) const {
  std::vector<double> found;
  // Powers of ten, or twice and five times these between them.
  for (bool isFine : {false, true}) {
    found.clear();
    for (double decade = std::pow(10, std::floor(std::log10(low)));
         isLog && decade <= high; decade *= 10)
      for (double step : {1.0, 2.0, 5.0})
        if ((step == 1 || isFine) && step * decade >= low &&
            step * decade <= high)
          found.push_back(step * decade);
    if (found.size() >= 3)
      return found;
  }
  found.clear();
  double distance = getTickDistance(high - low, count);
  for (double tick = std::ceil(low / distance) * distance; tick <= high;
       tick += distance)
    // What is 0 but for rounding.
    found.push_back(std::abs(tick) < 1e-9 * distance ? 0 : tick);
  return found;
}

/// "20 k", "0.05", "1e-05".
std::string textOf(double value) {
  static constexpr const char *prefixes[] = {"", " k", " M", " G", " T"};
  double size = std::abs(value);
  int prefix = 0;
  if (size >= 1e4)
    for (; size >= 1000 && prefix < 4; size /= 1000, value /= 1000)
      ++prefix;
  std::string text;
  raw_string_ostream(text) << format("%.4g", value) << prefixes[prefix];
  return text;
}

class Chart {
public:
  Chart(ArrayRef<Curve> curves, StringRef xName, ChartAxes axes,
        raw_ostream &out)
      : curves(curves), xName(xName), x(axes.isLogX), y(axes.isLogY), out(out) {
  }
  void write();

private:
  double across(double value) const {
    return left + innerWidth * x.place(value);
  }
  double down(double value) const {
    return top + innerHeight * (1 - y.place(value));
  }
  bool holds(const Curve &curve, size_t i) const {
    return x.holds(curve.x[i]) && y.holds(curve.y[i]);
  }
  void writeAxes();
  void writeLine(const Curve &curve, ArrayRef<double> values, StringRef kind);
  void writeReadings();
  std::optional<size_t> findNearest(const Curve &curve, double centre) const;
  void writeReading(double from, double to, double centre);

  ArrayRef<Curve> curves;
  StringRef xName;
  ChartAxis x, y;
  raw_ostream &out;
};

} // namespace

void Chart::writeAxes() {
  for (double tick : y.ticks(6)) {
    std::string at = coordinate(down(tick));
    out << "<line class=\"grid\" x1=\"" << coordinate(left) << "\" x2=\""
        << coordinate(width - right) << "\" y1=\"" << at << "\" y2=\"" << at
        << "\"/>\n";
    writeText(out, left - 6, down(tick) + 4, "end", textOf(tick));
  }
  for (double tick : x.ticks(10)) {
    std::string at = coordinate(across(tick));
    out << "<line class=\"grid\" x1=\"" << at << "\" x2=\"" << at << "\" y1=\""
        << coordinate(top) << "\" y2=\"" << coordinate(top + innerHeight)
        << "\"/>\n";
    writeText(out, across(tick), top + innerHeight + 16, "middle",
              textOf(tick));
  }
  writeText(out, width - right, height - 4, "end", xName);
  out << "<path class=\"axis\" fill=\"none\" d=\"M" << coordinate(left) << " "
      << coordinate(top) << "V" << coordinate(top + innerHeight) << "H"
      << coordinate(width - right) << "\"/>\n";
}

void Chart::writeLine(const Curve &curve, ArrayRef<double> values,
                      StringRef kind) {
  // Of points in the same column of pixels the lowest and the highest are seen.
  size_t lowest = 0, highest = 0;
  int64_t column = -1;
  bool isBroken = true;
  std::string path;
  raw_string_ostream stream(path);
  auto point = [&](size_t i) {
    stream << (isBroken ? "M" : "L") << coordinate(across(curve.x[i])) << " "
           << coordinate(down(values[i]));
    isBroken = false;
  };
  auto finish = [&] {
    if (column < 0)
      return;
    point(std::min(lowest, highest));
    if (lowest != highest)
      point(std::max(lowest, highest));
    column = -1;
  };
  for (size_t i = 0; i < values.size(); ++i) {
    if (!x.holds(curve.x[i]) || !y.holds(values[i])) {
      finish();
      isBroken = true;
      continue;
    }
    auto own = static_cast<int64_t>(across(curve.x[i]));
    if (own != column) {
      finish();
      column = own;
      lowest = highest = i;
    }
    lowest = values[i] < values[lowest] ? i : lowest;
    highest = values[i] > values[highest] ? i : highest;
  }
  finish();
  if (path.empty())
    return;
  out << "<path class=\"" << kind << (curve.isDashed ? " dashed" : "")
      << "\" stroke=\"" << curve.colour << "\" d=\"" << path << "\"/>\n";
}

/// The point of \p curve nearest to \p centre; nothing where it has none near,
/// as a run has that ended long before.
std::optional<size_t> Chart::findNearest(const Curve &curve,
                                         double centre) const {
  constexpr double near = innerWidth / 20;
  size_t middle =
      llvm::partition_point(
          curve.x, [&](double value) { return across(value) < centre; }) -
      curve.x.begin();
  std::optional<size_t> nearest;
  double least = near;
  auto look = [&](size_t i) {
    double distance = std::abs(across(curve.x[i]) - centre);
    if (holds(curve, i) && distance <= least) {
      nearest = i;
      least = distance;
    }
    return distance <= least && !holds(curve, i);
  };
  for (size_t i = middle; i < curve.x.size() && look(i); ++i)
    ;
  for (size_t i = middle; i-- > 0 && look(i);)
    ;
  return nearest;
}

/// What is read where the pointer is between \p from and \p to, with the curves
/// at their points nearest to \p centre, all along the drawing.
void Chart::writeReading(double from, double to, double centre) {
  struct Value {
    const Curve *curve;
    size_t point;
  };
  std::vector<Value> values;
  for (const Curve &curve : curves)
    if (std::optional<size_t> nearest = findNearest(curve, centre))
      values.push_back({&curve, *nearest});
  if (values.empty())
    return;
  out << "<g class=\"at\"><rect x=\"" << coordinate(from) << "\" y=\""
      << coordinate(top) << "\" width=\"" << coordinate(to - from)
      << "\" height=\"" << coordinate(innerHeight) << "\"/><line x1=\""
      << coordinate(centre) << "\" x2=\"" << coordinate(centre) << "\" y1=\""
      << coordinate(top) << "\" y2=\"" << coordinate(top + innerHeight)
      << "\"/>";
  std::vector<std::string> lines;
  size_t longest = 0;
  for (const Value &value : values) {
    lines.push_back(value.curve->name + ": " +
                    textOf(value.curve->y[value.point]) + " at " + xName.str() +
                    " " + textOf(value.curve->x[value.point]));
    longest = std::max(longest, lines.back().size());
    out << "<circle r=\"3.5\" fill=\"" << value.curve->colour << "\" cx=\""
        << coordinate(across(value.curve->x[value.point])) << "\" cy=\""
        << coordinate(down(value.curve->y[value.point])) << "\"/>";
  }
  // On the side that has room; letters are some 6.5 wide.
  double cardWidth = 6.5 * double(longest) + 26;
  bool isLeft = centre > left + innerWidth / 2;
  double at = isLeft ? centre - cardWidth - 8 : centre + 8;
  out << "<rect class=\"card\" x=\"" << coordinate(at) << "\" y=\""
      << coordinate(top + 4) << "\" width=\"" << coordinate(cardWidth)
      << "\" height=\"" << coordinate(16.0 * double(lines.size()) + 8)
      << "\" rx=\"4\"/>";
  for (auto [i, line] : enumerate(lines)) {
    double row = top + 20 + 16.0 * double(i);
    out << "<circle r=\"4\" fill=\"" << values[i].curve->colour << "\" cx=\""
        << coordinate(at + 10) << "\" cy=\"" << coordinate(row - 4) << "\"/>";
    writeText(out, at + 20, row, "start", line);
  }
  out << "</g>\n";
}

void Chart::writeReadings() {
  double step = innerWidth / readings;
  for (int i = 0; i < readings; ++i)
    writeReading(left + i * step, left + (i + 1) * step,
                 left + (i + 0.5) * step);
}

void Chart::write() {
  for (const Curve &curve : curves)
    for (size_t i = 0; i < curve.x.size(); ++i) {
      if (!x.holds(curve.x[i]))
        continue;
      for (double value :
           {curve.y[i], curve.raw.empty() ? curve.y[i] : curve.raw[i]}) {
        y.include(value);
        if (y.holds(value))
          x.include(curve.x[i]);
      }
    }
  if (x.empty() || y.empty()) {
    out << "<p class=\"note\">There is nothing to draw: no value is "
           "positive.</p>\n";
    return;
  }
  x.widen(0.0);
  y.widen(0.05);
  out << "<svg viewBox=\"0 0 " << coordinate(width) << " " << coordinate(height)
      << "\" xmlns=\"http://www.w3.org/2000/svg\">\n";
  writeAxes();
  for (const Curve &curve : curves)
    if (!curve.raw.empty())
      writeLine(curve, curve.raw, "pale");
  for (const Curve &curve : curves) {
    writeLine(curve, curve.y, "curve");
    // A point that has no line, or of few, is a dot.
    constexpr size_t few = 60;
    if ((curve.isDashed && curve.x.size() <= few) || curve.x.size() == 1)
      for (size_t i = 0; i < curve.x.size(); ++i)
        if (holds(curve, i))
          out << "<circle class=\"dot\" r=\"2.6\" fill=\"" << curve.colour
              << "\" cx=\"" << coordinate(across(curve.x[i])) << "\" cy=\""
              << coordinate(down(curve.y[i])) << "\"/>\n";
  }
  writeReadings();
  out << "</svg>\n";
}

void tessera::writeCurveChart(ArrayRef<Curve> curves, StringRef xName,
                              ChartAxes axes, raw_ostream &out) {
  Chart(curves, xName, axes, out).write();
}
