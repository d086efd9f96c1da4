//===- Curves.h - Runs as curves --------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_CURVES_H
#define TESSERA_REPORT_CURVES_H

#include "report/RunLog.h"
#include "llvm/Support/raw_ostream.h"

namespace tessera {

/// A run as a page shows it.
struct NamedRun {
  std::string name;
  RunLog log;
};

struct CurvesOptions {
  /// What curves are drawn over: "step", or a number that all lines have and
  /// that grows: "tokens", "epoch".
  std::string by = "step";
  /// Curves are means of so many lines, over pale ones of each line.
  int64_t smooth = 1;
};

/// Writes a page of \p runs: a table, and for each number a chart of all runs,
/// which losses of validation share with those of training. Axes are linear or
/// logarithmic as two boxes say; where the pointer rests on a chart it shows
/// the values there. The page needs no scripts.
void printCurves(llvm::ArrayRef<NamedRun> runs, const CurvesOptions &options,
                 llvm::raw_ostream &out);

} // namespace tessera

#endif // TESSERA_REPORT_CURVES_H
