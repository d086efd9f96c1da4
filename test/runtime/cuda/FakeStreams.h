//===- FakeStreams.h - Streams of the double of CUDA's driver ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_RUNTIME_CUDA_FAKESTREAMS_H
#define TESSERA_TEST_RUNTIME_CUDA_FAKESTREAMS_H

#include "runtime/cuda/Api.h"

namespace tessera::fake {

/// Operations run at once, not when something waits for them.
bool isEager();

/// Runs all that was issued.
void drain();

/// The error of a call that may not be made while a stream is captured, which
/// makes the capture invalid; 0 where none is.
int forbidInCapture();

/// Appends a line to the log where there is one: {"call": \p name, "stream": n
/// and what \p format adds}.
void log(const char *name, CUstream_st *stream, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void log(const char *name, CUstream_st *stream);

} // namespace tessera::fake

#endif // TESSERA_TEST_RUNTIME_CUDA_FAKESTREAMS_H
