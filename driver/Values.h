//===- Values.h - Fields and the values that they go through ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_VALUES_H
#define TESSERA_DRIVER_VALUES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tessera {

/// Fields of a specification that change together, and their values: one for
/// all fields, or one for each, `4:16`.
struct Axis {
  std::vector<std::string> paths;
  std::vector<std::string> values;

  /// What each field is at the value of number \p index.
  std::vector<std::string> getValues(size_t index) const;
  /// The --set options of the value of number \p index.
  std::vector<std::string> getSettings(size_t index) const;
};

/// Reads `PATH[,PATH]...=VALUES`, as --sweep and --vary take it. VALUES are
/// separated by commas; `1..8` is each whole number, `1..1024*2` each power,
/// `16..128+16` each step, `1:4` a value for each of two fields. With \p
/// valuesOptional, `=VALUES` may be missing.
llvm::Expected<Axis> parseAxis(llvm::StringRef option, llvm::StringRef text,
                               bool valuesOptional);

} // namespace tessera

#endif // TESSERA_DRIVER_VALUES_H
