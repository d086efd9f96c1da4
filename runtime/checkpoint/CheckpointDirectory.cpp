//===- CheckpointDirectory.cpp - A run's checkpoints on the disk ----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/CheckpointDirectory.h"
#include "runtime/checkpoint/CheckpointIndex.h"
#include "runtime/core/Error.h"
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

namespace tessera::runtime {

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

namespace {

/// A checkpoint's folder, opened by its own name and not through a link.
/// Allocates nothing.
class Folder {
public:
  explicit Folder(const char *path)
      : descriptor(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)),
        error(descriptor < 0 ? errno : 0) {}
  ~Folder() {
    if (descriptor >= 0)
      close(descriptor);
  }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;

  bool isOpen() const { return descriptor >= 0; }
  /// The number of the error for which it is not open.
  int openError() const { return error; }
  bool hasFile(const char *name) const {
    struct stat status;
    return isOpen() &&
           fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(status.st_mode);
  }
  /// A run that is killed between making a folder and marking it leaves this.
  bool isEmpty() const;
  /// Whether \p name is gone then; a link goes, what it names stays.
  bool remove(const char *name) const {
    return unlinkat(descriptor, name, 0) == 0 || errno == ENOENT;
  }
  /// Writes the mark that says that the folder is ours.
  bool mark() const {
    int file = openat(descriptor, checkpointMark,
                      O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    return file >= 0 && close(file) == 0;
  }
  /// Removes all files of our names but the mark. False with errno set where
  /// it cannot.
  bool removeOurs() const;

private:
  int descriptor, error;
};

} // namespace

/// Whether a run writes files of that name beside the index and the mark.
static bool isPart(const char *name) {
  if (!strcmp(name, checkpointTemporary))
    return true;
  static constexpr char pattern[] = "rank-#####.safetensors";
  size_t i = 0;
  for (; pattern[i] && name[i]; ++i)
    if (pattern[i] == '#' ? name[i] < '0' || name[i] > '9'
                          : name[i] != pattern[i])
      return false;
  return !pattern[i] && !name[i];
}

namespace {

/// The entries of an opened folder but "." and "..". By the system call itself,
/// as opendir allocates.
class Entries {
public:
  explicit Entries(int descriptor)
      : descriptor(descriptor), failed(lseek(descriptor, 0, SEEK_SET) != 0) {}

  /// The next one's name; null at the end or, with errno set, on an error.
  const char *next() {
    for (;;) {
      if (at == end && !read())
        return nullptr;
      auto *entry = reinterpret_cast<Entry *>(buffer + at);
      at += entry->length;
      if (strcmp(entry->name, ".") && strcmp(entry->name, ".."))
        return entry->name;
    }
  }
  bool hasFailed() const { return failed; }

private:
  struct Entry {
    uint64_t inode;
    int64_t next;
    uint16_t length;
    uint8_t type;
    char name[];
  };

  bool read() {
    if (failed)
      return false;
    long bytes = syscall(SYS_getdents64, descriptor, buffer, sizeof buffer);
    failed = bytes < 0;
    at = 0;
    end = failed ? 0 : bytes;
    return bytes > 0;
  }

  int descriptor;
  bool failed;
  long at = 0, end = 0;
  alignas(8) char buffer[4096];
};

} // namespace

bool Folder::isEmpty() const {
  Entries entries(descriptor);
  return isOpen() && !entries.next() && !entries.hasFailed();
}

bool Folder::removeOurs() const {
  // It stops to count first.
  if (!remove(CheckpointIndex::fileName))
    return false;
  Entries entries(descriptor);
  while (const char *name = entries.next())
    if (isPart(name) && !remove(name))
      return false;
  return !entries.hasFailed();
}

static bool isComplete(const std::string &folder) {
  return Folder(folder.c_str()).hasFile(CheckpointIndex::fileName);
}

/// Whether a run has made the folder, or may have: a complete one counts
/// without the mark, which runs did not always write.
static bool isOurs(const std::string &path) {
  Folder folder(path.c_str());
  return folder.hasFile(checkpointMark) ||
         folder.hasFile(CheckpointIndex::fileName);
}

/// The steps of all that has the name of a checkpoint's folder.
static std::vector<int64_t> listFolders(const std::string &directory) {
  std::vector<int64_t> steps;
  DIR *stream = opendir(directory.c_str());
  if (!stream)
    return steps;
  while (dirent *entry = readdir(stream)) {
    long long step;
    int length = 0;
    if (sscanf(entry->d_name, "step-%12lld%n", &step, &length) == 1 &&
        entry->d_name[length] == 0 && step >= 0 &&
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

void linkBest(const std::string &directory, int64_t step) {
  PathText link, temporary, target;
  snprintf(link.data(), link.size(), "%s/%s", directory.c_str(), bestName);
  snprintf(temporary.data(), temporary.size(), "%s/%s.tmp", directory.c_str(),
           bestName);
  snprintf(target.data(), target.size(), "step-%012" PRId64, step);
  unlink(temporary.data());
  if (symlink(target.data(), temporary.data()) == 0 &&
      rename(temporary.data(), link.data()) == 0)
    return;
  int reason = errno;
  unlink(temporary.data());
  warning("cannot make the link '%s' to '%s': %s", link.data(), target.data(),
          strerror(reason));
}

void removeCheckpoint(const char *path) {
  errno = 0;
  Folder folder(path);
  if (!folder.isOpen() && folder.openError() == ENOENT)
    return;
  errno = folder.openError();
  bool removed = folder.isOpen();
  // One without the mark gets it, since it soon lacks its index, too.
  if (removed && !folder.hasFile(checkpointMark))
    removed = folder.hasFile(CheckpointIndex::fileName) && folder.mark();
  removed = removed && folder.removeOurs();
  // What is left is not ours: then the mark stays, so that the folder does.
  if (removed && folder.remove(checkpointMark) && rmdir(path) != 0 &&
      errno != ENOENT) {
    removed = false;
    int reason = errno;
    folder.mark();
    errno = reason;
  }
  if (!removed)
    warning("cannot remove the checkpoint '%s': %s", path,
            errno == ENOTEMPTY ? "it has files that no run has written"
                               : strerror(errno));
}

void makeCheckpointFolder(const char *path) {
  // One that was refused, and what an earlier process left of one.
  removeCheckpoint(path);
  bool found = mkdir(path, 0777) != 0;
  if (found && errno != EEXIST)
    fatal("cannot make '%s': %s", path, strerror(errno));
  Folder folder(path);
  if (!folder.isOpen())
    fatal("cannot make '%s': %s", path, strerror(folder.openError()));
  // removeCheckpoint leaves the mark where it cannot remove the folder.
  if (found && !folder.hasFile(checkpointMark) && !folder.isEmpty())
    fatal("cannot make '%s': it is there, and no run has made it", path);
  if (!folder.mark())
    fatal("cannot write '%s/%s': %s", path, checkpointMark, strerror(errno));
}

void requireFreeNames(const std::string &directory, int64_t begin,
                      int64_t end) {
  for (int64_t step : listFolders(directory)) {
    std::string folder = folderOf(directory, step);
    if (isOurs(folder) || Folder(folder.c_str()).isEmpty())
      continue;
    if (step > begin && step <= end)
      fatal("'%s' is in the way of this run's checkpoint of step %" PRId64
            ", and no run has made it: move it away, or give another "
            "--checkpoint-dir",
            folder.c_str(), step);
    warning("'%s' is no checkpoint and none that a run began: it is left as it "
            "is",
            folder.c_str());
  }
}

/// Locks \p directory for this process until it exits: the first rank for
/// itself, which no process of another run lets it, then all together. Systems
/// of files without locks are taken as they are.
static void lockDirectory(const tessera_context &context,
                          const std::string &directory) {
  static constexpr int attempts = 100, pause = 100'000;
  std::string path = directory + "/lock";
  bool root = context.rank() == 0;
  int descriptor = -1;
  auto take = [&] {
    descriptor =
        open(path.c_str(),
             O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
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

void openCheckpointDirectory(const tessera_context &context,
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
      if (std::string folder = folderOf(directory, step);
          isOurs(folder) && !isComplete(folder))
        removeCheckpoint(folder.c_str());
    std::vector<int64_t> steps = listCheckpoints(directory);
    if (!resume && !steps.empty())
      fatal("'%s' has checkpoints of another run, up to step %" PRId64
            ": --resume goes on from there; for a new run give another "
            "--checkpoint-dir or remove them",
            directory.c_str(), steps[0]);
  }
  context.communicator->barrier();
}

} // namespace tessera::runtime
