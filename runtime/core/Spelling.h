//===- Spelling.h - Names that are nearly right --------------- -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_SPELLING_H
#define TESSERA_RUNTIME_CORE_SPELLING_H

#include <string>
#include <string_view>
#include <vector>

namespace tessera::runtime {

/// The one of \p names that \p name is most likely a misspelling of: with two
/// letters at most to insert, remove or replace (Levenshtein's distance), and
/// no more than a third of them. Empty where there is none: what is further off
/// is a guess.
std::string nearestName(std::string_view name,
                        const std::vector<std::string> &names);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_SPELLING_H
