//===- JsonLines.cpp - Files with an object in each line ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/JsonLines.h"
#include "runtime/core/Error.h"
#include "runtime/files/InputFile.h"
#include <algorithm>

namespace tessera::runtime {

static constexpr int maxDepth = 64;

static std::string readWhole(const std::string &path, const char *what) {
  std::string error;
  std::unique_ptr<InputFile> file = InputFile::open(path, what, error);
  if (!file)
    fatal("%s", error.c_str());
  std::string text;
  if (!file->readAll(text, error))
    fatal("%s", error.c_str());
  return text;
}

void readJsonLines(const std::string &path, const char *what,
                   const std::function<void(JsonLine line)> &visit) {
  std::string text = readWhole(path, what);
  int64_t number = 0;
  for (size_t at = 0, end; at < text.size(); at = end + 1) {
    ++number;
    end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (line.find_first_not_of(" \t\r") == std::string::npos)
      continue;
    std::string place = "'" + path + "' line " + std::to_string(number) + ": ";
    try {
      JsonCursor::Json object = JsonCursor::parse(line, maxDepth);
      if (!object.is_object())
        throw JsonCursor::Refusal("it is no JSON object");
      JsonCursor::Json id = number;
      if (object.contains("id") && !object.at("id").is_null())
        id = object.at("id");
      visit({object, std::move(id), place});
    } catch (const JsonCursor::Refusal &refusal) {
      fatal("%s%s", place.c_str(), refusal.what());
    }
  }
}

} // namespace tessera::runtime
