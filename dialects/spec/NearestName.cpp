//===- NearestName.cpp - What a misspelt name may mean --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/spec/NearestName.h"

#include <algorithm>

using namespace tessera::spec;

std::string tessera::spec::getNearestName(llvm::StringRef name,
                                          llvm::ArrayRef<std::string> names) {
  // Up to a third of the letters may be wrong: more than that is a guess.
  unsigned best = std::max<unsigned>(2, name.size() / 3) + 1;
  std::string nearest;
  for (const std::string &candidate : names) {
    unsigned distance = name.edit_distance(candidate, true, best);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}
