//===- Output.h - Files that a command writes -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A path holds what it held before or all of the new content, whenever the
// process or the machine stops. So an output is a temporary file beside its
// target, NAME.tessera-PROCESS-NUMBER.tmp, that gets the target's name at the
// end. It is made, with its room, before the work whose result it takes.
//
// What a killed process has left of it goes when the next output of this name
// is opened: a temporary file is locked while its process lives.
//
// Needs nothing of the runtime but Text.h, so the compiler shares it.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_FILES_OUTPUT_H
#define TESSERA_RUNTIME_FILES_OUTPUT_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tessera::runtime {

/// Writes all \p bytes at \p data; false, with errno, where it cannot.
/// Allocates nothing.
bool writeAll(int descriptor, const void *data, int64_t bytes);

/// Makes a rename or removal within \p directory last; false, with errno, where
/// it cannot.
bool syncDirectory(const std::string &directory);
/// "." for a path without a folder.
std::string directoryOf(const std::string &path);
/// \p path with all links at its end followed, also where the last one leads to
/// a file that is not there yet; nothing where they go in circles.
std::optional<std::string> followLinks(std::string path);

/// A file under construction.
class OutputFile {
public:
  OutputFile() = default;
  /// Without commit() nothing is left.
  ~OutputFile();
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;

  /// Opens the output \p path with room for \p bytes, its length; 0 where that
  /// is not known. A regular file is replaced in the end and keeps its mode and
  /// owner; a symbolic link is followed; a device or a FIFO is written to as it
  /// is. Called once; false, as of the next two, where error() says why.
  bool open(std::string path, int64_t bytes);
  bool write(const void *data, int64_t bytes);
  /// Lets those run the content who may read it.
  bool allowExecution();
  /// Gives the content its name, for good.
  bool commit();

  const std::string &error() const { return reason; }

private:
  bool requireReplaceable();
  bool openTemporary(int64_t bytes);
  bool reserve(int64_t bytes);
  bool refuse(const std::string &text);

  std::string path;      ///< as the user wrote it
  std::string target;    ///< with links followed
  std::string temporary; ///< empty: the target itself is written to
  std::string reason;
  int descriptor = -1;
};

/// A file that a command reads, or writes as well.
struct UsedFile {
  const char *what; ///< "the data"
  std::string path;
};

/// Which of \p used, or this executable, the regular file \p path is, under
/// whatever name; null where it is none of them.
const char *findUse(const std::string &path, std::vector<UsedFile> used);

/// What an output is called until it has its name.
class TemporaryName {
public:
  explicit TemporaryName(const std::string &target);
  /// Another one each time, without a folder.
  std::string make() const;
  /// Whether some process may have made \p name for the same target.
  bool matches(const std::string &name) const;

private:
  std::string stem;
};

/// Removes what processes that have ended have left in \p directory of outputs
/// of that \p name: files or, with \p folders, folders with the files in them.
/// What a living process has locked stays.
void removeLeftOvers(const std::string &directory, const TemporaryName &name,
                     bool folders);

/// Removes the regular files in the folder that \p descriptor is open on, and
/// closes it.
void removeFilesIn(int descriptor);

/// Has removeUnfinishedOutputs() remove the file or empty folder \p path, until
/// keepOutput(). \p path must live until then.
void registerUnfinished(const char *path);
void keepOutput(const char *path);

/// Removes the temporary files and folders of this process, where it ends
/// before its time. May be called in a signal's handler.
void removeUnfinishedOutputs();

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_FILES_OUTPUT_H
