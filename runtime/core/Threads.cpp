//===- Threads.cpp - The rank's threads -----------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Threads.h"
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <pmmintrin.h>
#include <sched.h>
#include <unistd.h>

// libgomp's own interface. Clang's -fopenmp would bring a second runtime with
// a second pool of threads.
extern "C" {
void GOMP_parallel(void (*function)(void *), void *data, unsigned threads,
                   unsigned flags);
int omp_get_thread_num(void);
void omp_set_num_threads(int threads);
void omp_set_dynamic(int dynamic);
}

namespace tessera::runtime {

static constexpr int maximumThreads = 512;
/// Into how many chunks a thread's part is cut for others to take over.
static constexpr int64_t chunksPerThread = 16;

/// About 0.1 ms: longer than the pauses within a step.
static constexpr const char *spins = "2000";

static int poolThreads = 1;

/// A thread's part of the iterations; alone in its cache line.
struct alignas(64) Part {
  std::atomic<int64_t> next;
  int64_t end;
};

/// One parallel loop at a time: emitted code is sequential between loops.
struct Loop {
  RangeBody body;
  void *data;
  int parts;
  int64_t chunk;
  Part part[maximumThreads];
};
static Loop loop;

int allowedCores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
}

int threadCount(int wanted, int ranksOnNode) {
  if (wanted > 0)
    return std::min(wanted, maximumThreads);
  int online = std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
  int share = std::max(1, online / std::max(1, ranksOnNode));
  return std::min({share, allowedCores(), maximumThreads});
}

/// Of the thread that calls it.
static void flushSubnormals() {
  _MM_SET_FLUSH_ZERO_MODE(_MM_FLUSH_ZERO_ON);
  _MM_SET_DENORMALS_ZERO_MODE(_MM_DENORMALS_ZERO_ON);
}

void setThreads(int threads) {
  poolThreads = std::clamp(threads, 1, maximumThreads);
  omp_set_dynamic(0);
  omp_set_num_threads(poolThreads);
  // libgomp allocates its threads' pool with the first loop: not in a step.
  // Threads that it starts later inherit how this one rounds.
  flushSubnormals();
  GOMP_parallel([](void *) { flushSubnormals(); }, nullptr, poolThreads, 0);
}

void limitSpinning(int threads, char **argv) {
  if (threads == 1 || getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
    return;
  setenv("GOMP_SPINCOUNT", spins, 1);
  // Where this fails, the run is right and may be slow.
  execv("/proc/self/exe", argv);
}

static void work(void *) {
  int own = omp_get_thread_num();
  for (int i = 0; i < loop.parts; ++i) {
    Part &part = loop.part[(own + i) % loop.parts];
    while (true) {
      int64_t begin =
          part.next.fetch_add(loop.chunk, std::memory_order_relaxed);
      if (begin >= part.end)
        break;
      loop.body(loop.data, begin, std::min(begin + loop.chunk, part.end), own);
    }
  }
}

void leaveSignalsToOthers() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

void parallelFor(int64_t count, int64_t grain, RangeBody body, void *data) {
  if (count <= 0)
    return;
  int64_t grains = (count + grain - 1) / grain;
  if (poolThreads == 1 || grains == 1)
    return body(data, 0, count, 0);
  loop.body = body;
  loop.data = data;
  loop.parts = static_cast<int>(std::min<int64_t>(poolThreads, grains));
  int64_t perPart = grains / loop.parts, extra = grains % loop.parts;
  loop.chunk = std::max<int64_t>(1, perPart / chunksPerThread) * grain;
  int64_t begin = 0;
  for (int i = 0; i < loop.parts; ++i) {
    int64_t end = begin + (perPart + (i < extra)) * grain;
    loop.part[i].next.store(begin, std::memory_order_relaxed);
    loop.part[i].end = std::min(end, count);
    begin = end;
  }
  // Always the whole pool: libgomp keeps a team of one size without
  // allocating anew.
  GOMP_parallel(work, nullptr, poolThreads, 0);
}

} // namespace tessera::runtime
