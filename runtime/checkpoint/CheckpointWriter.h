//===- CheckpointWriter.h - Writing checkpoints -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All ranks write at the same time, each its part. Files come first, then the
// index under its name, each flushed to the disk, so that a checkpoint is
// complete or does not count, whenever the run or the machine stops. The last
// two are kept and, where it is asked for, the one of the best measurement.
//
// In the background the parts are copied in memory that is taken once, and
// written by a thread while steps go on. What happens then allocates nothing.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CHECKPOINT_CHECKPOINTWRITER_H
#define TESSERA_RUNTIME_CHECKPOINT_CHECKPOINTWRITER_H

#include "runtime/checkpoint/CheckpointDirectory.h"
#include "runtime/checkpoint/CheckpointIndex.h"
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tessera::runtime {

class CheckpointWriter {
public:
  /// \p refused are steps of damaged checkpoints, which the first new one
  /// replaces; those of rank 0 count. Checkpoints say that they are of \p data.
  /// All ranks make, call and destroy it alike.
  CheckpointWriter(const tessera_context &context, std::string directory,
                   bool background, bool keepsBest,
                   std::vector<int64_t> refused,
                   std::optional<DataFingerprint> data);
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter &) = delete;
  CheckpointWriter &operator=(const CheckpointWriter &) = delete;

  /// Bytes of this rank's copy of its part; 0 where steps wait.
  int64_t copyBytes() const { return copy ? partBytes : 0; }

  /// The one of progress.validation.bestStep is kept, if any is asked for.
  /// Makes a checkpoint, or begins to where it is made in the background.
  /// Waits for the one before it. The state must not change until it returns.
  void save(const Progress &progress);

  /// True once this rank's part of a checkpoint is on the disk and the
  /// checkpoint is not yet committed.
  bool partIsWritten() const;

  /// Makes the checkpoint count; called once all ranks' parts are written.
  void commit();

  /// Waits until the last checkpoint is complete.
  void finish();

private:
  /// How far the checkpoint is, alike on all ranks.
  enum class Phase { None, Writing, Committing };
  enum class Job { None, Part, Index, Quit };

  void start(Job job);
  void waitForJob();
  void work();
  void perform(Job job);
  void writePart();
  void writeIndex();
  void prune();

  const tessera_context &context;
  std::string directory;
  bool keepsBest;
  std::vector<int64_t> refused, kept; ///< steps, of rank 0; kept: ascending

  // This rank's file.
  std::string header;
  std::vector<int64_t> places; ///< of its pieces in the arena
  std::vector<int64_t> sizes;  ///< of its pieces in bytes
  std::vector<uint32_t> checksums;
  int64_t partBytes = 0, mostBlocks = 0;
  std::string partName;
  char *copy = nullptr;

  CheckpointIndex index; ///< of rank 0
  IndexText indexText;
  std::vector<uint32_t> gathered;

  Phase phase = Phase::None;
  int64_t step = 0;
  int64_t best = 0; ///< the step of the one that is kept; 0: none is

  std::thread thread;
  std::mutex mutex;
  std::condition_variable changed;
  Job job = Job::None;
  std::atomic<bool> busy = false;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CHECKPOINT_CHECKPOINTWRITER_H
