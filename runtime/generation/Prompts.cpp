//===- Prompts.cpp - Files of prompts -------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/Prompts.h"
#include "runtime/core/Error.h"
#include "runtime/files/InputFile.h"
#include "runtime/files/JsonCursor.h"

namespace tessera::runtime {

static constexpr int maxDepth = 64;

static std::string readWhole(const std::string &path) {
  std::string error;
  std::unique_ptr<InputFile> file =
      InputFile::open(path, "the prompts ", error);
  if (!file)
    fatal("%s", error.c_str());
  std::string text;
  if (!file->readAll(text, error))
    fatal("%s", error.c_str());
  return text;
}

static Prompt readPrompt(const std::string &line, const std::string &field) {
  JsonCursor::Json object = JsonCursor::parse(line, maxDepth);
  if (!object.is_object())
    throw JsonCursor::Refusal("it is no JSON object");
  JsonCursor cursor(object);
  if (!cursor.has(field.c_str()))
    throw JsonCursor::Refusal("it has no '" + field +
                              "' (--field names the prompt)");
  Prompt prompt;
  prompt.text = cursor.at(field.c_str()).anyText(SIZE_MAX);
  if (cursor.has("id"))
    prompt.id = object.at("id");
  return prompt;
}

std::vector<Prompt> readPrompts(const std::string &path,
                                const std::string &field) {
  std::vector<Prompt> prompts;
  std::string text = readWhole(path);
  int64_t number = 0;
  for (size_t at = 0, end; at < text.size(); at = end + 1) {
    ++number;
    end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (line.find_first_not_of(" \t\r") == std::string::npos)
      continue;
    std::string place = "'" + path + "' line " + std::to_string(number) + ": ";
    try {
      Prompt prompt = readPrompt(line, field);
      prompt.place = place;
      if (prompt.id.is_null())
        prompt.id = number;
      prompts.push_back(std::move(prompt));
    } catch (const JsonCursor::Refusal &refusal) {
      fatal("%s%s", place.c_str(), refusal.what());
    }
  }
  if (prompts.empty())
    fatal("'%s' has no prompts: a line for each is wanted, such as "
          "{\"%s\": \"Once\"}",
          path.c_str(), field.c_str());
  return prompts;
}

} // namespace tessera::runtime
