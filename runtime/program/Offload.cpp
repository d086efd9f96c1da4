//===- Offload.cpp - States that lie in a file ----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/Offload.h"
#include "runtime/core/Environment.h"
#include "runtime/core/Error.h"
#include "runtime/files/Mapping.h"
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tessera::runtime {

std::string defaultOffloadDirectory() {
  const char *directory = environmentText("TMPDIR");
  return directory ? directory : "/tmp";
}

/// A file that is gone when the process is, however it exits.
static int openUnnamed(const std::string &directory) {
  int file = open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
    return file;
  std::string name = directory + "/tessera-offload-XXXXXX";
  file = mkostemp(name.data(), O_CLOEXEC);
  if (file >= 0)
    unlink(name.c_str());
  return file;
}

OffloadFile::OffloadFile(const std::string &directory, int64_t bytes)
    : where(directory), bytes(bytes) {
  file = openUnnamed(directory);
  if (file < 0)
    fatal("cannot make a file for the optimizer's states in '%s' (%s): "
          "--offload-dir DIR names another directory",
          directory.c_str(), strerror(errno));
  // Else a full disk would end the process by a signal.
  if (int reason = posix_fallocate(file, 0, bytes))
    fatal("cannot keep %.3f GB for the optimizer's states in '%s' (%s): "
          "--offload-dir DIR names another directory",
          double(bytes) * 1e-9, directory.c_str(), strerror(reason));
}

char *mapFile(int file, char *address, int64_t bytes) {
  if (mmap(address, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
           0) == MAP_FAILED)
    fatal("cannot map the %.3f GB of the optimizer's states (%s)",
          double(bytes) * 1e-9, strerror(errno));
  registerMapping(address, bytes, "the file of the optimizer's states");
  return address;
}

OffloadFile::~OffloadFile() { close(file); }

void OffloadFile::finishEviction() {
  if (!evictedLength)
    return;
  sync_file_range(file, evictedOffset, evictedLength,
                  SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                      SYNC_FILE_RANGE_WAIT_AFTER);
  posix_fadvise(file, evictedOffset, evictedLength, POSIX_FADV_DONTNEED);
  evictedLength = 0;
}

void OffloadFile::map(char *address) { base = mapFile(file, address, bytes); }

void OffloadFile::fetch(char *address, int64_t length) {
  finishEviction();
  madvise(address, length, MADV_WILLNEED);
}

void OffloadFile::evict(char *address, int64_t length) {
  finishEviction();
  int64_t offset = address - base;
  madvise(address, length, MADV_DONTNEED);
  sync_file_range(file, offset, length, SYNC_FILE_RANGE_WRITE);
  evictedOffset = offset;
  evictedLength = length;
}

} // namespace tessera::runtime
