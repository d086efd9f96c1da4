//===- Offload.h - States that lie in a file ------------------ -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PROGRAM_OFFLOAD_H
#define TESSERA_RUNTIME_PROGRAM_OFFLOAD_H

#include <cstdint>
#include <string>

namespace tessera::runtime {

/// A rank's states that the plan puts into a file: one without a name, mapped
/// behind the arena. The plan says when a range of it is needed (`fetch`)
/// and when not for a while (`evict`), so that the process holds a group's
/// states in memory, not all.
class OffloadFile {
public:
  /// Makes a file of \p bytes zeros in \p directory. Exits the process where
  /// the disk has no room for it.
  OffloadFile(const std::string &directory, int64_t bytes);
  ~OffloadFile();
  OffloadFile(const OffloadFile &) = delete;
  OffloadFile &operator=(const OffloadFile &) = delete;

  int descriptor() const { return file; }
  int64_t size() const { return bytes; }
  const std::string &directory() const { return where; }

  /// Maps the file at \p address, over room that was reserved for it.
  void map(char *address);

  /// Starts reading \p length bytes at \p address, once what was evicted last
  /// is on the disk and out of memory.
  void fetch(char *address, int64_t length);
  /// Starts writing them and takes them out of this process's memory.
  void evict(char *address, int64_t length);

private:
  void finishEviction();

  std::string where;
  int file = -1;
  int64_t bytes;
  char *base = nullptr;
  int64_t evictedOffset = 0, evictedLength = 0;
};

/// Maps all \p bytes of \p file at \p address, over what is mapped there.
char *mapFile(int file, char *address, int64_t bytes);

/// Where files of --offload-dir lie when it is not given: TMPDIR, or /tmp.
std::string defaultOffloadDirectory();

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_PROGRAM_OFFLOAD_H
