//===- MemoryRates.cpp - What moves through memory per second -------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/measure/MemoryRates.h"
#include <cmath>
#include <cstring>
#include <sys/mman.h>

#ifdef __x86_64__
#define TESSERA_VECTORISED                                                     \
  __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define TESSERA_VECTORISED
#endif

char *mapMemory(size_t bytes, bool shared) {
  void *memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
           (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return nullptr;
  madvise(memory, bytes, MADV_HUGEPAGE);
  memset(memory, 0, bytes);
  return static_cast<char *>(memory);
}

TESSERA_VECTORISED
static void update(float *p, const float *g, float *m, float *v, long count) {
  const float lr = 1e-3f, b1 = 0.9f, b2 = 0.95f, eps = 1e-8f, decay = 0.9999f;
#pragma clang loop vectorize(assume_safety)
  for (long i = 0; i < count; ++i) {
    m[i] = b1 * m[i] + (1 - b1) * g[i];
    v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
    p[i] = p[i] * decay - lr * m[i] / (std::sqrt(v[i]) + eps);
  }
}

void runUpdate(const UpdateState &state, long begin, long end) {
  update(state.p + begin, state.g + begin, state.m + begin, state.v + begin,
         end - begin);
}

TESSERA_VECTORISED
static uint64_t sum(const uint64_t *words, long count) {
  // What a line's prefetch asks for ahead, beyond what hardware does.
  constexpr long ahead = 4096 / sizeof(uint64_t), line = 8;
  uint64_t total = 0;
  long i = 0;
  for (; i + ahead < count; i += 4 * line) {
    for (long part = 0; part < 4; ++part)
      __builtin_prefetch(words + i + ahead + part * line);
    for (long j = 0; j < 4 * line; ++j)
      total += words[i + j];
  }
  for (; i < count; ++i)
    total += words[i];
  return total;
}

uint64_t sumWords(const uint64_t *words, long begin, long end) {
  return sum(words + begin, end - begin);
}
