//===- AllocationInterposer.cpp - Counts what a process allocates ---------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A library for LD_PRELOAD: wraps the allocator and mmap and counts the calls.
// The runtime reads the count where TESSERA_COUNT_ALLOCATIONS=1 asks it to.
//
//===----------------------------------------------------------------------===//

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <sys/syscall.h>
#include <unistd.h>

// glibc's own entries, which need no look-up (that would allocate).
extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
}

static std::atomic<int64_t> calls{0};

extern "C" {

int64_t tessera_interposed_allocations() { return calls.load(); }

void *malloc(size_t bytes) {
  ++calls;
  return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
  ++calls;
  return __libc_calloc(count, bytes);
}

void *realloc(void *address, size_t bytes) {
  ++calls;
  return __libc_realloc(address, bytes);
}

void *memalign(size_t alignment, size_t bytes) {
  ++calls;
  return __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  ++calls;
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **address, size_t alignment, size_t bytes) {
  ++calls;
  *address = __libc_memalign(alignment, bytes);
  return *address ? 0 : ENOMEM;
}

void *mmap(void *address, size_t bytes, int protection, int flags,
           int descriptor, off_t offset) {
  ++calls;
  return reinterpret_cast<void *>(
      syscall(SYS_mmap, address, bytes, protection, flags, descriptor, offset));
}
}
