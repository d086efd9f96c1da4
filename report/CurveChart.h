//===- CurveChart.h - A chart of curves -------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_CURVECHART_H
#define TESSERA_REPORT_CURVECHART_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

#include <string>
#include <vector>

namespace tessera {

/// Points whose x ascend; a y that is not finite is a gap.
struct Curve {
  std::string name; ///< as readings call it
  llvm::StringRef colour;
  bool isDashed = false; ///< with a dot at each point, where they are few
  std::vector<double> x, y;
  /// What the curve is a mean of, drawn pale below it; empty for nothing.
  std::vector<double> raw;
};

/// What the pages of charts have as their style.
extern const llvm::StringLiteral curveStyle;

/// Whether an axis is logarithmic. What is not positive is not on it then.
struct ChartAxes {
  bool isLogX = false, isLogY = false;
};

/// Writes an SVG of \p curves over \p xName, with readings where the pointer
/// rests. Says so in its place where there is nothing to draw.
void writeCurveChart(llvm::ArrayRef<Curve> curves, llvm::StringRef xName,
                     ChartAxes axes, llvm::raw_ostream &out);

} // namespace tessera

#endif // TESSERA_REPORT_CURVECHART_H
