//===- JsonCursor.cpp - Reading JSON that may be anything -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/JsonCursor.h"
#include <cmath>
#include <cstdio>
#include <set>
#include <vector>

namespace tessera::runtime {

JsonCursor::Json JsonCursor::parse(const std::string &text, int depth) {
  // The parser would take it for the end and leave the rest out.
  if (text.find('\0') != std::string::npos)
    throw Refusal("it is not JSON: it has a NUL");
  bool tooDeep = false;
  std::string twice;
  std::vector<std::set<std::string>> keys; // of the objects being read
  Json parsed = Json::parse(
      text,
      [&](int at, Json::parse_event_t event, Json &value) {
        tooDeep = tooDeep || at > depth;
        if (tooDeep)
          return false;
        if (event == Json::parse_event_t::object_start)
          keys.emplace_back();
        else if (event == Json::parse_event_t::object_end)
          keys.pop_back();
        else if (event == Json::parse_event_t::key &&
                 !keys.back().insert(value.get<std::string>()).second)
          twice = value.get<std::string>();
        return true;
      },
      /*allow_exceptions=*/false);
  if (tooDeep)
    throw Refusal("it nests values more than " + std::to_string(depth) +
                  " deep");
  if (!twice.empty())
    throw Refusal("it has '" + twice + "' twice in one object");
  if (parsed.is_discarded())
    throw Refusal("it is not JSON");
  return parsed;
}

bool JsonCursor::has(const char *key) const {
  return value.is_object() && value.contains(key);
}

JsonCursor JsonCursor::at(const char *key) const {
  std::string name = place.empty() ? key : place + "." + key;
  if (!has(key))
    throw Refusal(name + " is missing");
  return JsonCursor(*value.find(key), std::move(name));
}

JsonCursor JsonCursor::element(size_t index) const {
  std::string name = place + "[" + std::to_string(index) + "]";
  if (!value.is_array() || index >= value.size())
    throw Refusal(name + " is missing");
  return JsonCursor(value[index], std::move(name));
}

size_t JsonCursor::length(size_t least, size_t most) const {
  if (value.is_array() && value.size() >= least && value.size() <= most)
    return value.size();
  std::string bounds = std::to_string(least);
  if (most != least)
    bounds += " to " + std::to_string(most);
  refuse("an array of " + bounds + " elements");
}

int64_t JsonCursor::integer(int64_t least, int64_t most) const {
  bool fits = value.is_number_integer() &&
              (!value.is_number_unsigned() ||
               value.get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX));
  if (fits)
    if (auto number = value.get<int64_t>(); number >= least && number <= most)
      return number;
  refuse("an integer of " + std::to_string(least) + " to " +
         std::to_string(most));
}

uint64_t JsonCursor::natural() const {
  if (!value.is_number_unsigned())
    refuse("an integer of 0 to 2^64 - 1");
  return value.get<uint64_t>();
}

double JsonCursor::number(double least, double most) const {
  if (value.is_number())
    if (auto number = value.get<double>();
        std::isfinite(number) && number >= least && number <= most)
      return number;
  char bounds[80];
  snprintf(bounds, sizeof bounds, "a number of %g to %g", least, most);
  refuse(bounds);
}

std::string JsonCursor::text(size_t most) const {
  if (value.is_string()) {
    const auto &string = value.get_ref<const std::string &>();
    if (!string.empty() && string.size() <= most &&
        string.find('\0') == std::string::npos)
      return string;
  }
  refuse("a text of 1 to " + std::to_string(most) + " bytes");
}

std::string JsonCursor::anyText(size_t most) const {
  if (value.is_string())
    if (const auto &string = value.get_ref<const std::string &>();
        string.size() <= most)
      return string;
  refuse("a text of at most " + std::to_string(most) + " bytes");
}

bool JsonCursor::boolean() const {
  if (value.is_boolean())
    return value.get<bool>();
  refuse("true or false");
}

void JsonCursor::refuse(const std::string &wanted) const {
  std::string shown =
      value.is_array() ? "an array"
      : value.is_object()
          ? "an object"
          : value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (shown.size() > 80)
    shown = shown.substr(0, 80) + "...";
  throw Refusal(place + " is " + shown + ": " + wanted + " is wanted");
}

} // namespace tessera::runtime
