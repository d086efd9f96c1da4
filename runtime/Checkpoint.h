//===- Checkpoint.h - Checkpoints of a run ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A checkpoint is one safetensors file,
// DIRECTORY/step-000000000100.safetensors: the parameters under their names,
// the moments under "optimizer.exp_avg." and "optimizer.exp_avg_sq." before the
// name, and the run's progress as metadata. It appears under its name only when
// it is complete, and the last two are kept.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CHECKPOINT_H
#define TESSERA_RUNTIME_CHECKPOINT_H

#include "runtime/Context.h"
#include <optional>
#include <string>

namespace tessera {

/// How far a run is.
struct Progress {
  int64_t step = 0;    ///< steps done
  int64_t samples = 0; ///< position in the order of the data
  uint64_t seed = 1;
  std::string order = "shuffled";
};

/// Creates the directory where it is missing and removes what a killed run
/// left half-written. All ranks call it.
void openCheckpointDirectory(const tsr_context &context,
                             const std::string &directory);

/// All ranks call it.
void saveCheckpoint(const tsr_context &context, const std::string &directory,
                    const Progress &progress);

/// Loads the newest complete checkpoint; none where the directory has none.
/// Ends the process where it is of another model. All ranks call it.
std::optional<Progress> loadCheckpoint(const tsr_context &context,
                                       const std::string &directory);

} // namespace tessera

#endif // TESSERA_RUNTIME_CHECKPOINT_H
