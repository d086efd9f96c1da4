//===- Recomputation.cpp - How much is recomputed ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Recomputation.h"

#include <algorithm>
#include <cmath>
#include <map>

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

FailureOr<Recomputation> tessera::chooseLayers(MakePlan plan) {
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

namespace {
/// A number of segments and what training takes with it.
struct Try {
  int64_t count, bytes;
};
} // namespace

/// The same for what takes at most \p limit bytes, where \p low takes more and
/// \p high does not. Bytes are about linear in the count, so that the guess of
/// a line is right as a rule, and its neighbour shows it; every third guess is
/// the middle, so that it ends in any case.
static FailureOr<int64_t>
findLeast(Try low, Try high, int64_t limit,
          llvm::function_ref<FailureOr<int64_t>(int64_t)> getBytes) {
  for (int guesses = 1; high.count - low.count > 1; ++guesses) {
    int64_t span = high.count - low.count;
    double share = double(low.bytes - limit) / double(low.bytes - high.bytes);
    auto guess = low.count + static_cast<int64_t>(std::ceil(share * span));
    if (guesses % 3 == 0)
      guess = low.count + span / 2;
    guess = std::clamp(guess, low.count + 1, high.count - 1);
    FailureOr<int64_t> bytes = getBytes(guess);
    if (failed(bytes))
      return failure();
    (*bytes <= limit ? high : low) = {guess, *bytes};
  }
  return high.count;
}

FailureOr<Recomputation> tessera::chooseWithin(int64_t limit, MakePlan plan) {
  std::map<std::pair<int64_t, int64_t>, int64_t> known;
  auto getBytes = [&](int64_t whole, int64_t cheap) -> FailureOr<int64_t> {
    auto found = known.find({whole, cheap});
    if (found != known.end())
      return found->second;
    FailureOr<RecomputationPlan> planned = plan({whole, cheap});
    if (failed(planned))
      return failure();
    return known[{whole, cheap}] = planned->bytes;
  };
  FailureOr<RecomputationPlan> nothing = plan({});
  if (failed(nothing))
    return failure();
  if (nothing->bytes <= limit)
    return Recomputation();
  int64_t segments = nothing->segments;

  // The fewest segments of which what is cheap is recomputed, besides
  // `whole` ones, where none are too few and all, with `bytes`, are enough.
  auto chooseCheap = [&](int64_t whole, int64_t none,
                         int64_t bytes) -> FailureOr<Recomputation> {
    FailureOr<int64_t> cheap =
        findLeast({whole, none}, {segments, bytes}, limit,
                  [&](int64_t count) { return getBytes(whole, count); });
    if (failed(cheap))
      return failure();
    return Recomputation{whole, *cheap};
  };
  FailureOr<int64_t> allCheap = getBytes(0, segments);
  if (failed(allCheap))
    return failure();
  if (*allCheap <= limit)
    return chooseCheap(0, nothing->bytes, *allCheap);

  FailureOr<int64_t> all = getBytes(segments, segments);
  if (failed(all))
    return failure();
  if (*all > limit)
    return chooseLayers(plan);
  FailureOr<int64_t> whole =
      findLeast({0, *allCheap}, {segments, *all}, limit,
                [&](int64_t count) { return getBytes(count, segments); });
  if (failed(whole))
    return failure();
  FailureOr<int64_t> none = getBytes(*whole, *whole);
  if (failed(none))
    return failure();
  if (*none <= limit)
    return Recomputation{*whole, *whole};
  FailureOr<int64_t> most = getBytes(*whole, segments);
  if (failed(most))
    return failure();
  return chooseCheap(*whole, *none, *most);
}
