//===- Values.cpp - Fields and the values that they go through --*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Values.h"
#include "frontends/Fields.h"
#include "runtime/core/Spelling.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/JSON.h"

using namespace llvm;
using namespace tessera;

/// No list of values is longer.
static constexpr size_t mostValues = 1000000;

static Error refuse(StringRef option, StringRef text, const Twine &message) {
  return createStringError(inconvertibleErrorCode(),
                           "--" + option + " " + text + ": " + message);
}

std::vector<std::string> Axis::getValues(size_t index) const {
  StringRef text = values[index];
  if (paths.size() == 1 || !text.contains(':'))
    return std::vector<std::string>(paths.size(), text.str());
  std::vector<std::string> own;
  for (StringRef part : split(text, ':'))
    own.push_back(part.trim().str());
  return own;
}

std::vector<std::string> Axis::getSettings(size_t index) const {
  std::vector<std::string> settings;
  for (auto [path, value] : zip(paths, getValues(index)))
    settings.push_back(path + "=" + value);
  return settings;
}

/// The values of `first..last`, `first..last*factor` or `first..last+step`;
/// nothing where \p item is no such range.
static std::vector<std::string> expandRange(StringRef item) {
  auto [first, rest] = item.split("..");
  size_t sign = rest.find_first_of("*+");
  StringRef last = rest.substr(0, sign);
  int64_t from, to, by = 1;
  bool grows = sign != StringRef::npos && rest[sign] == '*';
  if (first.trim().getAsInteger(10, from) || last.trim().getAsInteger(10, to))
    return {};
  if (sign != StringRef::npos &&
      rest.substr(sign + 1).trim().getAsInteger(10, by))
    return {};
  if (from > to || by < (grows ? 2 : 1) || (grows && from < 1))
    return {};
  std::vector<std::string> values;
  for (int64_t value = from; value <= to && values.size() <= mostValues;) {
    values.push_back(std::to_string(value));
    if (grows ? value > to / by : value > to - by)
      break;
    value = grows ? value * by : value + by;
  }
  return values;
}

static Error checkPath(StringRef option, StringRef text, StringRef path) {
  std::vector<std::string> known =
      scalarPaths(spec::Specification::descriptor());
  if (is_contained(known, path))
    return Error::success();
  std::string near = runtime::nearestName(path, known);
  for (const std::string &candidate : known)
    if (near.empty() && StringRef(candidate).ends_with(("." + path).str()))
      near = candidate;
  return refuse(option, text,
                "no field `" + path + "`; " +
                    (near.empty() ? "docs/specification.md lists them"
                                  : "did you mean `" + near + "`?"));
}

Expected<Axis> tessera::parseAxis(StringRef option, StringRef text,
                                  bool valuesOptional) {
  Axis axis;
  if (!json::isUTF8(text))
    return refuse(option, json::fixUTF8(text),
                  "is not UTF-8; write it in UTF-8");
  auto [paths, values] = text.split('=');
  SmallVector<StringRef> names, items;
  paths.split(names, ',');
  for (StringRef name : names) {
    if (Error error = checkPath(option, text, name.trim()))
      return error;
    axis.paths.push_back(name.trim().str());
  }
  if (!text.contains('=') && valuesOptional)
    return axis;
  if (values.trim().empty())
    return refuse(option, text,
                  "no values; write them behind the field, such as "
                  "`parallel.world=1,2,4` or `parallel.world=1..1024*2`");
  values.split(items, ',');
  for (StringRef item : items) {
    size_t parts = item.count(':') + 1;
    if (names.size() > 1 && parts > 1 && parts != names.size())
      return refuse(option, text,
                    "`" + item.trim() + "` has " + Twine(parts) +
                        " values for " + Twine(names.size()) +
                        " fields; give one, or one for each");
    if (!item.contains("..")) {
      axis.values.push_back(item.trim().str());
      continue;
    }
    std::vector<std::string> range = expandRange(item.trim());
    if (range.empty())
      return refuse(option, text,
                    "no range is `" + item.trim() +
                        "`; write `1..8`, `16..128+16` or `1..1024*2`, from "
                        "the smaller to the larger");
    axis.values.insert(axis.values.end(), range.begin(), range.end());
    if (axis.values.size() > mostValues)
      return refuse(option, text, "more than a million values; give fewer");
  }
  return axis;
}
