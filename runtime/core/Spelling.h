//===- Spelling.h - Names that are nearly right --------------- -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_SPELLING_H
#define TESSERA_RUNTIME_CORE_SPELLING_H

#include <cstddef>
#include <string_view>

namespace tessera::runtime {

/// Levenshtein's distance: how many letters to insert, remove or replace.
size_t editDistance(std::string_view a, std::string_view b);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_SPELLING_H
