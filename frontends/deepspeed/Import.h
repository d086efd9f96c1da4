//===- Import.h - The settings of a ds_config.json --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// DeepSpeed's configuration says how a model is trained, and nothing of the
// model. docs/deepspeed.md has the table of its fields; defaults that count
// here are DeepSpeed's.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_DEEPSPEED_IMPORT_H
#define TESSERA_FRONTENDS_DEEPSPEED_IMPORT_H

#include "frontends/SourceText.h"
#include "llvm/Support/JSON.h"

#include <optional>
#include <string>
#include <vector>

namespace tessera {

/// What is to be said of a field besides what is set.
struct DeepSpeedRemark {
  std::string field; ///< "zero_optimization.offload_param"
  std::string text;
  /// Something that the configuration asks for is not done.
  bool isWarning = false;
};

struct DeepSpeedSettings {
  std::vector<std::string> settings; ///< "training.clip=1", as --set takes them
  std::vector<DeepSpeedRemark> remarks;
};

/// Reads the configuration \p source. \p world, the number of ranks, is not in
/// it; what depends on it is left out where it is not given. What contradicts
/// itself or is no configuration fails with lines in \p errors.
std::optional<DeepSpeedSettings> importDeepSpeed(const SourceText &source,
                                                 std::optional<int64_t> world,
                                                 llvm::raw_ostream &errors);

} // namespace tessera

#endif // TESSERA_FRONTENDS_DEEPSPEED_IMPORT_H
