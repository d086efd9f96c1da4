//===- InputFile.h - Regular files that are read ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_FILES_INPUTFILE_H
#define TESSERA_RUNTIME_FILES_INPUTFILE_H

#include <cstdint>
#include <memory>
#include <string>
#include <sys/stat.h>

namespace tessera::runtime {

/// Opens the regular file \p path for reading, with its \p status. -1 with the
/// reason in \p error where it cannot be opened or is a folder, a FIFO, a
/// socket or a device; \p what ("the data ") stands before its name there.
/// Never waits for a FIFO's writer.
int openRegular(const std::string &path, const char *what, struct stat &status,
                std::string &error);

/// A file read piece by piece, not mapped: what is no longer there is an error
/// of the read, not a signal.
class InputFile {
public:
  /// Null with the reason in \p error, as openRegular.
  static std::unique_ptr<InputFile> open(const std::string &path,
                                         const char *what, std::string &error);
  /// The same of a file that is open already, which messages call \p path. Its
  /// descriptor is closed with the result.
  static std::unique_ptr<InputFile> adopt(int descriptor,
                                          const std::string &path,
                                          const char *what, std::string &error);
  ~InputFile();
  InputFile(const InputFile &) = delete;
  InputFile &operator=(const InputFile &) = delete;

  const std::string &path() const { return filePath; }
  /// Bytes at the time of opening.
  int64_t size() const { return length; }
  /// When its content was changed last, in ns, at the time of opening.
  int64_t modified() const { return changed; }

  /// Reads bytes [offset, offset + bytes). False with the reason, which names
  /// the file, in \p error. Allocates nothing where it succeeds.
  bool read(int64_t offset, void *destination, int64_t bytes,
            std::string &error) const;

  /// Reads all of it into \p text. False as read().
  bool readAll(std::string &text, std::string &error) const;

  /// A checksum of the size and of up to 256 blocks of 4 KiB, spread evenly
  /// from the first to the last. False as read().
  bool sampledChecksum(uint32_t &sum, std::string &error) const;

private:
  InputFile() = default;
  /// What errors call it: "the data 'PATH'".
  std::string named() const { return what + ("'" + filePath + "'"); }

  std::string filePath;
  const char *what = "";
  int descriptor = -1;
  int64_t length = 0, changed = 0;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_FILES_INPUTFILE_H
