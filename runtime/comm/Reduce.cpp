//===- Reduce.cpp - Sums over ranks ---------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Reduce.h"
#include "runtime/core/Error.h"
#include "runtime/core/Float16.h"
#include "runtime/core/Stream.h"
#include <algorithm>
#include <type_traits>

// The loader takes the widest form that the CPU has. They give the same bits:
// each element is a chain of plain additions and conversions.
#define TESSERA_VECTORISED                                                     \
  __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))

namespace tessera::runtime {

/// Elements summed at a time, so that partial sums stay in the L1 cache.
static constexpr int64_t blockElements = 256;

// What a block is made of: from a source's type to the sum's, and back.
#define TESSERA_FORMS(Sum, Element, toSum, toElement)                          \
  TESSERA_VECTORISED                                                           \
  static void set(Sum *sum, const Element *term, int64_t count) {              \
    for (int64_t i = 0; i < count; ++i)                                        \
      sum[i] = toSum(term[i]);                                                 \
  }                                                                            \
  TESSERA_VECTORISED                                                           \
  static void add(Sum *sum, const Element *term, int64_t count) {              \
    for (int64_t i = 0; i < count; ++i)                                        \
      sum[i] += toSum(term[i]);                                                \
  }                                                                            \
  TESSERA_VECTORISED                                                           \
  static void put(Element *destination, const Sum *sum, int64_t count) {       \
    for (int64_t i = 0; i < count; ++i)                                        \
      destination[i] = toElement(sum[i]);                                      \
  }
TESSERA_FORMS(double, double, double, double)
TESSERA_FORMS(float, float, float, float)
TESSERA_FORMS(float, BFloat16, toFloat, toBFloat16)
TESSERA_FORMS(float, Float16, toFloat, toFloat16)

template <typename Sum, typename Source, typename Destination>
static void sumBlocks(const RankSum &what, int64_t begin, int64_t end) {
  auto *destination = reinterpret_cast<Destination *>(what.destination);
  auto source = [&](int rank) {
    return reinterpret_cast<const Source *>(what.sources[rank]);
  };
  alignas(64) Sum sum[blockElements];
  for (int64_t at = begin; at < end; at += blockElements) {
    int64_t count = std::min(blockElements, end - at);
    set(sum, source(0) + at, count);
    for (int rank = 1; rank < what.ranks; ++rank)
      add(sum, source(rank) + at, count);
    if (what.accumulate)
      add(sum, destination + at, count);
    if (!what.stream) {
      put(destination + at, sum, count);
      continue;
    }
    const void *narrow = sum;
    alignas(64) Destination rounded[blockElements];
    if constexpr (!std::is_same_v<Sum, Destination>) {
      put(rounded, sum, count);
      narrow = rounded;
    }
    streamCopy(reinterpret_cast<char *>(destination + at),
               static_cast<const char *>(narrow), count * sizeof(Destination));
  }
  if (what.stream)
    streamFence();
}

template <typename Source>
static void sumInFloat(const RankSum &sum, int64_t begin, int64_t end) {
  switch (sum.destinationType) {
  case ElementType::Bf16:
    return sumBlocks<float, Source, BFloat16>(sum, begin, end);
  case ElementType::F16:
    return sumBlocks<float, Source, Float16>(sum, begin, end);
  default:
    return sumBlocks<float, Source, float>(sum, begin, end);
  }
}

void sumRanks(const RankSum &sum, int64_t begin, int64_t end) {
  switch (sum.type) {
  case ElementType::F32:
    return sumInFloat<float>(sum, begin, end);
  case ElementType::F64:
    return sumBlocks<double, double, double>(sum, begin, end);
  case ElementType::Bf16:
    return sumInFloat<BFloat16>(sum, begin, end);
  case ElementType::F16:
    return sumInFloat<Float16>(sum, begin, end);
  case ElementType::I8:
    fatal("bytes cannot be summed over ranks");
  }
}

} // namespace tessera::runtime
