//===- FmaPeak.cpp - The multiply-add peak of this machine ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "bench/FmaPeak.h"
#include <algorithm>
#include <ctime>
#include <thread>
#include <vector>

#if defined(__AVX512F__)
static constexpr int lanes = 16;
#elif defined(__AVX__)
static constexpr int lanes = 8;
#else
static constexpr int lanes = 4;
#endif
using Vector = float __attribute__((vector_size(lanes * sizeof(float))));

/// Independent sums, enough to hide the latency of two units.
static constexpr int chains = 16;
static volatile float sink;

static void multiplyAdd(long rounds) {
  Vector sum[chains], a, b;
  for (int i = 0; i < lanes; ++i) {
    a[i] = 0.999f + 1e-6f * float(i);
    b[i] = 1e-3f;
  }
  for (int c = 0; c < chains; ++c)
    sum[c] = a * float(c);
  for (long r = 0; r < rounds; ++r)
#pragma unroll
    for (int c = 0; c < chains; ++c)
      sum[c] = sum[c] * a + b;
  float total = 0;
  for (Vector &part : sum)
    for (int i = 0; i < lanes; ++i)
      total += part[i];
  sink = total;
}

double threadSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

double measureFmaPeak(int threads) {
  constexpr long rounds = 1000000;
  double best = 1e30;
  for (int round = 0; round < 8; ++round) {
    std::vector<double> seconds(threads);
    auto timed = [&](int t) {
      double start = threadSeconds();
      multiplyAdd(rounds);
      seconds[t] = threadSeconds() - start;
    };
    std::vector<std::thread> pool;
    for (int t = 1; t < threads; ++t)
      pool.emplace_back(timed, t);
    timed(0);
    for (std::thread &thread : pool)
      thread.join();
    best = std::min(best, *std::max_element(seconds.begin(), seconds.end()));
  }
  return 2.0 * lanes * chains * rounds * threads / best;
}
