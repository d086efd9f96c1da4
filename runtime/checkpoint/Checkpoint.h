//===- Checkpoint.h - Reading checkpoints -----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A checkpoint is read by any number of ranks at any stage: all ranks together
// verify it, each a part; then each reads the elements that it holds, straight
// into its arena.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CHECKPOINT_CHECKPOINT_H
#define TESSERA_RUNTIME_CHECKPOINT_CHECKPOINT_H

#include "runtime/checkpoint/CheckpointIndex.h"
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tessera::runtime {

struct FoundCheckpoint {
  CheckpointIndex index;
  std::vector<int64_t> refused; ///< steps of newer, damaged ones; of rank 0
};

/// The newest checkpoint in \p directory that is whole to the bit, with a
/// warning that names the file for each one that is not; none where there is
/// no checkpoint. Exits the process where none is whole. All ranks call it.
std::optional<FoundCheckpoint> findCheckpoint(const tessera_context &context,
                                              const std::string &directory);

/// Reads what this rank's program holds of \p states. Exits the process where
/// the checkpoint's parameters are not this model's.
void loadCheckpoint(const tessera_context &context,
                    const CheckpointIndex &index,
                    std::span<const std::string> states);

/// The checkpoint in the folder \p path, or the newest one that is whole of
/// those in the directory \p path. Exits the process where there is none. All
/// ranks call it.
CheckpointIndex openCheckpoint(const tessera_context &context,
                               const std::string &path);

/// Loads the parameters from openCheckpoint's. Settings of the model that
/// differ from the checkpoint's must be \p allowed.
void loadCheckpointWeights(const tessera_context &context,
                           const std::string &path,
                           const std::vector<std::string> &allowed);

/// Calls \p take with all weights of \p parameter in order, in pieces of at
/// most 1 MiB.
void readWeights(const CheckpointIndex &index, int parameter,
                 const std::function<void(const float *, int64_t)> &take);

/// For each parameter of the checkpoint the model's of that name. Exits the
/// process where the two differ in names or shapes.
std::vector<int> matchParameters(const Manifest &manifest,
                                 const CheckpointIndex &index);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CHECKPOINT_CHECKPOINT_H
