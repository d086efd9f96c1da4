//===- CheckpointDirectory.cpp - A run's checkpoints on the disk ----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/CheckpointDirectory.h"
#include "runtime/CheckpointIndex.h"
#include "runtime/Error.h"
#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <functional>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tessera {

void putFolder(PathText &path, const std::string &directory, int64_t step) {
  int length = snprintf(path.data(), path.size(), "%s/step-%012" PRId64,
                        directory.c_str(), step);
  // Room for the names of the files in it.
  if (length + 64 > static_cast<int>(path.size()))
    fatal("the path of the checkpoint directory '%.64s...' is too long",
          directory.c_str());
}

std::string folderOf(const std::string &directory, int64_t step) {
  PathText path;
  putFolder(path, directory, step);
  return path.data();
}

static bool isComplete(const std::string &folder) {
  return access((folder + "/" + CheckpointIndex::fileName).c_str(), F_OK) == 0;
}

/// The steps of all checkpoints, incomplete ones too.
static std::vector<int64_t> listFolders(const std::string &directory) {
  std::vector<int64_t> steps;
  DIR *stream = opendir(directory.c_str());
  if (!stream)
    return steps;
  while (dirent *entry = readdir(stream)) {
    long long step;
    int length = 0;
    if (sscanf(entry->d_name, "step-%12lld%n", &step, &length) == 1 &&
        entry->d_name[length] == 0 &&
        folderOf("", step) == std::string("/") + entry->d_name)
      steps.push_back(step);
  }
  closedir(stream);
  std::sort(steps.begin(), steps.end(), std::greater<int64_t>());
  return steps;
}

std::vector<int64_t> listCheckpoints(const std::string &directory) {
  std::vector<int64_t> steps = listFolders(directory);
  std::erase_if(steps, [&](int64_t step) {
    return !isComplete(folderOf(directory, step));
  });
  return steps;
}

static bool removeFile(int folder, const char *name) {
  return unlinkat(folder, name, 0) == 0 || errno == ENOENT;
}

void removeCheckpoint(const char *folder) {
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT)
    return;
  bool removed =
      descriptor >= 0 && removeFile(descriptor, CheckpointIndex::fileName);
  // The system call itself, as opendir allocates.
  alignas(8) char entries[4096];
  while (removed) {
    long bytes = syscall(SYS_getdents64, descriptor, entries, sizeof entries);
    removed = bytes >= 0;
    if (bytes <= 0)
      break;
    struct Entry {
      uint64_t inode;
      int64_t next;
      uint16_t length;
      uint8_t type;
      char name[];
    };
    for (long at = 0; at < bytes && removed;) {
      auto *entry = reinterpret_cast<Entry *>(entries + at);
      at += entry->length;
      if (strcmp(entry->name, ".") && strcmp(entry->name, ".."))
        removed = removeFile(descriptor, entry->name);
    }
  }
  removed = removed && (rmdir(folder) == 0 || errno == ENOENT);
  if (!removed)
    warning("cannot remove the checkpoint '%s': %s", folder, strerror(errno));
  if (descriptor >= 0)
    close(descriptor);
}

/// Locks \p directory for this process until it ends: the first rank for
/// itself, which no process of another run lets it, then all together. Systems
/// of files without locks are taken as they are.
static void lockDirectory(const tsr_context &context,
                          const std::string &directory) {
  static constexpr int attempts = 100, pause = 100'000;
  std::string path = directory + "/lock";
  bool root = context.rank() == 0;
  int descriptor = -1;
  auto take = [&] {
    descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0)
      fatal("cannot write in the checkpoint directory '%s': %s",
            directory.c_str(), strerror(errno));
  };
  if (root) {
    take();
    // A run that was killed may take a moment to be gone.
    for (int i = 0; flock(descriptor, LOCK_EX | LOCK_NB) != 0; ++i) {
      if (errno != EWOULDBLOCK)
        break;
      if (i == attempts)
        fatal("another run writes checkpoints to '%s': end it, or give "
              "another --checkpoint-dir",
              directory.c_str());
      usleep(pause);
    }
    flock(descriptor, LOCK_SH);
  }
  context.communicator->barrier();
  if (!root) {
    take();
    flock(descriptor, LOCK_SH | LOCK_NB);
  }
  context.communicator->barrier();
}

void openCheckpointDirectory(const tsr_context &context,
                             const std::string &directory, bool resume) {
  if (context.rank() == 0) {
    if (mkdir(directory.c_str(), 0777) != 0 && errno != EEXIST)
      fatal("cannot make the checkpoint directory '%s': %s", directory.c_str(),
            strerror(errno));
    if (access(directory.c_str(), W_OK | X_OK) != 0)
      fatal("cannot write in the checkpoint directory '%s': %s",
            directory.c_str(), strerror(errno));
  }
  lockDirectory(context, directory);
  if (context.rank() == 0) {
    for (int64_t step : listFolders(directory))
      if (!isComplete(folderOf(directory, step)))
        removeCheckpoint(folderOf(directory, step).c_str());
    std::vector<int64_t> steps = listCheckpoints(directory);
    if (!resume && !steps.empty())
      fatal("'%s' has checkpoints of another run, up to step %" PRId64
            ": --resume goes on from there; for a new run give another "
            "--checkpoint-dir or remove them",
            directory.c_str(), steps[0]);
  }
  context.communicator->barrier();
}

} // namespace tessera
