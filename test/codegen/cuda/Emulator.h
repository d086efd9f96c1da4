//===- Emulator.h - Runs grids of threads on a processor --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The device's functions, compiled for this processor (Emulation.h), run block
// by block. Each thread of a block is a fiber: it runs until it waits at a
// barrier or to exchange a register within its warp, and goes on when all
// threads that must be there are. Threads that do not all come end the process
// with a message, as they would hang a GPU.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_CODEGEN_CUDA_EMULATOR_H
#define TESSERA_TEST_CODEGEN_CUDA_EMULATOR_H

#include <cstdint>

extern "C" {

/// What a function knows of the thread that it is.
struct tsr_emulated_thread {
  int64_t block, thread;
  /// The block's shared memory, 48 KiB, filled with NaN when the block begins.
  char *shared;
};

/// Waits for all threads of the block.
void tsr_emulated_barrier(tsr_emulated_thread *thread);
/// Gives \p bits to the warp and returns what lane \p lane gave.
int64_t tsr_emulated_shuffle(tsr_emulated_thread *thread, int64_t bits,
                             int32_t lane);
}

namespace tessera::test {

/// One thread of a kernel; \p args are its parameters' values, addresses.
using EmulatedKernel = void (*)(char *const *args, tsr_emulated_thread *thread);

/// In which order threads take turns. A kernel whose result depends on it has a
/// race.
enum class ThreadOrder { ascending, descending };

/// Runs \p blocks blocks of \p threads threads.
void emulate(EmulatedKernel kernel, char *const *args, int64_t blocks,
             int64_t threads, ThreadOrder order = ThreadOrder::ascending);

} // namespace tessera::test

#endif // TESSERA_TEST_CODEGEN_CUDA_EMULATOR_H
