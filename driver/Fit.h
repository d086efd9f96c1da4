//===- Fit.h - The largest plan that fits a memory --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_FIT_H
#define TESSERA_DRIVER_FIT_H

#include "driver/Planner.h"
#include "driver/Values.h"

namespace tessera {

/// The value of a field at which a plan just fits a memory: the smallest where
/// memory falls as the field grows (ranks, the stage of ZeRO), the largest
/// elsewhere. Found by bisection, so memory must grow or fall with the field
/// throughout.
struct Fit {
  struct Candidate {
    std::string value;
    Planner::Outcome outcome;
  };

  Axis axis;
  int64_t limit = 0; ///< bytes
  bool smallest = false;
  /// The value that fits; nothing where none does.
  std::optional<Candidate> best;
  /// The nearest value that does not fit; nothing where all fit.
  std::optional<Candidate> next;

  /// Values between those that were tried of which no specification comes, and
  /// why none comes of the first.
  std::vector<std::string> invalid;
  std::string invalidReason;

  /// Tries the values of \p axis that make a valid specification; where it has
  /// none, all whole numbers up to 65536. Fails where none is valid.
  /// \p progress gets a line that is drawn over, of what is being tried; null
  /// for none.
  static llvm::Expected<Fit> run(const Planner &planner, Axis axis,
                                 int64_t limit,
                                 llvm::raw_ostream *progress = nullptr);

  void printText(llvm::raw_ostream &out) const;
  /// JSON (docs/plan.md).
  void printJson(llvm::raw_ostream &out) const;
};

} // namespace tessera

#endif // TESSERA_DRIVER_FIT_H
