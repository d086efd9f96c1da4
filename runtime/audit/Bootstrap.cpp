//===- Bootstrap.cpp - How certain figures are ----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Bootstrap.h"
#include "runtime/audit/Draws.h"
#include "runtime/core/Threads.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace tessera::runtime {

/// As many draws as there are \p times.
static void resample(Draws &draws, std::vector<uint8_t> &times) {
  static constexpr uint8_t most = std::numeric_limits<uint8_t>::max();
  auto count = static_cast<uint32_t>(times.size());
  for (uint32_t i = 0; i < count; ++i) {
    // 256 times the same has a probability below 1e-500.
    uint8_t &time = times[draws.below(count)];
    time += time < most;
  }
}

Resamples::Times Resamples::draw(uint64_t seed, uint64_t run, uint64_t draw,
                                 int64_t members, int64_t nonMembers) {
  Times times{std::vector<uint8_t>(members), std::vector<uint8_t>(nonMembers)};
  Draws draws(seed, Draw::Bootstrap, run, draw);
  resample(draws, times.members);
  resample(draws, times.nonMembers);
  return times;
}

const std::vector<Resamples::Times> *
Resamples::find(uint64_t seed, uint64_t run, int64_t draws, int64_t members,
                int64_t nonMembers) {
  static constexpr int64_t most = 64 << 20;
  Key key(seed, run, draws, members, nonMembers);
  if (auto found = kept.find(key); found != kept.end())
    return &found->second;
  int64_t taken = draws * (members + nonMembers + int64_t(sizeof(Times)));
  if (bytes + taken > most)
    return nullptr;
  bytes += taken;
  std::vector<Times> &all = kept[key];
  all.resize(draws);
  parallelFor(draws, 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      all[i] = draw(seed, run, i, members, nonMembers);
  });
  return &all;
}

PerMetric<Interval> bootstrap(std::span<const RankedScores> runs,
                              const BootstrapSettings &settings) {
  static constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<AttackMetrics> means(settings.draws);
  for (size_t run = 0; run < runs.size(); ++run) {
    const RankedScores &scores = runs[run];
    const std::vector<Resamples::Times> *kept =
        settings.resamples->find(settings.seed, run, settings.draws,
                                 scores.members(), scores.nonMembers());
    parallelFor(settings.draws, 8, [&](int64_t begin, int64_t end) {
      Resamples::Times own;
      for (int64_t draw = begin; draw < end; ++draw) {
        if (!kept)
          own = Resamples::draw(settings.seed, run, draw, scores.members(),
                                scores.nonMembers());
        const Resamples::Times &times = kept ? (*kept)[draw] : own;
        AttackMetrics metrics = scores.metrics(times.members, times.nonMembers);
        for (size_t metric = 0; metric < metricCount; ++metric)
          means[draw].values[metric] +=
              metrics.values[metric] / double(runs.size());
      }
    });
  }
  PerMetric<Interval> intervals;
  std::vector<double> values(settings.draws);
  for (size_t metric = 0; metric < metricCount; ++metric) {
    for (int64_t draw = 0; draw < settings.draws; ++draw)
      values[draw] = means[draw].values[metric];
    Interval &interval = intervals.values[metric];
    if (std::any_of(values.begin(), values.end(),
                    [](double value) { return std::isnan(value); })) {
      interval = {nan, nan};
      continue;
    }
    std::sort(values.begin(), values.end());
    interval = {quantile(values, (1 - settings.level) / 2),
                quantile(values, (1 + settings.level) / 2)};
  }
  return intervals;
}

} // namespace tessera::runtime
