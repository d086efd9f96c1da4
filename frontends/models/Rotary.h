//===- Rotary.h - Frequencies of rotary positions ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_ROTARY_H
#define TESSERA_FRONTENDS_MODELS_ROTARY_H

#include "frontends/spec.pb.h"
#include "llvm/ADT/StringRef.h"

#include <vector>

namespace tessera {

/// By how much the pairs of a head's columns are rotated from one position to
/// the next, in radians, and what cosines and sines are multiplied by.
struct RotaryFrequencies {
  std::vector<double> frequencies; ///< numbers of fp32
  double factor = 1;
};

/// Those of \p model, which is resolved and has rotary positions: as
/// transformers computes them, in fp32 (modeling_rope_utils.py). DYNAMIC is for
/// texts of `sequence_length` tokens.
RotaryFrequencies getRotaryFrequencies(const spec::Transformer &model);

/// Whether \p rotary reads its field \p path, "rotary.beta_fast"; one that is
/// read by all scalings is "rotary" or "rotary.theta".
bool readsRotary(const spec::Rotary &rotary, llvm::StringRef path);

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_ROTARY_H
