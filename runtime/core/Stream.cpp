//===- Stream.cpp - Copies past the caches --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Stream.h"
#include <algorithm>
#include <cstring>

namespace tessera::runtime {

/// A line of the caches.
using Line = float __attribute__((vector_size(64)));

__attribute__((target_clones("arch=x86-64-v4", "avx2", "default"))) static void
copyLines(char *destination, const char *source, int64_t lines) {
  for (int64_t i = 0; i < lines; ++i) {
    Line line;
    memcpy(&line, source + i * sizeof line, sizeof line);
    __builtin_nontemporal_store(
        line, reinterpret_cast<Line *>(destination + i * sizeof line));
  }
}

void streamCopy(char *destination, const char *source, int64_t bytes) {
  constexpr int64_t line = sizeof(Line);
  int64_t misaligned = reinterpret_cast<uintptr_t>(destination) % line;
  int64_t head = std::min(bytes, misaligned ? line - misaligned : 0);
  memcpy(destination, source, head);
  int64_t lines = (bytes - head) / line, done = head + lines * line;
  copyLines(destination + head, source + head, lines);
  memcpy(destination + done, source + done, bytes - done);
}

void streamFence() { __builtin_ia32_sfence(); }

} // namespace tessera::runtime
