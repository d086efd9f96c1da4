//===- Prompts.h - Files of prompts -----------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_GENERATION_PROMPTS_H
#define TESSERA_RUNTIME_GENERATION_PROMPTS_H

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tessera::runtime {

struct Prompt {
  /// The line's `id`, of any kind; its number, counted from 1, where it has
  /// none.
  nlohmann::ordered_json id;
  std::string text;
  std::string place; ///< for messages: "'FILE' line 3: "
};

/// The texts under \p field of the objects of \p path, one in each line that is
/// not blank; exits the process, with the line, where there is none, or where
/// there is no line.
std::vector<Prompt> readPrompts(const std::string &path,
                                const std::string &field);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_GENERATION_PROMPTS_H
