//===- Reduce.h - Sums over ranks -------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_REDUCE_H
#define TESSERA_RUNTIME_COMM_REDUCE_H

#include "runtime/program/Manifest.h"

namespace tessera::runtime {

/// What is summed: element i of each rank's source is at
/// `sources[rank] + i * sizeOf(type)`.
struct RankSum {
  ElementType type, destinationType;
  const char *const *sources;
  int ranks;
  char *destination;
  /// Adds to what the destination holds.
  bool accumulate;
  /// Writes past the caches (runtime/core/Stream.h).
  bool stream;
};

/// destination[i] = ((sources[0][i] + sources[1][i]) + sources[2][i]) + ...
/// + (old destination[i] where it accumulates), for i in [begin, end). Sums of
/// f64 are made in f64, all others in f32, rounded once at the end. The
/// destination may be one of the sources.
void sumRanks(const RankSum &sum, int64_t begin, int64_t end);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMM_REDUCE_H
