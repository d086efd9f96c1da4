//===- PairMutator.h - What libFuzzer calls to change inputs ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_FUZZ_PAIRMUTATOR_H
#define TESSERA_TEST_FUZZ_PAIRMUTATOR_H

#include "test/fuzz/Dice.h"

namespace tessera::fuzz {

/// Defined by a target that is linked with PairMutator.cpp: \p bytes changed,
/// also by what \p other has; they are the same where libFuzzer changes one
/// input alone. What is longer than \p most is cut.
std::string mutatePair(const std::string &bytes, const std::string &other,
                       size_t most, Dice &dice);

} // namespace tessera::fuzz

#endif // TESSERA_TEST_FUZZ_PAIRMUTATOR_H
