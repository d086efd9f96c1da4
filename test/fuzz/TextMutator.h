//===- TextMutator.h - Changes of texts by their tokens ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_FUZZ_TEXTMUTATOR_H
#define TESSERA_TEST_FUZZ_TEXTMUTATOR_H

#include "test/fuzz/Dice.h"

namespace tessera::fuzz {

/// Changes one to three places of \p text, a specification or IR: tokens
/// become others of their kind, here or all over the text, numbers go to the
/// limits of their types, lines and blocks in brackets go, come twice, swap
/// with another or are nested; what is copied is also taken from \p other.
std::string mutateText(const std::string &text, const std::string &other,
                       Dice &dice);

} // namespace tessera::fuzz

#endif // TESSERA_TEST_FUZZ_TEXTMUTATOR_H
