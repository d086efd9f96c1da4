//===- Launch.cpp - Kernels, fills and copies on the CPU ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/abi.h"
#include "runtime/core/Threads.h"
#include "runtime/program/StepRecorder.h"
#include <cstring>

namespace {
struct Launch {
  tessera_kernel kernel;
  char *const *args;
  char *scratch;
  int64_t scratchStride;
};
} // namespace

void tessera_launch(tessera_context *, tessera_kernel kernel, char *const *args,
                    int64_t count, char *scratch, int64_t scratchStride) {
  tessera::runtime::RecordedCall recorded;
  Launch launch{kernel, args, scratch, scratchStride};
  tessera::runtime::parallelFor(
      count, 1,
      [](void *data, int64_t begin, int64_t end, int thread) {
        auto *launch = static_cast<Launch *>(data);
        launch->kernel(launch->args, begin, end,
                       launch->scratch + thread * launch->scratchStride);
      },
      &launch);
}

void tessera_zero(tessera_context *, char *address, int64_t bytes) {
  tessera::runtime::RecordedCall recorded;
  tessera::runtime::parallelFor(bytes, 1 << 16,
                                [&](int64_t begin, int64_t end) {
                                  memset(address + begin, 0, end - begin);
                                });
}

void tessera_copy(tessera_context *, char *destination, const char *source,
                  int64_t bytes) {
  tessera::runtime::RecordedCall recorded;
  tessera::runtime::parallelFor(
      bytes, 1 << 16, [&](int64_t begin, int64_t end) {
        memcpy(destination + begin, source + begin, end - begin);
      });
}
