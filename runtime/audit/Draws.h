//===- Draws.h - Random draws of an audit ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_DRAWS_H
#define TESSERA_RUNTIME_AUDIT_DRAWS_H

#include "runtime/core/Random.h"
#include <cstdint>
#include <span>

namespace tessera::runtime {

/// What an audit draws at random; each draws from a stream of its own.
enum class Draw : uint32_t {
  splits = 0,
  neighbors = 1,
  binOrder = 2,
  noise = 3,
  bootstrap = 4,
  shadows = 5,
};

/// Random numbers of one purpose, a function of all its arguments: the same on
/// every machine, in whatever order things are drawn.
class Draws {
public:
  /// Sequence \p index (below 2^32) of \p use, for query number \p query
  /// (below 2^24).
  Draws(uint64_t seed, Draw use, uint64_t query, uint64_t index)
      : seed(seed), stream(static_cast<uint32_t>(use) << 24 |
                           (static_cast<uint32_t>(query) & 0xFFFFFF)),
        index(static_cast<uint32_t>(index)) {}

  /// 32 random bits; of one sequence at most 2^34 times.
  uint32_t bits() {
    if (at == 4) {
      words = philox(
          {block++, index, stream, static_cast<uint32_t>(RandomUse::audit)},
          {uint32_t(seed), uint32_t(seed >> 32)});
      at = 0;
    }
    return words[at++];
  }

  /// Uniform in [0, \p size), 0 < size < 2^32, without bias: products whose low
  /// half falls into the incomplete last part are drawn again (Lemire, "Fast
  /// random integer generation in an interval", 2019).
  uint32_t below(uint32_t size) {
    uint64_t product = uint64_t(bits()) * size;
    if (uint32_t(product) < size) {
      uint32_t least = -size % size;
      while (uint32_t(product) < least)
        product = uint64_t(bits()) * size;
    }
    return product >> 32;
  }

  /// Uniform in (0, 1).
  double uniform() { return (bits() + 0.5) * 0x1p-32; }

  /// Laplace with mean 0 and scale \p beta, by inversion.
  double laplace(double beta);

  /// Puts \p count of \p items, a uniform choice in uniform order, first.
  template <typename Item> void shuffle(std::span<Item> items, size_t count) {
    for (size_t i = 0; i < count && i + 1 < items.size(); ++i)
      std::swap(items[i],
                items[i + below(static_cast<uint32_t>(items.size() - i))]);
  }

private:
  uint64_t seed;
  uint32_t stream, index, block = 0;
  std::array<uint32_t, 4> words;
  int at = 4;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_DRAWS_H
