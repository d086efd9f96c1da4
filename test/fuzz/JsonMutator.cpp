//===- JsonMutator.cpp - Changes of JSON trees ----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/JsonMutator.h"
#include <vector>

namespace tessera::fuzz {

/// Makes the name of a doubled member another one in the tree; the text has it
/// without.
static constexpr std::string_view doubled = "~doubled~";

/// Trees are copied and written by recursion.
static constexpr int maxDepth = 600;

std::optional<Json> readTree(const std::string &text) {
  bool tooDeep = false;
  Json tree = Json::parse(
      text,
      [&](int depth, Json::parse_event_t, Json &) {
        tooDeep = tooDeep || depth > maxDepth;
        return !tooDeep;
      },
      /*allow_exceptions=*/false);
  if (tooDeep || tree.is_discarded())
    return std::nullopt;
  return tree;
}

std::string writeTree(const Json &tree) {
  std::string text = tree.dump(-1, ' ', false, Json::error_handler_t::ignore);
  for (size_t at; (at = text.find(doubled)) != std::string::npos;)
    text.erase(at, doubled.size());
  return text;
}

Json::object_t::value_type &pickMember(Json &object, Dice &dice) {
  auto &members = object.get_ref<Json::object_t &>();
  return *(members.begin() +
           static_cast<std::ptrdiff_t>(dice.below(members.size())));
}

/// All values of \p tree, the outermost first.
static std::vector<Json *> valuesOf(Json &tree) {
  std::vector<Json *> values = {&tree};
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i]->is_structured())
      for (Json &child : *values[i])
        values.push_back(&child);
  return values;
}

static Json number(Dice &dice) {
  switch (dice.below(6)) {
  case 0:
    return static_cast<uint64_t>(dice.edgeNumber());
  case 1: {
    static const double numbers[] = {0.5,  -0.0, 1e-320,      1e308,
                                     -1.5, 1e19, 2147483648.0};
    return dice.pick(numbers);
  }
  default:
    return dice.edgeNumber();
  }
}

/// A value of any type.
static Json anything(Dice &dice) {
  switch (dice.below(8)) {
  case 0:
    return nullptr;
  case 1:
    return dice.oneIn(2);
  case 2:
    return Json::array();
  case 3:
    return Json::object();
  case 4: {
    static const std::string texts[] = {"",
                                        "F32",
                                        "I64",
                                        "a/b",
                                        "..",
                                        "%s%n",
                                        std::string("a\0b", 3),
                                        std::string(5000, 'x')};
    return dice.pick(texts);
  }
  default:
    return number(dice);
  }
}

/// A number near \p value, or at a limit.
static void nudge(Json &value, Dice &dice) {
  if (value.is_number_float() || dice.oneIn(3)) {
    value = number(dice);
    return;
  }
  auto old = value.get<uint64_t>();
  switch (dice.below(5)) {
  case 0:
    value = static_cast<int64_t>(old + 1);
    return;
  case 1:
    value = static_cast<int64_t>(old - 1);
    return;
  case 2:
    value = static_cast<int64_t>(old * 2);
    return;
  case 3:
    value = static_cast<int64_t>(0 - old);
    return;
  default:
    value = static_cast<int64_t>(old ^ uint64_t(1) << dice.below(64));
  }
}

static void wrap(Json &value, Dice &dice) {
  size_t times = dice.oneIn(4) ? dice.below(maxDepth / 2) : 1 + dice.below(10);
  for (size_t i = 0; i < times; ++i) {
    Json outer = dice.oneIn(2) ? Json::array() : Json::object();
    if (outer.is_array())
      outer.push_back(std::move(value));
    else
      outer["a"] = std::move(value);
    value = std::move(outer);
  }
}

/// Changes \p object, which has members.
static void changeMembers(Json &object, Dice &dice,
                          const std::vector<Json *> &all) {
  auto &[key, value] = pickMember(object, dice);
  const std::string old = key;
  switch (dice.below(4)) {
  case 0:
    object.erase(old);
    return;
  case 1: {
    Json copy = value;
    object[old + std::string(doubled)] = std::move(copy);
    return;
  }
  case 2:
    std::swap(value, pickMember(object, dice).second);
    return;
  default:
    break;
  }
  // Another name: one from elsewhere, or this one changed.
  std::string name = mutateBytes(old, old.size() + 8);
  Json *other = all[dice.below(all.size())];
  if (other->is_object() && !other->empty())
    name = pickMember(*other, dice).first;
  Json moved = std::move(value);
  object.erase(old);
  object[name] = std::move(moved);
}

/// Changes \p array, which has elements.
static void changeElements(Json &array, Dice &dice) {
  size_t at = dice.below(array.size());
  switch (dice.below(4)) {
  case 0:
    array.erase(at);
    return;
  case 1:
    array.push_back(Json(array[at]));
    return;
  case 2:
    std::swap(array[at], array[dice.below(array.size())]);
    return;
  default:
    array.push_back(anything(dice));
  }
}

static void mutateOnce(Json &tree, const Json &other, Dice &dice) {
  std::vector<Json *> all = valuesOf(tree);
  Json &value = *all[dice.below(all.size())];
  switch (dice.below(8)) {
  case 0:
    value = anything(dice);
    return;
  case 1:
    // By a copy: the one may lie in the other.
    value = Json(*all[dice.below(all.size())]);
    return;
  case 2: {
    Json copy = other;
    std::vector<Json *> others = valuesOf(copy);
    value = Json(*others[dice.below(others.size())]);
    return;
  }
  case 3:
    if (dice.oneIn(4))
      wrap(value, dice);
    return;
  default:
    break;
  }
  if (value.is_number())
    nudge(value, dice);
  else if (value.is_string())
    value = mutateBytes(value.get<std::string>(),
                        value.get_ref<std::string &>().size() + 8);
  else if (value.is_object() && !value.empty())
    changeMembers(value, dice, all);
  else if (value.is_array() && !value.empty())
    changeElements(value, dice);
  else
    value = anything(dice);
}

void mutateTree(Json &tree, const Json &other, Dice &dice) {
  for (size_t times = 1 + dice.below(4); times > 0; --times)
    mutateOnce(tree, other, dice);
}

} // namespace tessera::fuzz
