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
  Splits = 0,
  Neighbors = 1,
  BinOrder = 2,
  Noise = 3,
  Bootstrap = 4,
  Shadows = 5,
};

/// Random numbers of an audit.
class Draws : public RandomSequence {
public:
  /// Sequence \p index (below 2^32) of \p use, for query number \p query
  /// (below 2^24).
  Draws(uint64_t seed, Draw use, uint64_t query, uint64_t index)
      : RandomSequence(seed, {static_cast<uint32_t>(index),
                              static_cast<uint32_t>(use) << 24 |
                                  (static_cast<uint32_t>(query) & 0xFFFFFF),
                              static_cast<uint32_t>(RandomUse::Audit)}) {}

  /// Laplace with mean 0 and scale \p beta, by inversion.
  double laplace(double beta);

  /// Puts \p count of \p items, a uniform choice in uniform order, first.
  template <typename Item> void shuffle(std::span<Item> items, size_t count) {
    for (size_t i = 0; i < count && i + 1 < items.size(); ++i)
      std::swap(items[i],
                items[i + below(static_cast<uint32_t>(items.size() - i))]);
  }
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_DRAWS_H
