//===- FakeCuda.h - What the doubles know of each other ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The fake libcuda.so.1 keeps device memory that the host cannot touch, and
// runs what is issued to a stream when something waits for it, or at once
// with FAKE_CUDA_ORDER=eager. Other doubles issue their work through it.
//
//   FAKE_CUDA_MEMORY=BYTES    of the GPU (default 1 GiB)
//   FAKE_CUDA_DEVICES=N       GPUs (default 1), FAKE_CUDA_CAPABILITY=90
//   FAKE_CUDA_KERNELS=FILE    the library that emulate-kernels has written
//   FAKE_CUDA_LOG=FILE        a JSON object for each call, each operation that
//   is
//                             issued, and each run of it
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_RUNTIME_CUDA_FAKECUDA_H
#define TESSERA_TEST_RUNTIME_CUDA_FAKECUDA_H

#include <cstddef>

struct CUstream_st;

extern "C" {

/// Does an operation, on the fake's own copy of its arguments. Returns 0 where
/// it waits for something outside (a peer) and is to be called again.
typedef int (*fake_cuda_operation)(void *arguments);

/// Issues an operation to \p stream, or to the graph that is captured from it.
/// \p name is for the log. Each run of it, by each launch of a graph, gets a
/// copy of the \p bytes at \p arguments. Returns a CUresult.
int fake_cuda_enqueue(CUstream_st *stream, const char *name,
                      fake_cuda_operation operation, const void *arguments,
                      size_t bytes);

/// The memory behind a device's address; another address as it is. For
/// operations only: it says nothing of what is still to be run.
void *fake_cuda_host(const void *address);
}

#endif // TESSERA_TEST_RUNTIME_CUDA_FAKECUDA_H
