//===- Reduce.h - Sums over ranks -------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMM_REDUCE_H
#define TESSERA_RUNTIME_COMM_REDUCE_H

#include <cstdint>

namespace tessera {

/// destination[i] = (old destination[i] where \p accumulate) +
/// (((sources[0][i] + sources[1][i]) + sources[2][i]) + ...), for i in
/// [begin, end). The destination may be one of the sources.
void sumRanks(float *destination, const float *const *sources, int ranks,
              int64_t begin, int64_t end, bool accumulate);
void sumRanks(double *destination, const double *const *sources, int ranks,
              int64_t begin, int64_t end, bool accumulate);

} // namespace tessera

#endif // TESSERA_RUNTIME_COMM_REDUCE_H
