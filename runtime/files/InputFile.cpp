//===- InputFile.cpp - Regular files that are read ------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/InputFile.h"
#include "runtime/files/Checksum.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace tessera::runtime {

int openRegular(const std::string &path, const char *what, struct stat &status,
                std::string &error) {
  // Else the open of a FIFO would wait for a writer.
  int descriptor =
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  std::string name = what + ("'" + path + "'");
  if (descriptor < 0 || fstat(descriptor, &status) != 0) {
    error = "cannot open " + name + ": " + strerror(errno);
    if (descriptor >= 0)
      close(descriptor);
    return -1;
  }
  if (S_ISREG(status.st_mode))
    return descriptor;
  close(descriptor);
  error = name + " is not a file but ";
  if (S_ISDIR(status.st_mode))
    error += "a folder: give a file in it";
  else if (S_ISFIFO(status.st_mode))
    error += "a FIFO, which can be read once only: write what comes out of it "
             "to a file and give that";
  else if (S_ISSOCK(status.st_mode))
    error += "a socket: give a file";
  else
    error += "a device: copy what it holds to a file and give that";
  return -1;
}

std::unique_ptr<InputFile>
InputFile::open(const std::string &path, const char *what, std::string &error) {
  struct stat status;
  int descriptor = openRegular(path, what, status, error);
  return descriptor < 0 ? nullptr : adopt(descriptor, path, what, error);
}

std::unique_ptr<InputFile> InputFile::adopt(int descriptor,
                                            const std::string &path,
                                            const char *what,
                                            std::string &error) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) {
    error = "cannot look at " + (what + ("'" + path + "'")) + ": " +
            strerror(errno);
    close(descriptor);
    return nullptr;
  }
  std::unique_ptr<InputFile> file(new InputFile);
  file->filePath = path;
  file->what = what;
  file->descriptor = descriptor;
  file->length = status.st_size;
  file->changed =
      status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  return file;
}

InputFile::~InputFile() { close(descriptor); }

bool InputFile::read(int64_t offset, void *destination, int64_t bytes,
                     std::string &error) const {
  auto *next = static_cast<char *>(destination);
  while (bytes > 0) {
    ssize_t count = pread(descriptor, next, bytes, offset);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0) {
      error = "cannot read " + named() + ": " + strerror(errno);
      return false;
    }
    if (count == 0) {
      error = named() + " has been cut short to " + std::to_string(offset) +
              " bytes or less since it was opened, " + "when it had " +
              std::to_string(length);
      return false;
    }
    next += count;
    offset += count;
    bytes -= count;
  }
  return true;
}

bool InputFile::readAll(std::string &text, std::string &error) const {
  text.resize(length);
  return read(0, text.data(), length, error);
}

bool InputFile::sampledChecksum(uint32_t &sum, std::string &error) const {
  static constexpr int64_t blockBytes = 4096, most = 256;
  char block[blockBytes];
  int64_t blocks = (length + blockBytes - 1) / blockBytes;
  int64_t count = std::min(blocks, most);
  sum = checksum(&length, sizeof length);
  for (int64_t i = 0; i < count; ++i) {
    int64_t at = count > 1 ? i * (blocks - 1) / (count - 1) * blockBytes : 0;
    int64_t bytes = std::min(blockBytes, length - at);
    if (!read(at, block, bytes, error))
      return false;
    sum = checksum(block, bytes, sum);
  }
  return true;
}

} // namespace tessera::runtime
