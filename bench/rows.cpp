//===- rows.cpp - Reading random rows --------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   bench-rows THREADS ROWS WIDTH EDGES
//
// sums EDGES rows, drawn at random from ROWS rows of WIDTH floats, into a row
// that stays in cache, as aggregation does for a graph without any order; few
// edges several times over, so that threads are at work for long enough.
// Prints the rate at which the rows are read, the best of several tries, as
// JSON:
// {"row_gbytes": ...}.
//
//===----------------------------------------------------------------------===//

#include "driver/measure/MemoryRates.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

/// Rows that are asked for ahead of their use.
static constexpr long ahead = 8;

/// Bytes that a try reads at least.
static constexpr double leastBytes = 256e6;

/// The next number of a generator of Steele, Lea and Flood ("Fast splittable
/// pseudorandom number generators", OOPSLA 2014).
static uint64_t nextRandom(uint64_t &state) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static void sumRows(const float *rows, long width, const int32_t *first,
                    const int32_t *last, float *sum) {
  for (const int32_t *row = first; row < last; ++row) {
    if (row + ahead < last) {
      const float *next = rows + row[ahead] * width;
      for (long i = 0; i < width; i += 16)
        __builtin_prefetch(next + i);
    }
    const float *values = rows + *row * width;
    for (long i = 0; i < width; ++i)
      sum[i] += values[i];
  }
}

int main(int argc, char **argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: bench-rows THREADS ROWS WIDTH EDGES\n");
    return 1;
  }
  int threads = std::max(1, std::atoi(argv[1]));
  long count = std::atol(argv[2]), width = std::atol(argv[3]);
  long edges = std::atol(argv[4]);
  if (count < 1 || width < 1 || edges < 1) {
    std::fprintf(stderr, "bench-rows: the numbers must be positive\n");
    return 1;
  }
  // Huge pages, as the runtime's arena has them; kept to the end.
  auto *rows = reinterpret_cast<float *>(mapMemory(
      static_cast<size_t>(count) * width * sizeof(float), /*shared=*/false));
  if (!rows) {
    std::fprintf(stderr, "bench-rows: no memory to measure with\n");
    return 1;
  }
  std::fill(rows, rows + count * width, 0.01f);
  std::vector<int32_t> order(edges);
  uint64_t state = 1;
  for (int32_t &row : order)
    row = static_cast<int32_t>(nextRandom(state) % count);
  std::vector<std::vector<float>> sums(threads, std::vector<float>(width));
  double best = 0, bytes = 4.0 * static_cast<double>(edges * width);
  auto passes = static_cast<long>(std::ceil(leastBytes / bytes));
  for (int attempt = 0; attempt < 7; ++attempt) {
    auto begin = std::chrono::steady_clock::now();
    std::vector<std::thread> pool;
    for (int t = 0; t < threads; ++t)
      pool.emplace_back([&, t] {
        for (long pass = 0; pass < passes; ++pass)
          sumRows(rows, width, order.data() + edges * t / threads,
                  order.data() + edges * (t + 1) / threads, sums[t].data());
      });
    for (std::thread &thread : pool)
      thread.join();
    std::chrono::duration<double> spent =
        std::chrono::steady_clock::now() - begin;
    best = std::max(best, 1e-9 * passes * bytes / spent.count());
  }
  // A sum that nobody looks at need not be made.
  float seen = 0;
  for (const std::vector<float> &sum : sums)
    seen += sum[0];
  std::printf("{\"row_gbytes\": %.2f}\n", seen > 0 ? best : 0.0);
}
