//===- Reduce.cpp - Sums over ranks ---------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Reduce.h"
#include <algorithm>

// The loader takes the widest form that the processor has. They give the same
// bits: each element is a chain of plain additions.
#define TESSERA_VECTORISED                                                     \
  __attribute__((target_clones("avx512f", "avx2", "default")))

namespace tessera {

/// Elements summed at a time, so that partial sums stay in the L1 cache.
static constexpr int64_t blockElements = 1024;

TESSERA_VECTORISED
static void add(float *sum, const float *term, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    sum[i] += term[i];
}

TESSERA_VECTORISED
static void add(double *sum, const double *term, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    sum[i] += term[i];
}

template <typename Element>
static void sumBlocks(Element *destination, const Element *const *sources,
                      int ranks, int64_t begin, int64_t end, bool accumulate) {
  alignas(64) Element sum[blockElements];
  for (int64_t at = begin; at < end; at += blockElements) {
    int64_t count = std::min(blockElements, end - at);
    std::copy_n(sources[0] + at, count, sum);
    for (int rank = 1; rank < ranks; ++rank)
      add(sum, sources[rank] + at, count);
    if (accumulate)
      add(destination + at, sum, count);
    else
      std::copy_n(sum, count, destination + at);
  }
}

void sumRanks(float *destination, const float *const *sources, int ranks,
              int64_t begin, int64_t end, bool accumulate) {
  sumBlocks(destination, sources, ranks, begin, end, accumulate);
}

void sumRanks(double *destination, const double *const *sources, int ranks,
              int64_t begin, int64_t end, bool accumulate) {
  sumBlocks(destination, sources, ranks, begin, end, accumulate);
}

} // namespace tessera
