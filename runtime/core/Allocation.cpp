//===- Allocation.cpp - No allocation within a step -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// oneDNN builds small maps with operator new each time a primitive runs. This
// replaces the global operators by free lists of fixed sizes: after the first
// use of a block, taking and giving it back touches no system allocator. Large
// blocks, and those after a list's share of the pool is used up, are malloc's.
//
// Where there is no memory the process exits with an error instead of an
// exception, which could not pass emitted code; the forms that may fail return
// null.
//
// A sanitizer has operators of its own, which find wrong uses of a block, and
// which these would be defined beside.
//
//===----------------------------------------------------------------------===//

/// Referred to by main, so that the linker takes this file.
extern "C" const char tessera_small_blocks = 0;

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
#include "runtime/core/Error.h"
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <unistd.h>

namespace {

constexpr size_t smallest = 16;
constexpr int classes = 9; // 16 bytes to 4 KiB
constexpr size_t classBytes = size_t(1) << 20;

struct Block {
  Block *next;
};

struct FreeList {
  std::atomic_flag lock = ATOMIC_FLAG_INIT;
  Block *head = nullptr;
  size_t used = 0; // bytes of the class's share handed out at least once
};

FreeList lists[classes];
alignas(4096) char pool[classes][classBytes];

class Guard {
public:
  explicit Guard(FreeList &list) : list(list) {
    while (list.lock.test_and_set(std::memory_order_acquire))
      __builtin_ia32_pause();
  }
  ~Guard() { list.lock.clear(std::memory_order_release); }

private:
  FreeList &list;
};

void *take(size_t bytes) {
  size_t rounded = std::bit_ceil(bytes < smallest ? smallest : bytes);
  int index = std::countr_zero(rounded) - std::countr_zero(smallest);
  if (index < classes) {
    FreeList &list = lists[index];
    Guard guard(list);
    if (Block *block = list.head) {
      list.head = block->next;
      return block;
    }
    if (list.used + rounded <= classBytes) {
      void *block = pool[index] + list.used;
      list.used += rounded;
      return block;
    }
  }
  return malloc(bytes ? bytes : 1);
}

void give(void *address) {
  uintptr_t offset = reinterpret_cast<uintptr_t>(address) -
                     reinterpret_cast<uintptr_t>(&pool[0][0]);
  if (offset >= classes * classBytes)
    return free(address);
  FreeList &list = lists[offset / classBytes];
  Block *block = static_cast<Block *>(address);
  Guard guard(list);
  block->next = list.head;
  list.head = block;
}

void *takeAligned(size_t bytes, std::align_val_t alignment) {
  auto multiple = static_cast<size_t>(alignment);
  if (bytes > SIZE_MAX - multiple)
    return nullptr;
  size_t whole = (bytes + multiple - 1) / multiple * multiple;
  return aligned_alloc(multiple, whole ? whole : multiple);
}

/// \p block, or the exit of the process where there is none.
void *require(void *block, size_t bytes) {
  if (block)
    return block;
  // What ends a process might want memory in turn.
  static thread_local bool failed = false;
  if (failed)
    _exit(1);
  failed = true;
  tessera::runtime::fatal(
      "cannot get %zu bytes of memory: free some, or raise the "
      "limit that the shell (ulimit -v) or the container sets",
      bytes);
}

} // namespace

// All other forms of the library end in these.
void *operator new(size_t bytes) { return require(take(bytes), bytes); }

void *operator new(size_t bytes, std::align_val_t alignment) {
  return require(takeAligned(bytes, alignment), bytes);
}

void *operator new(size_t bytes, const std::nothrow_t &) noexcept {
  return take(bytes);
}

void *operator new[](size_t bytes, const std::nothrow_t &) noexcept {
  return take(bytes);
}

void *operator new(size_t bytes, std::align_val_t alignment,
                   const std::nothrow_t &) noexcept {
  return takeAligned(bytes, alignment);
}

void *operator new[](size_t bytes, std::align_val_t alignment,
                     const std::nothrow_t &) noexcept {
  return takeAligned(bytes, alignment);
}

void operator delete(void *address) noexcept {
  if (address)
    give(address);
}

void operator delete(void *address, size_t) noexcept {
  if (address)
    give(address);
}

void operator delete(void *address, std::align_val_t) noexcept {
  free(address);
}

#endif
