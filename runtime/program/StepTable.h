//===- StepTable.h - What the steps of training are -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PROGRAM_STEPTABLE_H
#define TESSERA_RUNTIME_PROGRAM_STEPTABLE_H

#include <cstdint>
#include <string>
#include <vector>

namespace tessera::runtime {

/// The steps of the program `train`, in the order in which its sections call
/// the runtime for them: what `tessera_steps` says (docs/manifest.md).
struct StepTable {
  /// What one step or several do.
  struct Work {
    std::string name, kind;
    int64_t flops = 0, bytes = 0;
    int64_t collective = -1; ///< of a start, wait or fence: which; else -1
  };
  struct Step {
    int32_t work = 0, layer = 0; ///< in the tables of these
    int64_t memory = 0;          ///< bytes in use while it runs
  };
  struct Section {
    std::string name; ///< "begin", "micro", "reduce", "update"
    int32_t firstCall = 0, calls = 0;
  };

  std::vector<Work> works;
  std::vector<std::string> layers; ///< "" for none
  std::vector<Step> steps;
  std::vector<Section> sections;
  std::vector<int32_t> stepOfCall; ///< over all sections

  /// The table that \p text holds. Exits the process where it is none, since
  /// the compiler wrote it.
  static StepTable parse(const std::string &text);
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_PROGRAM_STEPTABLE_H
