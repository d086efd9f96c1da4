//===- GenerationNames.h - Names of programs that generate ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Beside those of SlotNames.h: what the compiler calls the programs of a model
// that generates and their inputs, and the runtime finds by these names.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PROGRAM_GENERATIONNAMES_H
#define TESSERA_RUNTIME_PROGRAM_GENERATIONNAMES_H

#include "runtime/program/SlotNames.h"
#include <cstdint>

namespace tessera::runtime::slotNames {

// The model, beside the one that is trained, and its programs.
inline constexpr Name generation = "generation";
inline constexpr Name prefill = "prefill", decode = "decode";
// Outputs of `score`, beside logProbability, of each of its rows: the likeliest
// tokens and the logarithms of their probabilities, so many of them.
inline constexpr Name likeliest = "likeliest", likeliestLogs = "likeliest_logs";
inline constexpr int64_t likeliestCount = 5;
// Inputs of rows that are tokens of texts in slots: each row's slot and its
// position in the text, and how many rows there are.
inline constexpr Name slots = "slots", positions = "positions", count = "count";
// Of prefill: 1 where the logits after the last row are wanted, else 0.
inline constexpr Name wanted = "wanted";

} // namespace tessera::runtime::slotNames

#endif // TESSERA_RUNTIME_PROGRAM_GENERATIONNAMES_H
