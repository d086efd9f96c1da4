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

FailureOr<Recomputation> tessera::chooseWithin(int64_t limit, Planner plan) {
  auto within = [&](Recomputation recomputation) -> FailureOr<bool> {
    FailureOr<RecomputationPlan> planned = plan(recomputation);
    if (failed(planned))
      return failure();
    return planned->bytes <= limit;
  };
  FailureOr<RecomputationPlan> nothing = plan({});
  if (failed(nothing))
    return failure();
  if (nothing->bytes <= limit)
    return Recomputation();
  int64_t segments = nothing->segments;

  auto cheapIn = [&](int64_t whole, int64_t low) -> FailureOr<Recomputation> {
    FailureOr<int64_t> cheap =
        findLeast(low, segments, [&](int64_t count) -> FailureOr<bool> {
          return within({whole, count});
        });
    if (failed(cheap))
      return failure();
    return Recomputation{whole, *cheap};
  };
  FailureOr<bool> cheapDoes = within({0, segments});
  if (failed(cheapDoes))
    return failure();
  if (*cheapDoes)
    return cheapIn(0, 1);

  FailureOr<Recomputation> layers = chooseLayers(plan);
  if (failed(layers))
    return failure();
  FailureOr<bool> layersDo = within({layers->whole, segments});
  if (failed(layersDo))
    return failure();
  if (!*layersDo)
    return layers;
  FailureOr<int64_t> whole =
      findLeast(1, layers->whole, [&](int64_t count) -> FailureOr<bool> {
        return within({count, segments});
      });
  if (failed(whole))
    return failure();
  return cheapIn(*whole, *whole);
}
