//===- ClockOffset.cpp - How far the clocks of ranks are apart ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/ClockOffset.h"
#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>

namespace tessera::runtime {
namespace {

/// Meetings, of which the quickest count.
constexpr int rounds = 64;

/// Which machine a rank is on, since when.
struct Machine {
  char boot[40] = {};
  bool operator==(const Machine &) const = default;
};
static_assert(sizeof(Machine) <= Communicator::exchangeLimit);

struct Meeting {
  int64_t entered = 0, leftBefore = 0;
};

int64_t now() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

} // namespace

std::vector<ClockOffset> compareClocks(Communicator &communicator) {
  auto ranks = static_cast<size_t>(communicator.size());
  std::vector<Machine> machines(ranks);
  Machine mine;
  std::ifstream("/proc/sys/kernel/random/boot_id")
      .read(mine.boot, sizeof mine.boot - 1);
  communicator.exchange(&mine, machines.data(), sizeof mine);
  std::vector<ClockBounds> bounds(ranks);
  std::vector<Meeting> before(ranks), all(ranks);
  int64_t left = 0;
  for (int round = 0; round <= rounds; ++round) {
    Meeting meeting = {now(), left};
    communicator.exchange(&meeting, all.data(), sizeof meeting);
    left = now();
    for (size_t i = 0; round > 0 && i < ranks; ++i)
      bounds[i].narrow(before[i].entered, all[i].leftBefore, before[0].entered,
                       all[0].leftBefore);
    before = all;
  }
  std::vector<ClockOffset> offsets(ranks);
  for (size_t i = 0; i < ranks; ++i)
    if (machines[i] != machines[0] || !machines[i].boot[0])
      offsets[i] = {bounds[i].offset(), bounds[i].uncertainty()};
  offsets[0] = {};
  return offsets;
}

} // namespace tessera::runtime
