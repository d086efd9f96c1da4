//===- Threads.cpp - The rank's threads -----------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Threads.h"
#include "runtime/core/Team.h"
#include <algorithm>
#include <atomic>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <immintrin.h>
#include <linux/futex.h>
#include <sched.h>
#include <string>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>
#if __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#endif

// libgomp's own interface. Clang's -fopenmp would bring a second runtime with
// a second pool of threads.
extern "C" {
void GOMP_parallel(void (*function)(void *), void *data, unsigned threads,
                   unsigned flags);
int omp_get_thread_num(void);
int omp_get_num_threads(void);
void omp_set_num_threads(int threads);
void omp_set_dynamic(int dynamic);
}

namespace tessera::runtime {

static constexpr int maximumThreads = 512;
/// Into how many chunks a thread's part is cut for others to take over.
static constexpr int64_t chunksPerThread = 16;

/// How often a waiting thread looks before it sleeps. About 0.1 ms: longer
/// than the pauses within a step.
static constexpr int defaultSpins = 2000;

static int poolThreads = 1;
/// The same of a team's threads.
static int teamSpins = 0;

namespace {

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

} // namespace

static Loop loop;

namespace {

/// A number that threads wait for. They sleep as libgomp's do: std::atomic's
/// wait yields the core before, which other processes then have for as long as
/// the scheduler lets them.
class WatchedNumber {
public:
  uint32_t load() const { return number.load(std::memory_order_acquire); }
  /// Before anyone waits.
  void set(uint32_t value) { number.store(value, std::memory_order_relaxed); }
  /// Returns what it becomes.
  uint32_t add(uint32_t value) { return number.fetch_add(value) + value; }
  void wake() {
    if (sleepers.load())
      syscall(SYS_futex, &number, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr,
              0);
  }

  /// Waits until it is no longer \p old: awake at first.
  void waitWhile(uint32_t old) {
    for (int spin = 0; spin < teamSpins; ++spin) {
      if (load() != old)
        return;
      _mm_pause();
    }
    ++sleepers;
    while (number.load() == old)
      syscall(SYS_futex, &number, FUTEX_WAIT_PRIVATE, old, nullptr, nullptr, 0);
    --sleepers;
  }

private:
  std::atomic<uint32_t> number = 0, sleepers = 0;
};

/// What the threads of withTeam() tell one another.
struct Team {
  bool isThere = false; ///< read by the thread that runs the body
  bool hasEnded = false;
  uint32_t others = 0; ///< threads beside the one that runs the body
  /// How many loops have begun, and the end.
  alignas(64) WatchedNumber begun;
  /// Threads that have not left the last one.
  alignas(64) WatchedNumber working;
};

} // namespace

static Team team;

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

/// As often as libgomp's threads look, so that what users choose holds for a
/// team, too; not at all where another thread needs the core.
static int readTeamSpins() {
  if (poolThreads > allowedCores())
    return 0;
  const char *count = getenv("GOMP_SPINCOUNT");
  if (char *end = nullptr; count) {
    long long number = strtoll(count, &end, 10);
    if (end != count)
      return static_cast<int>(std::clamp<long long>(number, 0, INT_MAX));
  }
  const char *policy = getenv("OMP_WAIT_POLICY");
  return policy && strcasecmp(policy, "passive") == 0 ? 0 : defaultSpins;
}

/// Has all threads of the pool call \p function, and waits for them.
static void callOnPool(void (*function)(void *), void *data) {
#if __has_feature(thread_sanitizer)
  // libgomp is not compiled with ThreadSanitizer, which so is told that threads
  // begin after this call and end before it returns.
  static char beginning, end;
  struct Call {
    void (*function)(void *);
    void *data;
  } call{function, data};
  __tsan_release(&beginning);
  GOMP_parallel(
      [](void *data) {
        __tsan_acquire(&beginning);
        auto *call = static_cast<Call *>(data);
        call->function(call->data);
        __tsan_release(&end);
      },
      &call, poolThreads, 0);
  __tsan_acquire(&end);
#else
  GOMP_parallel(function, data, poolThreads, 0);
#endif
}

void setThreads(int threads) {
  poolThreads = std::clamp(threads, 1, maximumThreads);
  teamSpins = readTeamSpins();
  omp_set_dynamic(0);
  omp_set_num_threads(poolThreads);
  // libgomp allocates its threads' pool with the first loop: not in a step.
  // Threads that it starts later inherit how this one rounds.
  flushSubnormals();
  callOnPool([](void *) { flushSubnormals(); }, nullptr);
}

void limitSpinning(int threads, char **argv) {
  if (threads == 1 || getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
    return;
  setenv("GOMP_SPINCOUNT", std::to_string(defaultSpins).c_str(), 1);
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

/// Has the team do the loop.
static void workAsTeam() {
  team.working.set(team.others);
  team.begun.add(1);
  team.begun.wake();
  work(nullptr);
  while (uint32_t left = team.working.load())
    team.working.waitWhile(left);
}

/// What the others do until the end.
static void serveTeam(uint32_t seen) {
  while (true) {
    team.begun.waitWhile(seen);
    ++seen;
    if (team.hasEnded)
      return;
    work(nullptr);
    if (team.working.add(-1) == 0)
      team.working.wake();
  }
}

void withTeam(void (*body)(void *), void *data) {
  if (poolThreads == 1)
    return body(data);
  struct Call {
    void (*body)(void *);
    void *data;
    uint32_t begun;
  } call{body, data, team.begun.load()};
  team.isThere = true;
  team.hasEnded = false;
  callOnPool(
      [](void *data) {
        auto *call = static_cast<Call *>(data);
        if (omp_get_thread_num() != 0)
          return serveTeam(call->begun);
        team.others = static_cast<uint32_t>(omp_get_num_threads() - 1);
        call->body(call->data);
        team.hasEnded = true;
        team.begun.add(1);
        team.begun.wake();
      },
      &call);
  team.isThere = false;
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
  if (team.isThere)
    return workAsTeam();
  // Always the whole pool: libgomp keeps a team of one size without
  // allocating anew.
  callOnPool(work, nullptr);
}

} // namespace tessera::runtime
