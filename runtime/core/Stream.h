//===- Stream.h - Copies past the caches ----------------------- -*- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_STREAM_H
#define TESSERA_RUNTIME_CORE_STREAM_H

#include <cstdint>

namespace tessera::runtime {

/// Copies \p bytes with stores that do not read the destination's old content
/// into the caches, which saves a third of the traffic where it would not stay
/// there anyway. Other cores may see the bytes later than stores that follow,
/// until streamFence.
void streamCopy(char *destination, const char *source, int64_t bytes);

/// What this thread has streamed is seen before what it stores from here on.
void streamFence();

/// From this number of bytes on it pays, unless they are read at once: a core's
/// own caches hold no more.
constexpr int64_t streamedBytes = 1 << 20;

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_STREAM_H
