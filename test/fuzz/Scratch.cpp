//===- Scratch.cpp - Files of fuzz targets --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/Scratch.h"
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>

namespace tessera::fuzz {
namespace {

class Folder {
public:
  Folder() {
    const char *parent = getenv("TMPDIR");
    path = std::string(parent && *parent ? parent : "/tmp") +
           "/tessera-fuzz-XXXXXX";
    if (!mkdtemp(path.data())) {
      perror(path.c_str());
      abort();
    }
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

} // namespace

std::string scratchPath(const std::string &name) {
  static const Folder folder;
  return folder.path + "/" + name;
}

void writeFile(const std::string &path, std::string_view content) {
  // Not cut and written over: a file that is mapped must not shrink.
  unlink(path.c_str());
  FILE *stream = fopen(path.c_str(), "wx");
  if (!stream ||
      fwrite(content.data(), 1, content.size(), stream) != content.size()) {
    perror(path.c_str());
    abort();
  }
  fclose(stream);
}

} // namespace tessera::fuzz
