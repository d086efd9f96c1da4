//===- FakeKernels.cpp - The kernels of FakeProgram.cpp on a GPU ----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A library as emulate-kernels writes them; each kernel has one thread.
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cuda/Emulator.h"
#include "test/runtime/FakeModel.h"

#define EXPORT(name, count)                                                    \
  extern "C" void fake_##name(char *const *args, tessera_emulated_thread *) {  \
    name##Kernel(args, 0, count, nullptr);                                     \
  }
FAKE_KERNELS(EXPORT)
