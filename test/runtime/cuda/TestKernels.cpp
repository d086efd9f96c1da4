//===- TestKernels.cpp - Kernels of the runtime's tests -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cuda/Emulator.h"

/// sum[i] = 3 sum[i] + input[i], which depends on the order of inputs.
extern "C" void mix(char *const *args, tessera_emulated_thread *thread) {
  auto *input = reinterpret_cast<const int32_t *>(args[0]);
  auto *sum = reinterpret_cast<int32_t *>(args[1]);
  int64_t i = 4 * thread->block + thread->thread;
  sum[i] = 3 * sum[i] + input[i];
}
