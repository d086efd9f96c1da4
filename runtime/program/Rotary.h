//===- Rotary.h - The table of rotary positions -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PROGRAM_ROTARY_H
#define TESSERA_RUNTIME_PROGRAM_ROTARY_H

#include "runtime/program/Context.h"
#include <span>
#include <vector>

namespace tessera::runtime {

/// Writes cosines and then sines of each position's angles, [2, positions,
/// frequencies], to \p table. An angle is position times frequency, rounded to
/// fp32, as in transformers.
void computeRotary(const Rotary &rotary, int64_t positions, float *table);

/// What the input `rotary` of \p context's program holds; empty where it has
/// none. Exits the process where it has another size than the model's
/// positions.
std::vector<float> makeRotary(const tessera_context &context);

/// Fills that input, where the program has one, with \p table, or with what
/// makeRotary() makes.
void fillRotary(const tessera_context &context, std::span<const float> table);
void fillRotary(const tessera_context &context);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_PROGRAM_ROTARY_H
