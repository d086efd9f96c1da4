//===- NcclLibrary.cpp - The functions of NCCL ----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/NcclLibrary.h"

namespace tessera::runtime::nccl {

/// The library's, which are found once.
static const char *(*errorString)(int) = nullptr;
static const char *(*lastError)(Comm) = nullptr;

static const char *describe(int number) {
  static std::string text;
  const char *detail = lastError(nullptr);
  text = errorString(number);
  if (detail && *detail)
    text += std::string(": ") + detail;
  return text.c_str();
}

Api::Api()
    : library("libnccl.so.2",
              "install NCCL (pip install nvidia-nccl-cu13), or start all ranks "
              "on one node with TESSERA_COMM=staged, which is slow") {
  errorString = reinterpret_cast<const char *(*)(int)>(
      library.find("ncclGetErrorString"));
  lastError =
      reinterpret_cast<const char *(*)(Comm)>(library.find("ncclGetLastError"));
  library.describeError = describe;
}

const Api &api() {
  static const Api opened;
  return opened;
}

} // namespace tessera::runtime::nccl
