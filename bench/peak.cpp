//===- peak.cpp - What this machine can do at most ------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Measures, on as many threads as the first argument says, the fp32
// multiply-add rate out of registers and the rate at which AdamW moves its 28
// bytes a parameter (reads p, g, m, v; writes p, m, v) through memory. Prints
// both as JSON: {"gflops": ..., "adamw_gbytes": ...}; each is the best of
// several tries, since a floor is made of them.
//
//===----------------------------------------------------------------------===//

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#if defined(__AVX512F__)
constexpr int lanes = 16;
#elif defined(__AVX__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif
using Vector = float __attribute__((vector_size(lanes * sizeof(float))));

/// Enough independent chains to hide the latency of two FMA pipes.
constexpr int chains = 16;

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
#pragma GCC unroll 16
    for (int c = 0; c < chains; ++c)
      sum[c] = sum[c] * a + b;
  float total = 0;
  for (int c = 0; c < chains; ++c)
    for (int i = 0; i < lanes; ++i)
      total += sum[c][i];
  sink = total;
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

  double gflops = 0;
  for (int attempt = 0; attempt < 7; ++attempt) {
    const long rounds = 20'000'000;
    double seconds = timed(threads, [&](int) { multiplyAdd(rounds); });
    double flops = 2.0 * lanes * chains * double(rounds) * threads;
    gflops = std::max(gflops, flops / seconds * 1e-9);
  }

  const long count = 1L << 25;
  std::unique_ptr<float[]> memory(new float[4 * count]);
  std::fill_n(memory.get(), 4 * count, 1e-3f);
  float *base = memory.get();
  Moments x{base, base + count, base + 2 * count, base + 3 * count};
  double gbytes = 0;
  for (int attempt = 0; attempt < 7; ++attempt) {
    double seconds = timed(threads, [&](int t) {
      adamw(x, count * t / threads, count * (t + 1) / threads);
    });
    gbytes = std::max(gbytes, 28.0 * double(count) / seconds * 1e-9);
  }
  std::printf("{\"gflops\": %.1f, \"adamw_gbytes\": %.1f}\n", gflops, gbytes);
}
