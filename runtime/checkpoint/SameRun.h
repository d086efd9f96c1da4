//===- SameRun.h - Whether a checkpoint is of this run ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A checkpoint says which settings determined its run's mathematics, by the
// specification's names, and of which data it is. What differs is refused by
// name, unless --allow NAME lets it through.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CHECKPOINT_SAMERUN_H
#define TESSERA_RUNTIME_CHECKPOINT_SAMERUN_H

#include "runtime/checkpoint/CheckpointIndex.h"
#include <string>
#include <vector>

namespace tessera::runtime {

/// What a checkpoint is read for: to go on, or as a model's weights, which its
/// optimizer and data do not change.
enum class CheckpointUse { Resume, Weights };

/// Exits the process where \p index is of a run with other settings than
/// \p manifest, as far as they matter for \p use, which \p allowed does not
/// name, or where \p allowed has a name that is no setting. Warns where the
/// checkpoint does not say its settings.
void requireSameSettings(const Manifest &manifest, const CheckpointIndex &index,
                         CheckpointUse use,
                         const std::vector<std::string> &allowed);

/// Exits the process where the run that resumes from \p folder, whose
/// checkpoint is of the data \p saved, reads other data, unless \p allowed has
/// "data".
void requireSameData(const std::string &folder,
                     const std::optional<DataFingerprint> &saved,
                     const std::optional<DataFingerprint> &data,
                     const std::vector<std::string> &allowed);

/// Where no checkpoint is read: exits the process where \p allowed has a name
/// that is no setting of this executable, nor "data".
void requireKnownNames(const Manifest &manifest,
                       const std::vector<std::string> &allowed);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CHECKPOINT_SAMERUN_H
