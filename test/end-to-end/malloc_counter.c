/*===- malloc_counter.c - Counts what a process allocates -----------------===*\
|*
|* Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
|*===----------------------------------------------------------------------===*|
|*
|* Preloaded into an executable, this library counts the calls that allocate
|* memory, on the heap or as mappings. When the process exits it writes the
|* count to the file $MALLOC_COUNTER.PID. Two runs that differ only in their
|* number of steps must count the same if a step allocates nothing. The process
|* may ask for the count itself: the executables log it for each step when
|* TESSERA_COUNT_ALLOCATIONS is 1.
|*
\*===----------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_long count;

int64_t tessera_interposed_allocations(void) { return atomic_load(&count); }

/* dlsym itself calls calloc before it can name the next one. */
static char early[65536];
static atomic_size_t earlyUsed;

static int isEarly(const void *p) {
  return (const char *)p >= early && (const char *)p < early + sizeof early;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void *malloc(size_t size) {
  static void *(*next)(size_t);
  if (!next)
    next = NEXT(malloc);
  atomic_fetch_add(&count, 1);
  return next(size);
}

void *calloc(size_t number, size_t size) {
  static void *(*next)(size_t, size_t);
  static _Thread_local int resolving;
  if (!next) {
    if (resolving) {
      size_t bytes = (number * size + 15) & ~(size_t)15;
      size_t at = atomic_fetch_add(&earlyUsed, bytes);
      return at + bytes <= sizeof early ? early + at : NULL;
    }
    resolving = 1;
    next = NEXT(calloc);
    resolving = 0;
  }
  atomic_fetch_add(&count, 1);
  return next(number, size);
}

void *realloc(void *old, size_t size) {
  static void *(*next)(void *, size_t);
  if (!next)
    next = NEXT(realloc);
  atomic_fetch_add(&count, 1);
  if (!isEarly(old))
    return next(old, size);
  void *fresh = malloc(size);
  size_t known = (size_t)(early + sizeof early - (char *)old);
  if (fresh)
    memcpy(fresh, old, size < known ? size : known);
  return fresh;
}

void free(void *p) {
  static void (*next)(void *);
  if (!next)
    next = NEXT(free);
  if (!isEarly(p))
    next(p);
}

void *aligned_alloc(size_t alignment, size_t size) {
  static void *(*next)(size_t, size_t);
  if (!next)
    next = NEXT(aligned_alloc);
  atomic_fetch_add(&count, 1);
  return next(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size) {
  static int (*next)(void **, size_t, size_t);
  if (!next)
    next = NEXT(posix_memalign);
  atomic_fetch_add(&count, 1);
  return next(p, alignment, size);
}

void *mmap(void *address, size_t length, int protection, int flags, int file,
           off_t offset) {
  static void *(*next)(void *, size_t, int, int, int, off_t);
  if (!next)
    next = NEXT(mmap);
  atomic_fetch_add(&count, 1);
  return next(address, length, protection, flags, file, offset);
}

__attribute__((destructor)) static void report(void) {
  long total = atomic_load(&count);
  const char *stem = getenv("MALLOC_COUNTER");
  if (!stem)
    return;
  char path[4096];
  snprintf(path, sizeof path, "%s.%d", stem, (int)getpid());
  FILE *file = fopen(path, "w");
  if (!file)
    return;
  fprintf(file, "%ld\n", total);
  fclose(file);
}
