//===- Reader.cpp - Fields of a ds_config.json ----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/deepspeed/Reader.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace tessera;
using namespace llvm;

const json::Value *DeepSpeedReader::find(StringRef path) {
  seen.insert(path);
  const json::Object *object = &root;
  while (true) {
    auto [name, rest] = path.split('.');
    const json::Value *value = object->get(name);
    if (!value || value->kind() == json::Value::Null)
      return nullptr;
    if (rest.empty())
      return value;
    object = value->getAsObject();
    if (!object)
      return nullptr;
    path = rest;
  }
}

const json::Value *DeepSpeedReader::findGiven(StringRef path,
                                              StringRef setting) {
  const json::Value *value = find(path);
  if (!value || value->getAsString() != StringRef("auto"))
    return value;
  warn(path, "is \"auto\", which a script's arguments fill in: give --set " +
                 setting + "=VALUE");
  return nullptr;
}

void DeepSpeedReader::refuse(StringRef path, StringRef wanted) {
  error(path, "takes " + wanted);
}

std::optional<double> DeepSpeedReader::number(StringRef path,
                                              StringRef setting) {
  const json::Value *value = findGiven(path, setting);
  if (!value)
    return std::nullopt;
  if (std::optional<double> number = value->getAsNumber())
    return number;
  refuse(path, "a number");
  return std::nullopt;
}

std::optional<int64_t> DeepSpeedReader::whole(StringRef path,
                                              StringRef setting) {
  std::optional<double> value = number(path, setting);
  if (!value)
    return std::nullopt;
  // 5e8 is a usual way to write a count.
  if (*value == std::floor(*value) && *value >= 0 && *value < 9e15)
    return static_cast<int64_t>(*value);
  refuse(path, "a whole number of at least 0");
  return std::nullopt;
}

std::optional<bool> DeepSpeedReader::flag(StringRef path, StringRef setting) {
  const json::Value *value = findGiven(path, setting);
  if (!value)
    return std::nullopt;
  if (std::optional<bool> flag = value->getAsBoolean())
    return flag;
  refuse(path, "true or false");
  return std::nullopt;
}

std::optional<StringRef> DeepSpeedReader::text(StringRef path,
                                               StringRef setting) {
  const json::Value *value = findGiven(path, setting);
  if (!value)
    return std::nullopt;
  if (std::optional<StringRef> text = value->getAsString())
    return text;
  refuse(path, "a text");
  return std::nullopt;
}

void DeepSpeedReader::set(StringRef path, const Twine &value) {
  result.settings.push_back((path + "=" + value).str());
}

void DeepSpeedReader::set(StringRef path, double value) {
  std::string text;
  raw_string_ostream(text) << format("%.12g", value);
  set(path, text);
}

void DeepSpeedReader::note(StringRef path, const Twine &text) {
  result.remarks.push_back({path.str(), text.str(), /*isWarning=*/false});
}

void DeepSpeedReader::warn(StringRef path, const Twine &text) {
  result.remarks.push_back({path.str(), text.str(), /*isWarning=*/true});
}

void DeepSpeedReader::error(StringRef path, const Twine &text) {
  failed = true;
  errors << file << ": error: `" << path << "` " << text << "\n";
}
