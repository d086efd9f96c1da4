//===- Sweep.h - Plans over the values of some fields -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_SWEEP_H
#define TESSERA_DRIVER_SWEEP_H

#include "driver/Planner.h"
#include "driver/Values.h"

namespace tessera {

/// The plans of all combinations of some fields' values.
struct Sweep {
  struct Row {
    std::vector<size_t> indices; ///< of each axis's value
    Planner::Outcome outcome;
  };
  std::vector<Axis> axes;
  std::vector<Row> rows; ///< the last axis varies fastest

  /// Plans all combinations; those that cannot be planned are rows with their
  /// reason. Fails where there are too many.
  static llvm::Expected<Sweep> run(const Planner &planner,
                                   std::vector<Axis> axes);

  /// The values of \p row as they were given, one per axis.
  std::vector<std::string> getTexts(const Row &row) const;
  /// Whether any combination could be planned.
  bool hasPlan() const;

  void printText(llvm::raw_ostream &out) const;
  void printCsv(llvm::raw_ostream &out) const;
  /// JSON (docs/plan.md).
  void printJson(llvm::raw_ostream &out) const;
  /// A page of its own with one bar per row.
  void printHtml(llvm::StringRef title, llvm::raw_ostream &out) const;
};

} // namespace tessera

#endif // TESSERA_DRIVER_SWEEP_H
