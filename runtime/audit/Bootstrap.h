//===- Bootstrap.h - How certain figures are --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_BOOTSTRAP_H
#define TESSERA_RUNTIME_AUDIT_BOOTSTRAP_H

#include "runtime/audit/Metrics.h"
#include <map>
#include <memory>
#include <tuple>

namespace tessera::runtime {

struct Interval {
  double low = 0, high = 0;
};

/// How often each member and non-member of a run is drawn. Attacks on the same
/// runs are resampled alike, so that drawing is done once for all of them.
class Resamples {
public:
  struct Times {
    std::vector<uint8_t> members, nonMembers;
  };
  /// Those of draw \p draw of a run.
  static Times draw(uint64_t seed, uint64_t run, uint64_t draw, int64_t members,
                    int64_t nonMembers);

  /// Of all \p draws, or null where they would take more than 64 MiB. Called by
  /// one thread at a time.
  const std::vector<Times> *find(uint64_t seed, uint64_t run, int64_t draws,
                                 int64_t members, int64_t nonMembers);

private:
  using Key = std::tuple<uint64_t, uint64_t, int64_t, int64_t, int64_t>;
  std::map<Key, std::vector<Times>> kept;
  int64_t bytes = 0;
};

struct BootstrapSettings {
  uint64_t seed = 0;
  int64_t draws = 1000;
  double level = 0.95;
  /// What copies of these settings share.
  std::shared_ptr<Resamples> resamples = std::make_shared<Resamples>();
};

/// Percentile intervals of the means over \p runs of their metrics (Efron and
/// Tibshirani, "An introduction to the bootstrap", 1993, chapter 13): in each
/// draw, members and non-members of each run are resampled apart, with
/// replacement. They hold for these models and splits; the deviation over seeds
/// says how much others differ. The same on any number of threads.
PerMetric<Interval> bootstrap(std::span<const RankedScores> runs,
                              const BootstrapSettings &settings = {});

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_BOOTSTRAP_H
