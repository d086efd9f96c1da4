//===- FmaPeak.cpp - The multiply-add peak of this machine ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/measure/FmaPeak.h"
#include <algorithm>
#include <ctime>
#include <thread>
#include <vector>

#ifdef __x86_64__
#include <immintrin.h>
#endif

static constexpr long rounds = 1000000;
static volatile float sink;

/// Multiply-adds of \p lanes numbers on \p chains independent sums, enough to
/// hide the latency of two units and few enough for the registers. Returns how
/// many operations there were.
template <int lanes, int chains>
[[gnu::always_inline]] static inline double multiplyAdd() {
  using Vector = float __attribute__((vector_size(lanes * sizeof(float))));
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
  return 2.0 * lanes * chains * rounds;
}

#ifdef __x86_64__
[[gnu::target("avx512f")]] static double multiplyAdd512() {
  return multiplyAdd<16, 16>();
}
[[gnu::target("avx2,fma")]] static double multiplyAdd256() {
  return multiplyAdd<8, 12>();
}

[[gnu::target("avx512f,avx512bf16")]] static double multiplyAddBf16() {
  constexpr int chains = 16;
  __m512 sum[chains];
  __m512bh a = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5f), _mm512_set1_ps(0.5f));
  __m512bh b =
      _mm512_cvtne2ps_pbh(_mm512_set1_ps(1e-3f), _mm512_set1_ps(1e-3f));
  for (int c = 0; c < chains; ++c)
    sum[c] = _mm512_set1_ps(float(c));
  for (long r = 0; r < rounds; ++r)
#pragma unroll
    for (int c = 0; c < chains; ++c)
      sum[c] = _mm512_dpbf16_ps(sum[c], a, b);
  float total = 0;
  for (__m512 &part : sum)
    total += _mm512_reduce_add_ps(part);
  sink = total;
  return 2.0 * 32 * chains * rounds;
}
#endif

template <typename Body> static double rate(Body body) {
  double begin = threadSeconds();
  double operations = body();
  return operations / (threadSeconds() - begin);
}

double threadSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

double measureFmaRate() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f"))
    return rate(multiplyAdd512);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return rate(multiplyAdd256);
#endif
  return rate(multiplyAdd<4, 12>);
}

double measureBf16Rate() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512bf16"))
    return rate(multiplyAddBf16);
#endif
  return 0;
}

static double peak(int threads, double (*measureRate)()) {
  double best = 0;
  for (int attempt = 0; attempt < 8; ++attempt) {
    std::vector<double> rates(threads);
    std::vector<std::thread> pool;
    for (int t = 1; t < threads; ++t)
      pool.emplace_back([&rates, t, measureRate] { rates[t] = measureRate(); });
    rates[0] = measureRate();
    for (std::thread &thread : pool)
      thread.join();
    // The slowest one's time is that of all.
    best = std::max(best, std::ranges::min(rates));
  }
  return best * threads;
}

double measureFmaPeak(int threads) { return peak(threads, measureFmaRate); }

double measureBf16Peak(int threads) { return peak(threads, measureBf16Rate); }
