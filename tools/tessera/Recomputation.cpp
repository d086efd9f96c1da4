//===- Recomputation.cpp - How much is computed again -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/tessera/Recomputation.h"

using namespace mlir;
using namespace tessera;

/// The least number in [\p low, \p high] for which \p fits holds, if it holds
/// for all numbers above one for which it does. It is taken to hold for
/// \p high.
static FailureOr<int64_t>
findLeast(int64_t low, int64_t high,
          llvm::function_ref<FailureOr<bool>(int64_t)> fits) {
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    FailureOr<bool> enough = fits(middle);
    if (failed(enough))
      return failure();
    (*enough ? high : low) = *enough ? middle : middle + 1;
  }
  return high;
}

FailureOr<Recomputation> tessera::chooseLayers(Planner plan) {
  FailureOr<RecomputationPlan> all = plan({INT64_MAX, INT64_MAX});
  if (failed(all))
    return failure();
  auto fits = [&](int64_t whole) -> FailureOr<bool> {
    FailureOr<RecomputationPlan> some = plan({whole, whole});
    if (failed(some))
      return failure();
    return some->bytes <= all->bytes;
  };
  // Few can be left out as a rule, so steps begin small at the end.
  int64_t low = 0, high = all->segments;
  for (int64_t step = 1; low < high; step *= 2) {
    int64_t next = std::max<int64_t>(low, high - step);
    FailureOr<bool> enough = fits(next);
    if (failed(enough))
      return failure();
    if (!*enough) {
      low = next + 1;
      break;
    }
    high = next;
  }
  FailureOr<int64_t> whole = findLeast(low, high, fits);
  if (failed(whole))
    return failure();
  return Recomputation{*whole, *whole};
}
