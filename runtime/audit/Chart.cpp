//===- Chart.cpp - Charts of a page ---------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Chart.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace tessera::runtime {

// A chart's measures, in its own units.
static constexpr double width = 640, height = 420, left = 64, right = 628,
                        top = 12, bottom = 366;

std::string escapeXml(const std::string &text) {
  // Paths are bytes: the writer of JSON replaces what is no UTF-8.
  using Json = nlohmann::json;
  std::string sound =
      Json::parse(
          Json(text).dump(-1, ' ', false, Json::error_handler_t::replace))
          .get<std::string>();
  std::string escaped;
  for (char c : sound) {
    if (c == '&')
      escaped += "&amp;";
    else if (c == '<')
      escaped += "&lt;";
    else if (c == '>')
      escaped += "&gt;";
    else if (c == '"')
      escaped += "&quot;";
    else if (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t')
      escaped += "\xEF\xBF\xBD";
    else
      escaped += c;
  }
  return escaped;
}

double Axis::share(double value) const {
  if (!isLogarithmic)
    return (value - low) / (high - low);
  return value > low ? std::log(value / low) / std::log(high / low) : 0;
}

std::vector<double> Axis::ticks() const {
  std::vector<double> ticks;
  if (isLogarithmic) {
    for (double power = std::ceil(std::log10(low) - 1e-9);
         power <= std::log10(high) + 1e-9; ++power)
      ticks.push_back(std::pow(10, power));
    return ticks;
  }
  static constexpr double most = 8;
  double raw = (high - low) / most;
  double distance = std::pow(10, std::floor(std::log10(raw)));
  for (double step : {2.0, 2.5, 2.0})
    if (distance < raw * (1 - 1e-9))
      distance *= step;
  for (double i = std::ceil(low / distance - 1e-9);
       i * distance <= high + 1e-9 * distance; ++i)
    ticks.push_back(i * distance);
  return ticks;
}

static std::string coordinate(double number) {
  char text[32];
  snprintf(text, sizeof text, "%.2f", number);
  return text;
}

static std::string number(double value) {
  char text[32];
  // Not -0 or what adding up has left beside it.
  snprintf(text, sizeof text, "%g", std::abs(value) < 1e-12 ? 0 : value);
  return text;
}

static std::string textElement(double x, double y, const char *anchor,
                               const std::string &text,
                               const std::string &more = "") {
  return "<text x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) +
         "\" text-anchor=\"" + anchor + "\"" + more + ">" + escapeXml(text) +
         "</text>\n";
}

static std::string lineElement(double x1, double y1, double x2, double y2) {
  return "<line class=\"grid\" x1=\"" + coordinate(x1) + "\" y1=\"" +
         coordinate(y1) + "\" x2=\"" + coordinate(x2) + "\" y2=\"" +
         coordinate(y2) + "\"/>\n";
}

static std::string titleElement(const std::string &title) {
  return title.empty() ? "" : "<title>" + escapeXml(title) + "</title>";
}

Chart::Chart(Axis xAxis, Axis yAxis)
    : x(std::move(xAxis)), y(std::move(yAxis)) {
  grid();
}

double Chart::placeX(double value) const {
  return left + (right - left) * x.share(value);
}
double Chart::placeY(double value) const {
  return bottom - (bottom - top) * y.share(value);
}

void Chart::grid() {
  for (double tick : x.ticks()) {
    double place = placeX(tick);
    content += lineElement(place, top, place, bottom);
    content += textElement(place, bottom + 18, "middle", number(tick));
  }
  for (double tick : y.ticks()) {
    double place = placeY(tick);
    content += lineElement(left, place, right, place);
    content += textElement(left - 8, place + 4, "end", number(tick));
  }
  content += textElement((left + right) / 2, height - 10, "middle", x.title);
  double middle = (top + bottom) / 2;
  content +=
      textElement(14, middle, "middle", y.title,
                  " transform=\"rotate(-90 14 " + coordinate(middle) + ")\"");
}

void Chart::line(const Points &points, const std::string &colour,
                 double lineWidth, const std::string &dashes,
                 const std::string &title, const std::string &kind) {
  content += "<polyline class=\"" + kind + "\" fill=\"none\" stroke=\"" +
             colour + "\" stroke-width=\"" + number(lineWidth) + "\"";
  if (!dashes.empty())
    content += " stroke-dasharray=\"" + dashes + "\"";
  content += " points=\"";
  for (const auto &[px, py] : points)
    content += coordinate(placeX(px)) + "," + coordinate(placeY(py)) + " ";
  content += "\">" + titleElement(title) + "</polyline>\n";
}

void Chart::dot(double px, double py, const std::string &colour, bool isFilled,
                const std::string &title) {
  content += "<circle cx=\"" + coordinate(placeX(px)) + "\" cy=\"" +
             coordinate(placeY(py)) + "\" r=\"5\" stroke=\"" + colour +
             "\" stroke-width=\"1.6\" fill=\"" +
             (isFilled ? colour : std::string("#fff")) + "\">" +
             titleElement(title) + "</circle>\n";
}

void Chart::bar(double from, double to, double value, const std::string &colour,
                const std::string &title) {
  double begin = placeX(from), end = placeX(to), at = placeY(value);
  content += "<rect x=\"" + coordinate(begin) + "\" y=\"" + coordinate(at) +
             "\" width=\"" + coordinate(end - begin) + "\" height=\"" +
             coordinate(std::max(0.0, placeY(0) - at)) + "\" fill=\"" + colour +
             "\" fill-opacity=\"0.55\">" + titleElement(title) + "</rect>\n";
}

std::string Chart::svg() const {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " +
         number(width) + " " + number(height) + "\">\n" + content + "</svg>\n";
}

std::string legendKey(const std::string &colour, const std::string &name,
                      bool isHollow) {
  return "<span class=\"key\"><i style=\"" +
         (isHollow ? "border:2px solid " + colour + ";box-sizing:border-box"
                   : "background:" + colour) +
         "\"></i>" + escapeXml(name) + "</span>\n";
}

} // namespace tessera::runtime
