//===- Progress.h - How far a run is ----------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TRAINING_PROGRESS_H
#define TESSERA_RUNTIME_TRAINING_PROGRESS_H

#include "runtime/data/DataFingerprint.h"
#include "runtime/training/LossScaler.h"
#include "runtime/training/LossWatch.h"
#include <cstdint>
#include <string>

namespace tessera::runtime {

/// What measuring while the run trains has found.
struct ValidationProgress {
  int64_t step = 0;          ///< after which it was last; 0: not yet
  double best = 0;           ///< the least loss
  int64_t bestStep = 0;      ///< after which it was; 0: none was finite
  int64_t withoutBetter = 0; ///< measurements in a row since then
  /// What was measured on: at most so many samples, 0 for all, of the data.
  int64_t samples = 0;
  DataFingerprint data;
};

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
  ValidationProgress validation;
  /// Steps that changed the parameters: Adam's t.
  int64_t updates() const { return step - skipped; }
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TRAINING_PROGRESS_H
