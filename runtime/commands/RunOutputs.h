//===- RunOutputs.h - What a training run writes ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_RUNOUTPUTS_H
#define TESSERA_RUNTIME_COMMANDS_RUNOUTPUTS_H

#include "runtime/checkpoint/CheckpointWriter.h"
#include "runtime/checkpoint/WeightsOutput.h"
#include "runtime/commands/Log.h"
#include "runtime/commands/Options.h"
#include "runtime/commands/Profile.h"
#include <memory>

namespace tessera::runtime {

/// The log, the weights of --save, the profile and the checkpoints, opened
/// before the first step: what cannot be written exits the process then, with
/// nothing left behind. All ranks make it and call it alike; rank 0 opens log
/// and weights.
class RunOutputs {
public:
  /// \p steps: the last step of the run.
  RunOutputs(const tessera_context &context, const Options &options,
             int64_t steps);

  /// Follows once the state is loaded: \p refused and \p data as of
  /// CheckpointWriter, \p step the one that the state is of.
  void openCheckpoints(std::vector<int64_t> refused, int64_t step,
                       std::optional<DataFingerprint> data);

  /// Null without --profile.
  Profile *profile() const { return trace.get(); }
  /// Null without --checkpoint-dir.
  CheckpointWriter *checkpoints() const { return writer.get(); }
  void saveCheckpoint(const Progress &progress);

  /// Ends the run after a whole step: writes the checkpoint of it, where it is
  /// not there yet, and the weights if \p withWeights. Returns once all outputs
  /// of all ranks are on the disk.
  void finish(const Progress &progress, bool withWeights);

  StepLog log;

private:
  void requireRoom() const;

  const tessera_context &context;
  const Options &options;
  int64_t steps;
  std::unique_ptr<WeightsOutput> weights;
  std::unique_ptr<Profile> trace;
  std::unique_ptr<CheckpointWriter> writer;
  int64_t savedStep = 0;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_RUNOUTPUTS_H
