//===- QuantizedWeights.h - Weights as 8-bit integers -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A matrix that a program reads in blocks (docs/manifest.md) is made of the
// numbers of a file as they are read, rows at a time, so that its numbers are
// never in memory as a whole. A block x has the scale s, max |x| / 127 rounded
// up to fp16, and the integers round(x / s), to even at halves. A scale that is
// not below max |x| / 127 leaves no integer beyond 127, and none of the numbers
// is further than s / 2 from what stands for it.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CHECKPOINT_QUANTIZEDWEIGHTS_H
#define TESSERA_RUNTIME_CHECKPOINT_QUANTIZEDWEIGHTS_H

#include "runtime/program/Context.h"
#include "runtime/program/Parts.h"
#include <functional>

namespace tessera::runtime {

/// Writes the elements [begin, end) of a tensor to \p numbers. Any thread calls
/// it.
using GiveNumbers =
    std::function<void(float *numbers, int64_t begin, int64_t end)>;

/// Larger ones have no scale in fp16.
inline constexpr float mostQuantized = 127 * 65504.0f;

/// Makes the integers and scales of the rows \p rows of \p tensor, which has
/// blocks, in \p memory, the whole matrix's. Where blocks are along dimension 0
/// rows begin and end with blocks, or with the tensor.
void quantizeRows(char *memory, const GroupTensor &tensor, Range rows,
                  const GiveNumbers &give);

/// The same of all rows in \p context's arena, which is the host's memory: a
/// megabyte of numbers at a time, with \p done(begin, end) after the elements
/// from \p begin on. Exits the process where the program has no room for them.
void quantizeTensor(const tessera_context &context, const GroupTensor &tensor,
                    const GiveNumbers &give,
                    const std::function<void(int64_t, int64_t)> &done = {});

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CHECKPOINT_QUANTIZEDWEIGHTS_H
