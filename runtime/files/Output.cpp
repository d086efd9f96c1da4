//===- Output.cpp - Files that a command writes ---------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/Output.h"
#include "runtime/core/Text.h"
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utility>

namespace tessera::runtime {

bool writeAll(int descriptor, const void *data, int64_t bytes) {
  const char *next = static_cast<const char *>(data);
  while (bytes > 0) {
    ssize_t count = ::write(descriptor, next, bytes);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0 && errno == EAGAIN) {
      pollfd wait = {descriptor, POLLOUT, 0};
      poll(&wait, 1, -1);
      continue;
    }
    if (count < 0)
      return false;
    next += count;
    bytes -= count;
  }
  return true;
}

std::string directoryOf(const std::string &path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos)
    return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool syncDirectory(const std::string &directory) {
  int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    return false;
  bool synced = fsync(descriptor) == 0;
  int reason = errno;
  close(descriptor);
  errno = reason;
  return synced;
}

//===----------------------------------------------------------------------===//
// What goes when the process exits before its time
//===----------------------------------------------------------------------===//

/// As many as a folder of weights may have files, and some.
static std::array<std::atomic<const char *>, 1024 + 8> unfinished;

void registerUnfinished(const char *path) {
  for (std::atomic<const char *> &place : unfinished) {
    const char *free = nullptr;
    if (place.compare_exchange_strong(free, path))
      return;
  }
}

void keepOutput(const char *path) {
  for (std::atomic<const char *> &place : unfinished) {
    const char *kept = path;
    if (place.compare_exchange_strong(kept, nullptr))
      return;
  }
}

void removeUnfinishedOutputs() {
  // Files first, as folders go once they are empty.
  for (auto *remove : {&unlink, &rmdir})
    for (std::atomic<const char *> &place : unfinished) {
      const char *path = place.load();
      if (path && (remove(path) == 0 || remove == &rmdir))
        place.compare_exchange_strong(path, nullptr);
    }
}

//===----------------------------------------------------------------------===//
// Finding the target
//===----------------------------------------------------------------------===//

std::optional<std::string> followLinks(std::string path) {
  static constexpr int most = 40; // as Linux has it
  for (int i = 0; i < most; ++i) {
    char text[PATH_MAX];
    ssize_t length = readlink(path.c_str(), text, sizeof text);
    if (length < 0)
      return path;
    std::string next(text, length);
    path = next.starts_with("/") ? next : directoryOf(path) + "/" + next;
  }
  return std::nullopt;
}

bool OutputFile::refuse(const std::string &text) {
  reason = "cannot write '" + path + "': " + text;
  return false;
}

/// Whether the target, a file that is there, can get another in its place. Else
/// the right to write in its folder would be enough until the last moment.
bool OutputFile::requireReplaceable() {
  if (faccessat(AT_FDCWD, target.c_str(), W_OK, AT_EACCESS) != 0)
    return refuse(strerror(errno));
  struct statx file;
  if (statx(AT_FDCWD, target.c_str(), 0, STATX_UID, &file) != 0)
    return refuse(strerror(errno));
  if (file.stx_attributes & STATX_ATTR_MOUNT_ROOT)
    return refuse("something is mounted there, so that it cannot be replaced: "
                  "mount its folder, or name another file");
  struct stat folder;
  if (stat(directoryOf(target).c_str(), &folder) == 0 &&
      (folder.st_mode & S_ISVTX) && geteuid() != 0 &&
      geteuid() != file.stx_uid && geteuid() != folder.st_uid)
    return refuse("it is another user's, in a folder where nobody else may "
                  "replace it");
  return true;
}

bool OutputFile::open(std::string name, int64_t bytes) {
  path = std::move(name);
  struct stat status;
  bool there = stat(path.c_str(), &status) == 0;
  if (there && S_ISDIR(status.st_mode))
    return refuse("it is a folder: name a file in it");
  if (there && !S_ISREG(status.st_mode)) {
    descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return descriptor >= 0 || refuse(strerror(errno));
  }
  std::optional<std::string> last = followLinks(path);
  if (!last)
    return refuse("its symbolic links lead nowhere");
  target = *last;
  if (target.empty() || target.ends_with("/"))
    return refuse("it is no name of a file");
  if (there && !requireReplaceable())
    return false;
  if (!openTemporary(bytes))
    return false;
  if (there) {
    // Its owner may be another: best effort, as for a copy of it.
    if (fchown(descriptor, status.st_uid, status.st_gid) != 0)
      errno = 0;
    fchmod(descriptor, status.st_mode & 0777);
  }
  return true;
}

/// How temporary names go on after the target's.
static constexpr const char *mark = ".tessera-", *suffix = ".tmp";

TemporaryName::TemporaryName(const std::string &target) {
  static constexpr size_t longest = NAME_MAX - 40;
  stem = target.substr(target.rfind('/') + 1).substr(0, longest) + mark;
}

std::string TemporaryName::make() const {
  static std::atomic<int> number = 0;
  return stem + std::to_string(getpid()) + "-" + std::to_string(++number) +
         suffix;
}

bool TemporaryName::matches(const std::string &name) const {
  if (!name.starts_with(stem) || !name.ends_with(suffix) ||
      name.size() <= stem.size() + strlen(suffix))
    return false;
  std::string numbers =
      name.substr(stem.size(), name.size() - stem.size() - strlen(suffix));
  return numbers.find_first_not_of("0123456789-") == std::string::npos;
}

void removeFilesIn(int descriptor) {
  DIR *stream = fdopendir(descriptor);
  if (!stream) {
    close(descriptor);
    return;
  }
  while (dirent *entry = readdir(stream)) {
    struct stat status;
    if (fstatat(descriptor, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(status.st_mode))
      unlinkat(descriptor, entry->d_name, 0);
  }
  closedir(stream);
}

void removeLeftOvers(const std::string &directory, const TemporaryName &name,
                     bool folders) {
  DIR *stream = opendir(directory.c_str());
  if (!stream)
    return;
  int folder = dirfd(stream);
  while (dirent *entry = readdir(stream)) {
    if (!name.matches(entry->d_name))
      continue;
    // A file for writing, without which NFS locks nothing.
    int descriptor = openat(folder, entry->d_name,
                            (folders ? O_RDONLY | O_DIRECTORY : O_WRONLY) |
                                O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0)
      continue;
    struct stat status;
    bool isLost = fstat(descriptor, &status) == 0 &&
                  (folders || S_ISREG(status.st_mode)) &&
                  flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    if (isLost && folders)
      removeFilesIn(std::exchange(descriptor, -1));
    if (isLost)
      unlinkat(folder, entry->d_name, folders ? AT_REMOVEDIR : 0);
    if (descriptor >= 0)
      close(descriptor);
  }
  closedir(stream);
}

bool OutputFile::openTemporary(int64_t bytes) {
  std::string directory = directoryOf(target);
  TemporaryName name(target);
  removeLeftOvers(directory, name, /*folders=*/false);
  while (descriptor < 0) {
    temporary = directory + "/" + name.make();
    descriptor =
        ::open(temporary.c_str(),
               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno == EEXIST)
      continue;
    if (descriptor < 0) {
      temporary.clear();
      return refuse(errno == ENOENT ? "there is no folder '" + directory +
                                          "': make it first"
                                    : "cannot make a file in '" + directory +
                                          "': " + strerror(errno));
    }
    // Another process may have come between the two: it has taken the file for
    // lost, holds the lock for a moment, and removes the file. Where the system
    // of files has no locks none is taken away.
    while (flock(descriptor, LOCK_EX) != 0 && errno == EINTR)
      ;
    struct stat status;
    if (fstat(descriptor, &status) == 0 && status.st_nlink == 0)
      close(std::exchange(descriptor, -1));
  }
  registerUnfinished(temporary.c_str());
  return reserve(bytes);
}

bool OutputFile::reserve(int64_t bytes) {
  if (bytes <= 0)
    return true;
  struct statvfs space;
  bool known = fstatvfs(descriptor, &space) == 0;
  double left = double(space.f_bavail) * double(space.f_frsize);
  std::string takes = "it takes " + byteText(double(bytes)) + ", and ";
  auto refuseRoom = [&] {
    return refuse(takes + "'" + directoryOf(target) + "' has " +
                  (known ? byteText(left) : "less") + " left");
  };
  // First, since one that fails takes all that is left for a moment.
  if (known && left < double(bytes))
    return refuseRoom();
  int result;
  while ((result = fallocate(descriptor, 0, 0, bytes)) != 0 && errno == EINTR)
    ;
  if (result == 0)
    return true;
  int failure = errno;
  if (ftruncate(descriptor, 0) != 0 || failure == ENOSPC)
    return refuseRoom();
  if (failure == EFBIG || failure == EDQUOT)
    return refuse(takes + "the limit of this user or shell is lower (" +
                  strerror(failure) + ")");
  // Else the system cannot reserve room.
  return true;
}

OutputFile::~OutputFile() {
  if (descriptor >= 0)
    close(descriptor);
  if (temporary.empty())
    return;
  unlink(temporary.c_str());
  keepOutput(temporary.c_str());
}

bool OutputFile::write(const void *data, int64_t bytes) {
  return writeAll(descriptor, data, bytes) || refuse(strerror(errno));
}

bool OutputFile::allowExecution() {
  struct stat status;
  if (temporary.empty())
    return true;
  if (fstat(descriptor, &status) != 0)
    return refuse(strerror(errno));
  mode_t readers = status.st_mode & (S_IRUSR | S_IRGRP | S_IROTH);
  return fchmod(descriptor, (status.st_mode & 0777) | readers >> 2) == 0 ||
         refuse(strerror(errno));
}

bool OutputFile::commit() {
  // Devices and FIFOs have nothing to flush.
  bool flushed = fsync(descriptor) == 0 || temporary.empty();
  if (!flushed || close(std::exchange(descriptor, -1)) != 0)
    return refuse(strerror(errno));
  if (temporary.empty())
    return true;
  if (rename(temporary.c_str(), target.c_str()) != 0)
    return refuse(strerror(errno));
  keepOutput(temporary.c_str());
  temporary.clear();
  return syncDirectory(directoryOf(target)) || refuse(strerror(errno));
}

//===----------------------------------------------------------------------===//
// Outputs that are inputs
//===----------------------------------------------------------------------===//

const char *findUse(const std::string &path, std::vector<UsedFile> used) {
  struct stat output;
  if (path.empty() || stat(path.c_str(), &output) != 0 ||
      !S_ISREG(output.st_mode))
    return nullptr;
  used.push_back({"this executable", "/proc/self/exe"});
  for (const auto &[what, name] : used) {
    struct stat status;
    if (!name.empty() && stat(name.c_str(), &status) == 0 &&
        status.st_dev == output.st_dev && status.st_ino == output.st_ino)
      return what;
  }
  return nullptr;
}

} // namespace tessera::runtime
