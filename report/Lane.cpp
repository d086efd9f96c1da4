//===- Lane.cpp - A row of rectangles of a chart ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/Lane.h"
#include "report/Figures.h"
#include "report/Html.h"

using namespace tessera;
using llvm::StringRef;

void Lane::add(double x, double end, StringRef kind, double seconds,
               StringRef colour, llvm::function_ref<std::string()> title) {
  // Two things that do not touch are not one.
  if (count && (x - right > sliver || right - left >= sliver))
    flush();
  if (end - x >= sliver) {
    flush();
    return writeRectangle(out, x, y, end - x, height, colour, title());
  }
  if (!count++) {
    left = x;
    single = title();
  }
  right = end;
  auto &[times, sum, own] = kinds[kind];
  ++times;
  sum += seconds;
  own = colour;
}

void Lane::flush() {
  if (!count)
    return;
  std::string text = single;
  StringRef colour;
  double most = -1, all = 0;
  std::string list;
  for (auto &[kind, entry] : kinds) {
    auto &[times, sum, own] = entry;
    all += sum;
    list += "\n" + std::to_string(times) + " " + kind.str() + ": " +
            formatSeconds(sum);
    if (sum > most) {
      most = sum;
      colour = own;
    }
  }
  if (count > 1)
    text = std::to_string(count) + " steps, " + formatSeconds(all) + list;
  writeRectangle(out, left, y, std::max(right - left, 0.2), height, colour,
                 text);
  kinds.clear();
  count = 0;
}
