//===- Progress.h - How far a run is ----------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TRAINING_PROGRESS_H
#define TESSERA_RUNTIME_TRAINING_PROGRESS_H

#include "runtime/training/LossScaler.h"
#include "runtime/training/LossWatch.h"
#include <cstdint>
#include <string>

namespace tessera::runtime {

/// How far a run is.
struct Progress {
  int64_t step = 0;    ///< steps done
  int64_t samples = 0; ///< position in the order of the data
  uint64_t seed = 1;
  std::string order = "shuffled";
  int64_t skipped = 0;      ///< steps whose update was left out
  int64_t skippedInRow = 0; ///< those of them in a row up to here
  LossStatistics losses;
  LossScale lossScale;
  /// Steps that changed the parameters: Adam's t.
  int64_t updates() const { return step - skipped; }
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TRAINING_PROGRESS_H
