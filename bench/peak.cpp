//===- peak.cpp - What this machine can do at most ------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Measures, on as many threads as the first argument says, the fp32
// multiply-add rate out of registers (bench/FmaPeak.h) and the rate at which
// AdamW moves its 28 bytes a parameter (reads p, g, m, v; writes p, m, v)
// through memory. Prints both as JSON: {"gflops": ..., "adamw_gbytes": ...};
// each is the best of several tries, since a floor is made of them.
//
//===----------------------------------------------------------------------===//

#include "bench/FmaPeak.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
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

struct Moments {
  float *p, *g, *m, *v;
};

static void adamw(const Moments &x, long begin, long end) {
  const float lr = 1e-3f, b1 = 0.9f, b2 = 0.95f, eps = 1e-8f, decay = 0.9999f;
  for (long i = begin; i < end; ++i) {
    float g = x.g[i];
    float m = b1 * x.m[i] + (1 - b1) * g;
    float v = b2 * x.v[i] + (1 - b2) * g * g;
    x.m[i] = m;
    x.v[i] = v;
    x.p[i] = x.p[i] * decay - lr * m / (std::sqrt(v) + eps);
  }
}

int main(int argc, char **argv) {
  int threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;

  const long count = 1L << 25;
  const size_t bytes = 4 * count * sizeof(float), page = 2 << 20;
  // Huge pages, as the runtime's arena has them; kept to the end.
  auto *base = static_cast<float *>(std::aligned_alloc(page, bytes));
  madvise(base, bytes, MADV_HUGEPAGE);
  std::fill_n(base, 4 * count, 1e-3f);
  Moments x{base, base + count, base + 2 * count, base + 3 * count};
  double gbytes = 0;
  for (int attempt = 0; attempt < 7; ++attempt) {
    double seconds = timed(threads, [&](int t) {
      adamw(x, count * t / threads, count * (t + 1) / threads);
    });
    gbytes = std::max(gbytes, 28.0 * double(count) / seconds * 1e-9);
  }
  std::printf("{\"gflops\": %.1f, \"adamw_gbytes\": %.1f}\n",
              1e-9 * measureFmaPeak(threads), gbytes);
}
