//===- CharClasses.h - What characters are ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_CHARCLASSES_H
#define TESSERA_RUNTIME_TOKENIZER_CHARCLASSES_H

#include <cstdint>

namespace tessera::runtime {

/// Classes of a character, as bits. They are those of Unicode 14, which
/// Debian's Oniguruma knows, so that scanners and regular expressions agree.
enum CharClass : uint8_t {
  LetterClass = 1, ///< \p{L}
  NumberClass = 2, ///< \p{N}
  SpaceClass = 4,  ///< \s
  BloomClass = 8,  ///< what BLOOM's split has between words
};

/// The classes of each code point; made at the first call.
const uint8_t *charClasses();

/// \s, which is Unicode's White_Space.
bool isSpace(char32_t character);

/// \w of the regular expressions that look beside an added token: alphabetic
/// characters, marks, decimal digits, connectors, joiners.
bool isWordCharacter(char32_t character);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_CHARCLASSES_H
