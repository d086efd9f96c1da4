//===- Lane.h - A row of rectangles of a chart ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_LANE_H
#define TESSERA_REPORT_LANE_H

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

namespace tessera {

/// What is narrower is merged with its neighbours.
inline constexpr double sliver = 0.6;

/// Neighbours of a lane that are too narrow to be seen alone become one
/// rectangle that says what all of them are.
class Lane {
public:
  Lane(llvm::raw_ostream &out, double y, double height)
      : out(out), y(y), height(height) {}
  ~Lane() { flush(); }

  /// From \p x to \p end, in the chart's units, in the order of \p x.
  void add(double x, double end, llvm::StringRef kind, double seconds,
           llvm::StringRef colour, llvm::function_ref<std::string()> title);

private:
  void flush();

  llvm::raw_ostream &out;
  double y, height, left = 0, right = 0;
  int64_t count = 0;
  std::string single;
  llvm::MapVector<llvm::StringRef, std::tuple<int64_t, double, llvm::StringRef>>
      kinds;
};

} // namespace tessera

#endif // TESSERA_REPORT_LANE_H
