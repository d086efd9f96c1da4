//===- peak.cpp - What this machine can do at most ------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Measures, on as many threads as the first argument says, the multiply-add
// rates out of registers in fp32 and bf16 (driver/measure/FmaPeak.h; bf16's is
// 0 where the CPU has no instruction for it) and, through memory, the rate at
// which AdamW moves its 28 bytes per parameter (reads p, g, m, v; writes p, m,
// v) and that of reading alone. Prints them as JSON: {"gflops": ...,
// "bf16_gflops": ..., "adamw_gbytes": ..., "read_gbytes": ...}; each is the
// best of several tries, since a floor is made of them.
//
//===----------------------------------------------------------------------===//

#include "driver/measure/FmaPeak.h"
#include "driver/measure/MemoryRates.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

static double now() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

template <typename Body> static double timed(int threads, Body body) {
  std::vector<std::thread> pool;
  double begin = now();
  for (int t = 0; t < threads; ++t)
    pool.emplace_back(body, t);
  for (std::thread &thread : pool)
    thread.join();
  return now() - begin;
}

int main(int argc, char **argv) {
  int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;

  const long count = 1L << 25;
  // Huge pages, as the runtime's arena has them; kept to the end.
  auto *base = reinterpret_cast<float *>(
      mapMemory(4 * count * sizeof(float), /*shared=*/false));
  if (!base) {
    std::fprintf(stderr, "bench-peak: no memory to measure with\n");
    return 1;
  }
  UpdateState state{base, base + count, base + 2 * count, base + 3 * count};
  double update = 0, read = 0;
  auto *words = reinterpret_cast<const uint64_t *>(base);
  const long wordCount = 4 * count * sizeof(float) / sizeof(uint64_t);
  // What nobody looks at need not be summed.
  std::atomic<uint64_t> seen = 0;
  for (int attempt = 0; attempt < 7; ++attempt) {
    double seconds = timed(threads, [&](int t) {
      runUpdate(state, count * t / threads, count * (t + 1) / threads);
    });
    update = std::max(update, 1e-9 * updateBytes * double(count) / seconds);
    seconds = timed(threads, [&](int t) {
      seen += sumWords(words, wordCount * t / threads,
                       wordCount * (t + 1) / threads);
    });
    read =
        std::max(read, 1e-9 * sizeof(uint64_t) * double(wordCount) / seconds);
  }
  std::printf("{\"gflops\": %.1f, \"bf16_gflops\": %.1f, "
              "\"adamw_gbytes\": %.1f, \"read_gbytes\": %.1f}\n",
              1e-9 * measureFmaPeak(threads), 1e-9 * measureBf16Peak(threads),
              update, read);
}
