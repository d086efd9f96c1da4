//===- collectives.cpp - Collectives of one node beside plain copies ------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a reduce_scatter and an all_gather cost beside a copy of the same bytes
// by the same ranks at once: bench/README.md.
//
//===----------------------------------------------------------------------===//

#include "bench/Measurements.h"
#include "runtime/core/Stream.h"
#include "runtime/core/Threads.h"
#include "runtime/program/Communicator.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <time.h>
#include <vector>

using namespace tessera::runtime;

namespace {

double now(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Milliseconds: from the first rank's beginning to the last one's end, and of
/// all ranks' CPU time.
struct Time {
  double elapsed, cpu;
};

/// Runs \p body on all ranks at once.
Time measure(Communicator &communicator, const std::function<void()> &body) {
  struct Span {
    double begin, end, cpu;
  };
  communicator.barrier();
  double before = now(CLOCK_PROCESS_CPUTIME_ID);
  Span own;
  own.begin = now(CLOCK_MONOTONIC);
  body();
  own.end = now(CLOCK_MONOTONIC);
  own.cpu = now(CLOCK_PROCESS_CPUTIME_ID) - before;
  std::vector<Span> all(communicator.size());
  communicator.exchange(&own, all.data(), sizeof own);
  double cpu = 0;
  for (const Span &span : all) {
    own.begin = std::min(own.begin, span.begin);
    own.end = std::max(own.end, span.end);
    cpu += span.cpu;
  }
  return {1e3 * (own.end - own.begin), 1e3 * cpu};
}

/// Copies on the rank's threads, each its own range in one piece.
template <typename Copy>
void copyInParallel(char *destination, const char *source, int64_t bytes,
                    int threads, Copy copy) {
  int64_t piece = (bytes / threads + 4095) / 4096 * 4096;
  parallelFor(threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t at = std::min(bytes, i * piece);
      copy(destination + at, source + at, std::min(piece, bytes - at));
    }
  });
}

void stream(char *destination, const char *source, int64_t bytes) {
  streamCopy(destination, source, bytes);
  streamFence();
}

struct Contender {
  const char *name;
  std::function<void()> run;
  /// Bytes that a rank reads and writes.
  double moved;
  std::vector<double> elapsed, cpu;
};

} // namespace

int main(int argc, char **argv) {
  Measurements measurements(argc, argv);
  const char *world = getenv("OMPI_COMM_WORLD_SIZE");
  if (argc > 4 || !world) {
    fprintf(stderr,
            "usage: mpirun -np RANKS %s [--measurements FILE] "
            "[rounds [f32 | bf16 [MB]]]\n",
            argv[0]);
    return 1;
  }
  int rounds = argc > 1 ? std::max(1, atoi(argv[1])) : 7;
  ElementType type = argc > 2 && !strcmp(argv[2], "bf16") ? ElementType::Bf16
                                                          : ElementType::F32;
  const char *typeName = type == ElementType::F32 ? "f32" : "bf16";
  std::vector<int64_t> sizes = {16, 64, 256};
  if (argc > 3)
    sizes = {std::max(1, atoi(argv[3]))};
  int ranks = atoi(world), threads = threadCount(0, ranks);
  limitSpinning(threads, argv);
  Communicator &communicator = *tessera_create_communicator(ranks);
  setThreads(threads);

  Program program;
  int64_t largest = sizes.back() << 20;
  program.arenaBytes = 2 * largest;
  for (int64_t size : sizes)
    for (CollectiveKind kind :
         {CollectiveKind::ReduceScatter, CollectiveKind::AllGather}) {
      Collective collective;
      collective.id = static_cast<int>(program.collectives.size());
      collective.kind = kind;
      collective.type = collective.destinationType = type;
      collective.elements =
          (size << 20) / sizeOf(type) / (64 * ranks) * (64 * ranks);
      collective.destination = largest;
      program.collectives.push_back(collective);
    }
  char *arena = communicator.allocateArena(program, nullptr);
  // Ones: sums stay numbers.
  if (type == ElementType::F32)
    std::fill_n(reinterpret_cast<float *>(arena), largest / 4, 1.0f);
  else
    std::fill_n(reinterpret_cast<uint16_t *>(arena), largest / 2, 0x3f80);
  char *own = mapPrivateArena(2 * largest);
  memcpy(own, arena, largest);

  if (communicator.isRoot())
    printf("%d ranks, %d thread%s each, %s, medians of %d rounds\n"
           "%6s %-15s %9s %9s %8s %9s %9s %8s\n",
           ranks, threads, threads == 1 ? "" : "s", typeName, rounds, "MB", "",
           "ms", "GB/s", "x copy", "x per byte", "cpu ms", "x copy");
  auto collective = [&](int id) {
    communicator.start(id);
    communicator.wait(id);
    communicator.fence(id);
  };
  for (size_t i = 0; i < sizes.size(); ++i) {
    int scatter = static_cast<int>(2 * i), gather = scatter + 1;
    double bytes =
        double(program.collectives[scatter].elements) * double(sizeOf(type));
    int64_t count = static_cast<int64_t>(bytes);
    std::vector<Contender> contenders = {
        {"memcpy",
         [&] { copyInParallel(own + largest, own, count, threads, memcpy); },
         2 * bytes,
         {},
         {}},
        {"streamed copy",
         [&] { copyInParallel(own + largest, own, count, threads, stream); },
         2 * bytes,
         {},
         {}},
        {"reduce_scatter",
         [&] { collective(scatter); },
         bytes + bytes / ranks,
         {},
         {}},
        {"all_gather", [&] { collective(gather); }, 2 * bytes, {}, {}},
    };
    for (Contender &contender : contenders)
      measure(communicator, contender.run); // warms up
    for (int round = 0; round < rounds; ++round)
      for (Contender &contender : contenders) {
        Time time = measure(communicator, contender.run);
        contender.elapsed.push_back(time.elapsed);
        contender.cpu.push_back(time.cpu);
      }
    double copy = INFINITY, copyCpu = INFINITY;
    for (int kind : {0, 1}) {
      copy = std::min(copy, median(contenders[kind].elapsed));
      copyCpu = std::min(copyCpu, median(contenders[kind].cpu));
    }
    if (communicator.isRoot())
      for (const Contender &contender : contenders) {
        double time = median(contender.elapsed);
        double cpu = median(contender.cpu);
        printf("%6lld %-15s %9.2f %9.1f %8.2f %9.2f %9.2f %8.2f\n",
               static_cast<long long>(sizes[i]), contender.name, time,
               1e-6 * ranks * contender.moved / time, time / copy,
               time / copy * 2 * bytes / contender.moved, cpu, cpu / copyCpu);
        std::string name = std::to_string(sizes[i]) + " MB of " + typeName +
                           ", " + std::to_string(ranks) + " ranks";
        measurements.add(name, contender.name, "elapsed", "ms",
                         contender.elapsed);
        measurements.add(name, contender.name, "CPU time", "ms", contender.cpu);
      }
  }
  communicator.finish();
}
