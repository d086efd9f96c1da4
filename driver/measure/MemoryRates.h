//===- MemoryRates.h - What moves through memory per second -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_MEASURE_MEMORYRATES_H
#define TESSERA_DRIVER_MEASURE_MEMORYRATES_H

#include <cstddef>
#include <cstdint>

/// Memory for \p bytes in huge pages where there are any, as the runtime's
/// arena has it, written once; \p shared with processes forked later. Never
/// given back. Null where there is none.
char *mapMemory(std::size_t bytes, bool shared);

/// Parameters, gradients and moments of AdamW.
struct UpdateState {
  float *p, *g, *m, *v;
};
/// What AdamW reads (p, g, m, v) and writes (p, m, v) for an element.
constexpr int updateBytes = 28;

/// AdamW's arithmetic and traffic for the elements [begin, end).
void runUpdate(const UpdateState &state, long begin, long end);

/// The sum of the words [begin, end): what reads memory and does little else.
uint64_t sumWords(const uint64_t *words, long begin, long end);

#endif // TESSERA_DRIVER_MEASURE_MEMORYRATES_H
