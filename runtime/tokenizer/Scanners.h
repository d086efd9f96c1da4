//===- Scanners.h - The splits of published models --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_SCANNERS_H
#define TESSERA_RUNTIME_TOKENIZER_SCANNERS_H

#include <cstddef>
#include <string_view>

namespace tessera::runtime {

/// Splits that are written by hand besides their regular expressions, which
/// they equal, since searching for those takes most of a tokenizer's time.
enum class KnownSplit { None, Bloom, Gpt2, Llama3, Qwen2 };

/// GPT-2's expression, which is also that of a ByteLevel with use_regex.
extern const std::string_view gpt2Pattern;

/// The expression of \p split; empty for None.
std::string_view patternOf(KnownSplit split);
/// The split whose expression is \p pattern.
KnownSplit knownSplit(std::string_view pattern);
/// Whether the matches of \p split are all of a text.
bool coversText(KnownSplit split);

/// The end of the piece that begins at \p begin, which lies before \p end: a
/// match of the split, or all before the next one. Pieces must be taken one
/// after the other, in valid UTF-8.
const char *endOfPiece(KnownSplit split, const char *begin, const char *end);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_SCANNERS_H
