//===- TokenScores.h - How likely tokens are --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_TOKENSCORES_H
#define TESSERA_FRONTENDS_MODELS_TOKENSCORES_H

#include "frontends/models/ModuleWriter.h"

namespace tessera {

/// Natural logarithms of probabilities.
struct TokenScores {
  mlir::Value ofTarget; ///< [rows], f32; of a row without a target, meaningless
  /// [count, rows]: the likeliest tokens, lower ids first among equals, in i32,
  /// and their logarithms in f32.
  mlir::Value likeliest, likeliestLogs;
};

/// Writes the logits of \p count tokens from \p begin on, a multiple of 64:
/// [rows, count], one operation's result.
using LogitsWriter =
    llvm::function_ref<mlir::Value(int64_t begin, int64_t count)>;

/// Writes what the rows of \p logits say of \p targets, [rows], ids of tokens
/// or negative, and of the \p count likeliest tokens of all \p vocabulary,
/// which is not less.
///
/// Logits of some tokens at a time are there, \p mostColumns at most or 64, in
/// fp32 whatever their factors are in: each part gives its largest logit, the
/// sum of the exponentials relative to it, and the candidates for the likeliest
/// tokens.
TokenScores scoreTokens(ModuleWriter &writer, LogitsWriter logits,
                        int64_t vocabulary, mlir::Value targets, int64_t count,
                        int64_t mostColumns);

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_TOKENSCORES_H
