//===- Chart.h - Charts of a page -------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_CHART_H
#define TESSERA_RUNTIME_AUDIT_CHART_H

#include <string>
#include <utility>
#include <vector>

namespace tessera::runtime {

/// \p text with what XML reserves written as entities, and U+FFFD in the place
/// of what is no UTF-8 or no character of XML.
std::string escapeXml(const std::string &text);

/// One direction of a chart.
struct Axis {
  std::string title;
  double low = 0, high = 1; ///< on a logarithmic axis above 0
  bool isLogarithmic = false;

  /// From 0 at low to 1 at high, and beyond; 0 where a logarithmic axis has no
  /// place for it.
  double share(double value) const;
  /// Where lines and numbers are: decades, or 1, 2 or 5 times a power of ten.
  std::vector<double> ticks() const;
};

using Points = std::vector<std::pair<double, double>>;

/// A chart as an SVG element, what is drawn last on top. Colours are CSS's;
/// titles are shown where the pointer rests.
class Chart {
public:
  Chart(Axis x, Axis y);

  /// \p dashes: SVG's stroke-dasharray, empty for a line without gaps. Of class
  /// \p kind, which programs find it by.
  void line(const Points &points, const std::string &colour, double width,
            const std::string &dashes, const std::string &title,
            const std::string &kind);
  void dot(double x, double y, const std::string &colour, bool isFilled,
           const std::string &title);
  /// From 0 to \p y.
  void bar(double left, double right, double y, const std::string &colour,
           const std::string &title);

  std::string svg() const;

private:
  double placeX(double value) const;
  double placeY(double value) const;
  void grid();

  Axis x, y;
  std::string content;
};

/// A square of the colour and its name, for a legend; \p isHollow: its border.
std::string legendKey(const std::string &colour, const std::string &name,
                      bool isHollow = false);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_CHART_H
