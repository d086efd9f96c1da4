//===- OutputFolder.cpp - Folders that a command writes -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/OutputFolder.h"
#include "runtime/files/Output.h"
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <optional>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tessera::runtime {

bool OutputFolder::refuse(const std::string &text) {
  reason = "cannot write '" + path + "': " + text;
  return false;
}

/// Whether \p folder is there and has no entries but "." and "..".
static bool isEmptyFolder(const std::string &folder) {
  DIR *stream = opendir(folder.c_str());
  if (!stream)
    return false;
  bool empty = true;
  while (dirent *entry = readdir(stream))
    empty &= !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
  closedir(stream);
  return empty;
}

/// Opens the folder \p name in \p directory by its own name, not through a
/// link.
static int openFolder(int directory, const char *name) {
  return openat(directory, name,
                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool OutputFolder::open(const std::string &name) {
  path = name;
  std::string bare = path;
  while (bare.size() > 1 && bare.ends_with("/"))
    bare.pop_back();
  std::optional<std::string> last = followLinks(bare);
  if (!last)
    return refuse("its symbolic links lead nowhere");
  target = *last;
  struct stat status;
  bool there = stat(target.c_str(), &status) == 0;
  if (there && !S_ISDIR(status.st_mode))
    return refuse("it is no folder: remove it, or name another one");
  if (there && !isEmptyFolder(target))
    return refuse("the folder has files: name a new or an empty one");
  std::string directory = directoryOf(target);
  if (access(directory.c_str(), W_OK | X_OK) != 0)
    return refuse(errno == ENOENT
                      ? "there is no folder '" + directory + "': make it first"
                      : "cannot make a folder in '" + directory +
                            "': " + strerror(errno));
  TemporaryName names(target);
  removeLeftOvers(directory, names, /*folders=*/true);
  do
    temporary = directory + "/" + names.make();
  while (mkdir(temporary.c_str(), 0777) != 0 && errno == EEXIST);
  descriptor = openFolder(AT_FDCWD, temporary.c_str());
  if (descriptor < 0) {
    int failure = errno;
    temporary.clear();
    return refuse("cannot make a folder in '" + directory +
                  "': " + strerror(failure));
  }
  flock(descriptor, LOCK_EX);
  registerUnfinished(temporary.c_str());
  return true;
}

bool OutputFolder::commit() {
  // Over an empty folder or nothing; what has come there since then stays.
  if (fsync(descriptor) != 0 || rename(temporary.c_str(), target.c_str()) != 0)
    return refuse(errno == ENOTEMPTY || errno == EEXIST
                      ? "the folder has got files in the meantime"
                      : strerror(errno));
  keepOutput(temporary.c_str());
  temporary.clear();
  close(std::exchange(descriptor, -1));
  return syncDirectory(directoryOf(target)) || refuse(strerror(errno));
}

OutputFolder::~OutputFolder() {
  if (!temporary.empty()) {
    if (int folder = openFolder(AT_FDCWD, temporary.c_str()); folder >= 0)
      removeFilesIn(folder);
    rmdir(temporary.c_str());
    keepOutput(temporary.c_str());
  }
  if (descriptor >= 0)
    close(descriptor);
}

} // namespace tessera::runtime
