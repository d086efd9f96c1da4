//===- CheckpointWriter.cpp - Writing checkpoints -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/CheckpointWriter.h"
#include "runtime/core/Error.h"
#include "runtime/core/Threads.h"
#include "runtime/files/Checksum.h"
#include "runtime/files/Output.h"
#include "runtime/files/Safetensors.h"
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tessera::runtime {

static constexpr size_t checkpointsKept = 2;
/// Checksums of one exchange.
static constexpr int64_t checksumsAtOnce =
    Communicator::exchangeLimit / sizeof(uint32_t);

namespace {

/// A file under construction. Exits the process on a failed write, after it has
/// removed the file: a full disk gets its room back. Allocates nothing.
class CheckpointFile {
public:
  CheckpointFile(const char *folder, const char *name) {
    snprintf(path.data(), path.size(), "%s/%s", folder, name);
    // The folder is new or has been emptied of our names.
    descriptor =
        open(path.data(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
             0666);
    if (descriptor < 0)
      refuse();
  }
  void write(const char *data, int64_t bytes) {
    if (!writeAll(descriptor, data, bytes))
      refuse();
  }
  void finish() {
    if (fsync(descriptor) != 0 || close(descriptor) != 0)
      refuse();
  }
  /// Gives the finished file its name.
  void rename(const char *folder, const char *name) {
    PathText last;
    snprintf(last.data(), last.size(), "%s/%s", folder, name);
    if (::rename(path.data(), last.data()) != 0)
      refuse();
  }

private:
  [[noreturn]] void refuse() {
    int reason = errno;
    unlink(path.data());
    fatal("cannot write '%s': %s; the checkpoints before it are whole",
          path.data(), strerror(reason));
  }

  PathText path;
  int descriptor = -1;
};

} // namespace

CheckpointWriter::CheckpointWriter(const tessera_context &context,
                                   std::string directory, bool background,
                                   bool keepsBest, std::vector<int64_t> refused,
                                   std::optional<DataFingerprint> data)
    : context(context), directory(std::move(directory)), keepsBest(keepsBest),
      refused(std::move(refused)) {
  const Manifest &manifest = *context.manifest;
  SavedFile mine = planFile(context, context.rank(), &header, &places);
  partName = mine.name;
  for (const SavedPiece &piece : mine.pieces)
    sizes.push_back(typeBytes(piece.dtype) * piece.range.size());
  partBytes = mine.bytes - static_cast<int64_t>(header.size());
  int64_t blocks = BlockChecksums::count(mine.bytes, index.blockBytes);
  checksums.resize(blocks);
  std::vector<int64_t> counts(context.size());
  context.communicator->exchange(&blocks, counts.data(), sizeof blocks);
  mostBlocks = *std::max_element(counts.begin(), counts.end());
  gathered.resize(checksumsAtOnce * context.size());
  if (context.rank() == 0) {
    index.model = manifest.name;
    index.world = context.size();
    index.stage = manifest.training.stage;
    index.fingerprint = manifest.fingerprint;
    index.data = data;
    for (const Parameter &parameter : manifest.parameters)
      index.parameters.push_back({parameter.name, parameter.shape});
    for (int rank = 0; rank < context.size(); ++rank)
      index.files.push_back(planFile(context, rank));
    kept = listCheckpoints(this->directory);
    std::erase_if(kept, [&](int64_t step) {
      return std::find(this->refused.begin(), this->refused.end(), step) !=
             this->refused.end();
    });
    std::reverse(kept.begin(), kept.end());
    kept.reserve(kept.size() + 1);
  }
  if (!background)
    return;
  copy = mapPrivateArena(partBytes);
  thread = std::thread([this] { work(); });
}

CheckpointWriter::~CheckpointWriter() {
  if (!thread.joinable())
    return;
  waitForJob();
  start(Job::Quit);
  thread.join();
  munmap(copy, std::max<int64_t>(partBytes, 1));
}

void CheckpointWriter::start(Job wanted) {
  if (!thread.joinable())
    return perform(wanted);
  std::lock_guard lock(mutex);
  job = wanted;
  busy = true;
  changed.notify_all();
}

void CheckpointWriter::waitForJob() {
  if (!thread.joinable())
    return;
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return !busy; });
}

void CheckpointWriter::work() {
  leaveSignalsToOthers();
  // The thread that computes comes first where there are too few cores (Linux
  // gives each thread a niceness of its own).
  setpriority(PRIO_PROCESS, gettid(), 10);
  for (;;) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return job != Job::None; });
    Job wanted = job;
    lock.unlock();
    perform(wanted);
    lock.lock();
    job = Job::None;
    busy = false;
    changed.notify_all();
    if (wanted == Job::Quit)
      return;
  }
}

void CheckpointWriter::perform(Job wanted) {
  if (wanted == Job::Part)
    writePart();
  else if (wanted == Job::Index)
    writeIndex();
}

void CheckpointWriter::save(const Progress &progress) {
  finish();
  step = progress.step;
  best = keepsBest ? progress.validation.bestStep : 0;
  if (context.rank() == 0) {
    index.progress = progress;
    indexText = index.text();
    PathText folder;
    putFolder(folder, directory, step);
    makeCheckpointFolder(folder.data());
  }
  context.communicator->barrier();
  if (copy) {
    char *next = copy;
    for (size_t i = 0; i < places.size(); ++i) {
      context.device->read(next, context.arena + places[i], sizes[i]);
      next += sizes[i];
      releaseOffloaded(context, places[i], sizes[i]);
    }
  }
  phase = Phase::Writing;
  start(Job::Part);
  if (!copy)
    finish();
}

void CheckpointWriter::writePart() {
  PathText folder;
  putFolder(folder, directory, step);
  CheckpointFile file(folder.data(), partName.c_str());
  BlockChecksums sums(checksums, index.blockBytes);
  auto put = [&](const char *data, int64_t bytes) {
    // The checksum finds the data in the cache where it leaves it to the
    // system.
    static constexpr int64_t most = 256 << 10;
    for (int64_t at = 0; at < bytes; at += most) {
      int64_t count = std::min(most, bytes - at);
      sums.add(data + at, count);
      file.write(data + at, count);
    }
  };
  put(header.data(), static_cast<int64_t>(header.size()));
  if (copy)
    put(copy, partBytes);
  else
    for (size_t i = 0; i < places.size(); ++i) {
      context.device->readPieces(context.arena + places[i], sizes[i],
                                 [&](const char *data, int64_t begin,
                                     int64_t end) { put(data, end - begin); });
      releaseOffloaded(context, places[i], sizes[i]);
    }
  file.finish();
}

bool CheckpointWriter::partIsWritten() const {
  return phase == Phase::Writing && !busy;
}

void CheckpointWriter::commit() {
  for (int64_t first = 0; first < mostBlocks; first += checksumsAtOnce) {
    uint32_t mine[checksumsAtOnce] = {};
    for (int64_t i = 0; i < checksumsAtOnce &&
                        first + i < static_cast<int64_t>(checksums.size());
         ++i)
      mine[i] = checksums[first + i];
    context.communicator->exchange(mine, gathered.data(), sizeof mine);
    size_t place = 0;
    for (const SavedFile &file : index.files) {
      int64_t blocks = BlockChecksums::count(file.bytes, index.blockBytes);
      size_t rank = &file - index.files.data();
      for (int64_t i = 0; i < checksumsAtOnce && first + i < blocks; ++i)
        indexText.put(place + first + i, gathered[checksumsAtOnce * rank + i]);
      place += blocks;
    }
  }
  phase = Phase::Committing;
  if (context.rank() == 0)
    start(Job::Index);
}

void CheckpointWriter::writeIndex() {
  indexText.seal();
  PathText folder;
  putFolder(folder, directory, step);
  CheckpointFile file(folder.data(), checkpointTemporary);
  file.write(indexText.text.data(),
             static_cast<int64_t>(indexText.text.size()));
  file.finish();
  file.rename(folder.data(), CheckpointIndex::fileName);
  const char *both[] = {folder.data(), directory.c_str()};
  for (const char *changed : both)
    if (!syncDirectory(changed))
      fatal("cannot make changes in '%s' last: %s", changed, strerror(errno));
  if (best == step)
    linkBest(directory, step);
  prune();
}

void CheckpointWriter::prune() {
  PathText folder;
  for (int64_t damaged : refused)
    if (damaged != step) {
      putFolder(folder, directory, damaged);
      removeCheckpoint(folder.data());
    }
  refused.clear();
  std::erase(kept, step);
  kept.push_back(step);
  auto end = kept.size() > checkpointsKept
                 ? kept.end() - static_cast<ptrdiff_t>(checkpointsKept)
                 : kept.begin();
  auto left = std::remove_if(kept.begin(), end, [&](int64_t old) {
    if (old == best)
      return false;
    putFolder(folder, directory, old);
    removeCheckpoint(folder.data());
    return true;
  });
  kept.erase(left, end);
}

void CheckpointWriter::finish() {
  if (phase == Phase::None)
    return;
  waitForJob();
  if (phase == Phase::Writing) {
    context.communicator->barrier();
    commit();
    waitForJob();
  }
  context.communicator->barrier();
  phase = Phase::None;
}

} // namespace tessera::runtime
