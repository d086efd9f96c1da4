//===- JsonMutator.h - Changes of JSON trees --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_FUZZ_JSONMUTATOR_H
#define TESSERA_TEST_FUZZ_JSONMUTATOR_H

#include "test/fuzz/Dice.h"
#include <nlohmann/json.hpp>
#include <optional>

namespace tessera::fuzz {

using Json = nlohmann::ordered_json;

/// The tree of \p text; none where it is no JSON or too deep to be worth it.
std::optional<Json> readTree(const std::string &text);

/// Changes one to four places of \p tree: values become ones at the limits of
/// their types or of another type, members go, come twice, swap or get
/// another's name, subtrees are copied from elsewhere, also from \p other, or
/// wrapped in arrays and objects.
void mutateTree(Json &tree, const Json &other, Dice &dice);

/// The name and value of one of the members of \p object, which has some.
Json::object_t::value_type &pickMember(Json &object, Dice &dice);

/// The text of a tree. What mutateTree has doubled gets its name twice.
std::string writeTree(const Json &tree);

} // namespace tessera::fuzz

#endif // TESSERA_TEST_FUZZ_JSONMUTATOR_H
