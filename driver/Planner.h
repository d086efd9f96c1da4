//===- Planner.h - Plans of many specifications at once ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_PLANNER_H
#define TESSERA_DRIVER_PLANNER_H

#include "frontends/SourceText.h"
#include "report/PlanReport.h"

#include <optional>
#include <string>
#include <vector>

namespace tessera {

/// Plans variants of one specification, several at a time.
class Planner {
public:
  /// Settings `path=value`, as --set takes them.
  using Settings = std::vector<std::string>;

  struct Outcome {
    std::optional<PlanReport> report;
    std::string reason; ///< why there is no report
  };

  /// The specification \p source with \p common set before each variant's
  /// settings and the machine that \p machine describes, if any.
  Planner(SourceText source, Settings common, std::optional<SourceText> machine)
      : source(std::move(source)), common(std::move(common)),
        machine(std::move(machine)) {}

  /// Whether the specification's model is a transformer.
  bool hasTransformer() const;

  /// Whether the specification with \p settings passes its checks.
  bool isValid(const Settings &settings) const;

  Outcome plan(const Settings &settings) const;

  /// The plans of all \p variants, in their order, on all cores.
  std::vector<Outcome> plan(const std::vector<Settings> &variants) const;

private:
  Settings join(const Settings &settings) const;

  const SourceText *getMachine() const { return machine ? &*machine : nullptr; }

  SourceText source;
  Settings common;
  std::optional<SourceText> machine;
};

} // namespace tessera

#endif // TESSERA_DRIVER_PLANNER_H
