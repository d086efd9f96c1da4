//===- Calibrate.cpp - The figures of this machine --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One process per core measures the same at the same time, as the ranks of a
// node compute at the same time; the node's rate is the sum of theirs.
// Processes rather than threads, since a rank's copies read another process's
// memory.
//
//===----------------------------------------------------------------------===//

#include "driver/Calibrate.h"
#include "driver/measure/FmaPeak.h"
#include "driver/measure/MemoryRates.h"
#include "frontends/Fields.h"
#include "runtime/abi.h"
#include "runtime/host/GemmPrimitive.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/TargetParser/Host.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <sched.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace llvm;
using namespace tessera;

extern "C" {
void GOMP_parallel(void (*function)(void *), void *data, unsigned threads,
                   unsigned flags);
void omp_set_num_threads(int threads);
void tessera_prepare_gemms(const tessera::runtime::Manifest *manifest,
                           int threads);
}

namespace {

constexpr int tries = 5;
/// Of all processes together: several times what caches hold.
constexpr size_t streamBytes = size_t(512) << 20, copyBytes = size_t(256) << 20;
/// Of one process: what stays in a core's cache.
constexpr size_t cachedBytes = size_t(256) << 10;

/// What one process measured: operations or bytes per second.
struct Rates {
  double fma, bf16, gemm, bf16Gemm, memory, cache, copy;
};

/// What the processes share.
struct Board {
  std::atomic<int> arrived;
  alignas(64) std::atomic<int> ball;
  alignas(64) double latency;
};

double median(SmallVector<double> samples) {
  sort(samples);
  return samples[samples.size() / 2];
}

template <typename Body> double medianRate(double work, Body body) {
  SmallVector<double> rates;
  for (int i = 0; i < tries; ++i) {
    double begin = threadSeconds();
    body();
    rates.push_back(work / (threadSeconds() - begin));
  }
  return median(rates);
}

runtime::Gemm describeGemm(int64_t m, int64_t n, int64_t k, bool transposeA,
                           bool transposeB) {
  runtime::Gemm gemm;
  gemm.m = m;
  gemm.n = n;
  gemm.k = k;
  gemm.transposeA = transposeA;
  gemm.transposeB = transposeB;
  gemm.lda = transposeA ? m : k;
  gemm.ldb = transposeB ? k : n;
  gemm.ldc = n;
  return gemm;
}

/// A Transformer's GEMMs as the runtime does them: forward, the gradients
/// of input and weights, and a part of a vocabulary's head. In fp32 and, where
/// the library has them, in bf16.
class Gemms {
public:
  Gemms() {
    omp_set_num_threads(1);
    if (!add(runtime::ElementType::F32))
      return;
    (void)add(runtime::ElementType::Bf16);
    memory = mapMemory(4 * (a + b + c) + scratch, /*shared=*/false);
    if (memory)
      tessera_prepare_gemms(&manifest, 1);
  }

  /// Operations per second; 0 where they cannot be done.
  double measure(runtime::ElementType type) {
    double flops = 0;
    for (const runtime::Gemm &gemm : manifest.gemms)
      if (gemm.type == type)
        flops += 2.0 * gemm.m * gemm.n * gemm.k;
    if (!memory || flops == 0)
      return 0;
    char *second = memory + 4 * a, *result = second + 4 * b;
    return medianRate(flops, [&] {
      for (const runtime::Gemm &gemm : manifest.gemms)
        if (gemm.type == type)
          tessera_gemm(nullptr, gemm.id, memory, second, nullptr, nullptr,
                       result, result + 4 * c);
    });
  }

private:
  bool add(runtime::ElementType type) {
    size_t before = manifest.gemms.size();
    for (runtime::Gemm gemm : {describeGemm(1024, 3072, 768, false, false),
                               describeGemm(1024, 768, 3072, false, true),
                               describeGemm(3072, 768, 1024, true, false),
                               describeGemm(512, 8192, 768, false, true)}) {
      gemm.id = static_cast<int>(manifest.gemms.size());
      gemm.type = gemm.resultType = type;
      gemm.scratch = runtime::gemmScratchBytes(gemm, 1);
      if (gemm.scratch < 0) {
        manifest.gemms.resize(before);
        return false;
      }
      a = std::max(a, gemm.m * gemm.k);
      b = std::max(b, gemm.k * gemm.n);
      c = std::max(c, gemm.m * gemm.n);
      scratch = std::max(scratch, gemm.scratch);
      manifest.gemms.push_back(gemm);
    }
    return true;
  }

  runtime::Manifest manifest;
  char *memory = nullptr;
  int64_t a = 0, b = 0, c = 0, scratch = 0;
};

/// AdamW over \p bytes of memory, as often as makes \p total.
double measureUpdates(size_t bytes, size_t total) {
  char *memory = mapMemory(bytes, /*shared=*/false);
  if (!memory)
    return 0;
  long count = bytes / 16 / 16 * 16, times = std::max<size_t>(1, total / bytes);
  auto *numbers = reinterpret_cast<float *>(memory);
  UpdateState state{numbers, numbers + count, numbers + 2 * count,
                    numbers + 3 * count};
  return medianRate(double(updateBytes) * count * times, [&] {
    for (long i = 0; i < times; ++i)
      runUpdate(state, 0, count);
  });
}

/// Waits until all of \p count processes have come here for the \p turn-th
/// time.
void meet(Board &board, int count, int &turn) {
  int wanted = count * ++turn;
  for (++board.arrived; board.arrived < wanted;)
    sched_yield();
}

/// Seconds that a word takes from one process to another: the least of some
/// tries, for one second at most, since on a busy machine a turn may take long.
void measureLatency(Board &board, int process) {
  using Clock = std::chrono::steady_clock;
  constexpr int rounds = 20, attempts = 500, stop = -1;
  Clock::time_point first = Clock::now();
  double best = 1e30;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    Clock::time_point begin = Clock::now();
    if (process == 0 && begin - first > std::chrono::seconds(1)) {
      board.ball = stop;
      break;
    }
    for (int i = 0; i < rounds; ++i) {
      int wanted = 2 * (attempt * rounds + i) + process, ball;
      // As a rank waits: on the spot for a while, then for its next turn.
      for (int spins = 0;
           (ball = board.ball.load(std::memory_order_acquire)) != wanted;
           ++spins) {
        if (ball == stop)
          return;
        if (spins > 2000)
          sched_yield();
      }
      board.ball.store(wanted + 1, std::memory_order_release);
    }
    // Its last word is on its way: the other one answers before the next try.
    while (process == 0 && board.ball.load() == 2 * (attempt + 1) * rounds - 1)
      sched_yield();
    std::chrono::duration<double> spent = Clock::now() - begin;
    best = std::min(best, spent.count() / (2 * rounds));
  }
  if (process == 0)
    board.latency = best;
}

/// Measures as process \p process of \p count.
void measure(int process, int count, Board &board, Rates *rates,
             char *const *parts) {
  int turn = 0;
  SmallVector<double> samples;
  auto sample = [&](double (*rate)()) {
    samples.clear();
    for (int i = 0; i < tries; ++i)
      samples.push_back(rate());
    return median(samples);
  };
  Rates &own = rates[process];
  meet(board, count, turn);
  own.fma = sample(measureFmaRate);
  meet(board, count, turn);
  own.bf16 = sample(measureBf16Rate);
  meet(board, count, turn);
  Gemms gemms;
  meet(board, count, turn);
  own.gemm = gemms.measure(runtime::ElementType::F32);
  meet(board, count, turn);
  own.bf16Gemm = gemms.measure(runtime::ElementType::Bf16);
  meet(board, count, turn);
  own.memory = measureUpdates(streamBytes / count, streamBytes / count);
  meet(board, count, turn);
  own.cache = measureUpdates(cachedBytes, size_t(64) << 20);
  meet(board, count, turn);
  size_t bytes = copyBytes / count;
  own.copy = medianRate(bytes, [&] {
    memcpy(parts[process] + bytes, parts[(process + 1) % count], bytes);
  });
  meet(board, count, turn);
  if (process < 2 && count > 1)
    measureLatency(board, process);
}

/// Seconds of a parallel loop that does nothing, on all cores.
double measureLaunch(int cores) {
  using Clock = std::chrono::steady_clock;
  omp_set_num_threads(cores);
  double best = 1e30;
  for (int attempt = 0; attempt < 100; ++attempt) {
    Clock::time_point begin = Clock::now();
    for (int i = 0; i < 10; ++i)
      GOMP_parallel([](void *) {}, nullptr, cores, 0);
    std::chrono::duration<double> spent = Clock::now() - begin;
    best = std::min(best, spent.count() / 10);
  }
  return best;
}

/// MiB of this machine's second- and third-level caches, as the system reports.
double readCacheSize(int cores) {
  double bytes = 0;
  StringSet<> seen;
  auto read = [](const std::string &path) -> std::string {
    auto file = MemoryBuffer::getFileAsStream(path);
    return file ? (*file)->getBuffer().trim().str() : "";
  };
  for (int cpu = 0; cpu < cores; ++cpu)
    for (int index = 0; index < 8; ++index) {
      std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                           "/cache/index" + std::to_string(index) + "/";
      std::string level = read(folder + "level"), size = read(folder + "size");
      int64_t kilobytes;
      if (level < "2" ||
          StringRef(size).rtrim("K").getAsInteger(10, kilobytes) ||
          !seen.insert(level + ":" + read(folder + "shared_cpu_list")).second)
        continue;
      bytes += 1024.0 * kilobytes;
    }
  return bytes / (1 << 20);
}

} // namespace

Error tessera::calibrate(raw_ostream &out) {
  int cores = std::max(1u, std::thread::hardware_concurrency());
  size_t part = 2 * copyBytes / cores;
  char *memory = mapMemory(sizeof(Board) + cores * sizeof(Rates), true);
  char *copies = mapMemory(part * cores, true);
  if (!memory || !copies)
    return createStringError(inconvertibleErrorCode(),
                             "calibrate: no memory to measure with: it takes "
                             "about 1.5 GB");
  auto *board = new (memory) Board();
  auto *rates = reinterpret_cast<Rates *>(board + 1);
  SmallVector<char *> parts;
  for (int i = 0; i < cores; ++i)
    parts.push_back(copies + part * i);
  SmallVector<pid_t> processes;
  for (int i = 0; i < cores; ++i) {
    pid_t process = fork();
    if (process == 0) {
      measure(i, cores, *board, rates, parts.data());
      _exit(0);
    }
    if (process > 0)
      processes.push_back(process);
  }
  // The others would wait for ever for one that is missing.
  bool failed = processes.size() != size_t(cores);
  while (!processes.empty()) {
    if (failed)
      for (pid_t process : processes)
        kill(process, SIGKILL);
    int status = 0;
    pid_t ended = wait(&status);
    failed = failed || status != 0;
    erase(processes, ended);
  }
  if (failed)
    return createStringError(inconvertibleErrorCode(),
                             "calibrate: a measuring process failed");

  auto sum = [&](double Rates::*rate) {
    double total = 0;
    for (int i = 0; i < cores; ++i)
      total += rates[i].*rate;
    return 1e-9 * total;
  };
  auto line = [&](const char *name, double value) {
    out << "  " << name << ": " << format("%.4g", value) << "\n";
  };
  double bf16 = sum(&Rates::bf16);
  out << schemaHeader
      << "# Measured by `tessera calibrate`. The network between nodes is "
         "not:\n"
         "# add `inter_node { latency_us: ... gbytes: ... }`.\nmachine {\n"
      << "  name: \"" << sys::getHostCPUName() << ", " << cores
      << (cores == 1 ? " core" : " cores") << "\"\n  cores: " << cores << "\n";
  line("fp32_gflops", sum(&Rates::fma));
  line("bf16_gflops", bf16 > 0 ? bf16 : sum(&Rates::fma));
  line("fp32_gemm_gflops", sum(&Rates::gemm));
  if (double gemm = sum(&Rates::bf16Gemm))
    line("bf16_gemm_gflops", gemm);
  line("memory_gbytes", sum(&Rates::memory));
  line("cache_gbytes", sum(&Rates::cache));
  if (double mib = readCacheSize(cores))
    line("cache_mib", mib);
  line("launch_us", 1e6 * measureLaunch(cores));
  out << "  intra_node {\n";
  // Where the two processes never ran at the same time it says nothing.
  if (cores > 1 && board->latency < 1e-4)
    out << "    latency_us: " << format("%.4g", 1e6 * board->latency) << "\n";
  out << "    gbytes: " << format("%.4g", sum(&Rates::copy)) << "\n  }\n}\n";
  return Error::success();
}
