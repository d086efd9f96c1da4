//===- CheckpointDirectory.h - A run's checkpoints on the disk --*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// DIRECTORY/step-000000000100/ is the checkpoint of step 100. It counts once
// its checkpoint.json is there, which is written last and removed first. A mark
// is written before all else: of a folder without an index only a marked one is
// ever touched, and in it only files of the names that a run gives. Folders are
// never entered through links; DIRECTORY itself may be one.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CHECKPOINT_CHECKPOINTDIRECTORY_H
#define TESSERA_RUNTIME_CHECKPOINT_CHECKPOINTDIRECTORY_H

#include "runtime/program/Context.h"
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tessera::runtime {

/// What a run writes first to a folder that it makes, and what the index is
/// called while it is being written.
inline constexpr const char *checkpointMark = ".tessera-checkpoint";
inline constexpr const char *checkpointTemporary = "checkpoint.json.tmp";

/// A link to the checkpoint of the best measurement, where a run keeps it.
inline constexpr const char *bestName = "best";

/// A path in memory of its own, so that making one allocates nothing.
using PathText = std::array<char, 4096>;

/// Writes "DIRECTORY/step-NNNNNNNNNNNN" to \p path.
void putFolder(PathText &path, const std::string &directory, int64_t step);
std::string folderOf(const std::string &directory, int64_t step);

/// Has the link \p directory/best lead to the checkpoint of \p step. Allocates
/// nothing; warns where it cannot.
void linkBest(const std::string &directory, int64_t step);

/// The steps of the complete checkpoints in \p directory, newest first.
std::vector<int64_t> listCheckpoints(const std::string &directory);

/// Removes a checkpoint, complete or marked, where there is one: it stops to
/// count at once. What is in it beside our files stays, and the marked folder
/// with it. Allocates nothing; warns where it cannot.
void removeCheckpoint(const char *folder);

/// Makes the marked folder of a checkpoint, without files of ours. Exits the
/// process where it cannot. Allocates nothing.
void makeCheckpointFolder(const char *folder);

/// Exits the process where something that no run has made has the name of a
/// checkpoint of step \p begin + 1 to \p end: a signal may end the run, with a
/// checkpoint, after any of them. Warns of such at other steps.
void requireFreeNames(const std::string &directory, int64_t begin, int64_t end);

/// Creates \p directory where it is missing, sees to it that no other run
/// writes there while this process lives, and removes what a killed run left
/// incomplete. Exits the process where it has checkpoints and \p resume is
/// false, since a run never replaces those of another. All ranks call it.
void openCheckpointDirectory(const tessera_context &context,
                             const std::string &directory, bool resume);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CHECKPOINT_CHECKPOINTDIRECTORY_H
