//===- Emulator.h - Runs grids of threads on a CPU --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The device's functions, compiled for this CPU (Emulation.h), run block
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
struct tessera_emulated_thread {
  int64_t block, thread;
  /// The block's shared memory, 48 KiB, filled with NaN when the block begins.
  char *shared;
};

/// Waits for all threads of the block.
void tessera_emulated_barrier(tessera_emulated_thread *thread);
/// Gives \p bits to the warp and returns what lane \p lane gave.
int64_t tessera_emulated_shuffle(tessera_emulated_thread *thread, int64_t bits,
                                 int32_t lane);

/// A warp's tensor cores: adds A B to C, m16n8k16, from and to the fragments of
/// this lane: \p a, eight numbers of 16 bits (\p isBFloat says which ones),
/// \p b, four, and \p c, four of fp32.
void tessera_emulated_mma(tessera_emulated_thread *thread, const uint16_t *a,
                          const uint16_t *b, float *c, int32_t isBFloat);
/// ldmatrix.x4: loads four matrices of 8 x 8 numbers of 16 bits, of which this
/// lane gets two each. \p row is where row lane % 8 of matrix lane / 8 begins.
void tessera_emulated_ldmatrix(tessera_emulated_thread *thread,
                               const uint16_t *row, int32_t transpose,
                               uint16_t *result);

/// One thread of a kernel; \p args are its parameters' values, addresses.
typedef void (*tessera_emulated_kernel)(char *const *args,
                                        tessera_emulated_thread *thread);

/// Runs \p blocks blocks of \p threads threads. The library that
/// emulate-kernels writes has this function beside its kernels.
void tessera_emulate(tessera_emulated_kernel kernel, char *const *args,
                     int64_t blocks, int64_t threads);
}

namespace tessera::test {

using EmulatedKernel = tessera_emulated_kernel;

/// In which order threads take turns. A kernel whose result depends on it has a
/// race.
enum class ThreadOrder { Ascending, Descending };

/// Runs \p blocks blocks of \p threads threads.
void emulate(EmulatedKernel kernel, char *const *args, int64_t blocks,
             int64_t threads, ThreadOrder order = ThreadOrder::Ascending);

} // namespace tessera::test

#endif // TESSERA_TEST_CODEGEN_CUDA_EMULATOR_H
