//===- Spelling.cpp - Names that are nearly right -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Spelling.h"
#include <algorithm>
#include <numeric>

namespace tessera::runtime {

static size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

std::string nearestName(std::string_view name,
                        const std::vector<std::string> &names) {
  size_t least = std::min<size_t>(2, (name.size() + 1) / 3) + 1;
  std::string nearest;
  for (const std::string &candidate : names)
    if (size_t distance = editDistance(name, candidate); distance < least) {
      least = distance;
      nearest = candidate;
    }
  return nearest;
}

} // namespace tessera::runtime
