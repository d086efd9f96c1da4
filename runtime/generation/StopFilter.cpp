//===- StopFilter.cpp - Text up to a stop string --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/StopFilter.h"
#include <algorithm>

namespace tessera::runtime {

bool StopFilter::push(std::string_view added, std::string &out) {
  held += added;
  size_t first = std::string::npos;
  for (const std::string &stop : stops)
    first = std::min(first, held.find(stop));
  if (first != std::string::npos) {
    out.append(held, 0, first);
    held.clear();
    return true;
  }
  // The longest end of the text that begins one of the strings.
  size_t kept = 0;
  for (const std::string &stop : stops)
    for (size_t size = std::min(held.size(), stop.size() - 1); size > kept;
         --size)
      if (held.ends_with(std::string_view(stop).substr(0, size)))
        kept = size;
  size_t sure = held.size() - kept;
  out.append(held, 0, sure);
  held.erase(0, sure);
  return false;
}

} // namespace tessera::runtime
