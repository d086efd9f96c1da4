//===- FeaturePart.h - What a program reads of features ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared by the compiler, which names inputs so, and the runtime, which fills
// them.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_FEATUREPART_H
#define TESSERA_RUNTIME_DATA_FEATUREPART_H

#include "runtime/program/SlotNames.h"
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tessera::runtime {

/// What an input of dense features, [nodes, features], has of them: themselves,
/// or what neighbours make of them, which is data as they are.
struct FeaturePart {
  /// How often a node gets the weighted sum of its neighbours' in place of its
  /// own.
  int64_t hops = 0;
  /// With one hop: their maximum by column, 0 without neighbours, as graph.max
  /// has it, in place of the sum.
  bool isMaximum = false;

  /// The input's name: "features", "features.sum.2", "features.max".
  std::string name() const {
    std::string result = slotNames::features;
    if (isMaximum)
      return result + maximum;
    return hops ? result + sum + std::to_string(hops) : result;
  }

  /// The part that an input called \p name has; none where it has no features.
  static std::optional<FeaturePart> named(std::string_view name) {
    std::string_view whole = slotNames::features;
    if (name.substr(0, whole.size()) != whole)
      return std::nullopt;
    name.remove_prefix(whole.size());
    if (name.empty())
      return FeaturePart{};
    if (name == maximum)
      return FeaturePart{.hops = 1, .isMaximum = true};
    std::string_view prefix = sum;
    if (name.substr(0, prefix.size()) != prefix)
      return std::nullopt;
    FeaturePart part;
    name.remove_prefix(prefix.size());
    auto [end, error] =
        std::from_chars(name.data(), name.data() + name.size(), part.hops);
    bool isWhole = error == std::errc() && end == name.data() + name.size();
    return isWhole && part.hops > 0 ? std::optional(part) : std::nullopt;
  }

private:
  static constexpr slotNames::Name sum = ".sum.", maximum = ".max";
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_FEATUREPART_H
