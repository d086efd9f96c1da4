//===- JsonLines.h - Files with an object in each line ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_FILES_JSONLINES_H
#define TESSERA_RUNTIME_FILES_JSONLINES_H

#include "runtime/files/JsonCursor.h"
#include <functional>
#include <string>

namespace tessera::runtime {

/// A line of such a file.
struct JsonLine {
  const JsonCursor::Json &object;
  /// The object's `id`, of any kind; the line's number, counted from 1, where
  /// it has none.
  JsonCursor::Json id;
  std::string place; ///< for messages: "'FILE' line 3: "
};

/// Calls \p visit for each line of the file \p path that is not blank. Exits
/// the process where the file, \p what ("the prompts "), cannot be read, where
/// a line is no object, and with the line's place where \p visit throws
/// JsonCursor::Refusal.
void readJsonLines(const std::string &path, const char *what,
                   const std::function<void(JsonLine line)> &visit);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_FILES_JSONLINES_H
