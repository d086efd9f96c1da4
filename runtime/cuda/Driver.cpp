//===- Driver.cpp - The functions of CUDA's driver ------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Driver.h"

namespace tessera::runtime::cuda {

static const char *describeResult(int error) {
  const char *text = nullptr;
  driver().getErrorString.attempt(error, &text);
  return text;
}

Driver::Driver()
    : library("libcuda.so.1",
              "install NVIDIA's driver, or start the container with its GPUs "
              "('--gpus all')") {
  library.describeError = describeResult;
}

const Driver &driver() {
  static const Driver driver;
  return driver;
}

} // namespace tessera::runtime::cuda
