//===- StopFilter.h - Text up to a stop string ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_GENERATION_STOPFILTER_H
#define TESSERA_RUNTIME_GENERATION_STOPFILTER_H

#include <span>
#include <string>
#include <string_view>

namespace tessera::runtime {

/// Passes a text on that comes in pieces, up to the first place where one of
/// some strings stands. What may be the start of one is held back.
class StopFilter {
public:
  /// \p stops, none of them empty, live as long as this.
  explicit StopFilter(std::span<const std::string> stops) : stops(stops) {}

  /// Appends to \p out what is certain with \p added. True where one of the
  /// strings has come: \p out then has all that is before it.
  bool push(std::string_view added, std::string &out);
  /// Appends the rest.
  void finish(std::string &out) { out += held; }

private:
  std::span<const std::string> stops;
  std::string held;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_GENERATION_STOPFILTER_H
