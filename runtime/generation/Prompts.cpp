//===- Prompts.cpp - Files of prompts -------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/Prompts.h"
#include "runtime/core/Error.h"
#include "runtime/files/JsonLines.h"

namespace tessera::runtime {

std::vector<Prompt> readPrompts(const std::string &path,
                                const std::string &field) {
  std::vector<Prompt> prompts;
  readJsonLines(path, "the prompts ", [&](JsonLine line) {
    JsonCursor cursor(line.object);
    if (!cursor.has(field.c_str()))
      throw JsonCursor::Refusal("it has no '" + field +
                                "' (--field names the prompt)");
    prompts.push_back({std::move(line.id),
                       cursor.at(field.c_str()).anyText(SIZE_MAX),
                       std::move(line.place)});
  });
  if (prompts.empty())
    fatal("'%s' has no prompts: a line for each is wanted, such as "
          "{\"%s\": \"Once\"}",
          path.c_str(), field.c_str());
  return prompts;
}

} // namespace tessera::runtime
