//===- Open.cpp - Making a program ready to run ---------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/Open.h"
#include "runtime/checkpoint/Parameters.h"
#include "runtime/checkpoint/SameRun.h"
#include "runtime/commands/StopSignals.h"
#include "runtime/core/Environment.h"
#include "runtime/core/Error.h"
#include "runtime/core/Threads.h"
#include "runtime/program/Rotary.h"

#include <algorithm>
#include <cstdio>
#include <sched.h>
#include <unistd.h>

namespace tessera::runtime {

static Communicator *communicator = nullptr;

/// The threads that the specification or the user asks for; 0: as the cores
/// allow.
static int askedThreads(const Manifest &manifest) {
  return manifest.threads > 0 ? manifest.threads : wantedThreads();
}

int runThreads(const Manifest &manifest, int ranksOnNode) {
  return std::min(threadCount(askedThreads(manifest), ranksOnNode),
                  manifest.maxThreads);
}

namespace {

/// What ranks on one node have of its cores.
struct Cores {
  int share = 1; ///< this rank's, cores that others may use counted in part
  int all = 1;   ///< that any of the ranks may run on
};

} // namespace

/// The cores that this rank may run on, each divided by the ranks that may run
/// there too: mpirun may bind a rank to cores of its own, or a container may
/// have fewer cores than the machine. All ranks, on one node, call it.
static Cores shareCores(Communicator &communicator) {
  // As many cores as an exchange has bits.
  struct Mask {
    uint64_t words[8];
  } mine = {};
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  for (int core = 0; core < 512; ++core)
    if (CPU_ISSET(core, &set))
      mine.words[core / 64] |= uint64_t(1) << core % 64;
  std::vector<Mask> all(communicator.size());
  communicator.exchange(&mine, all.data(), sizeof mine);
  double share = 0;
  int together = 0;
  for (int core = 0; core < 512; ++core) {
    auto has = [&](const Mask &mask) {
      return mask.words[core / 64] >> core % 64 & 1;
    };
    int64_t users = std::count_if(all.begin(), all.end(), has);
    together += users > 0;
    if (has(mine))
      share += 1.0 / double(users);
  }
  return {std::max(1, static_cast<int>(share + 1e-6)), together};
}

/// mpirun itself is not bound: whether its ranks could have more cores than the
/// \p cores that they have.
static void warnOfBinding(int cores, int ranks) {
  cpu_set_t set;
  if (sched_getaffinity(getppid(), sizeof set, &set) == 0 &&
      CPU_COUNT(&set) >= cores + ranks)
    warning("mpirun binds the ranks to %d of %d cores: 'mpirun --bind-to none' "
            "lets them use all",
            cores, CPU_COUNT(&set));
}

/// A thread that waits for a core holds up all others at the end of each loop.
static void warnOfThreads(const Manifest &manifest, int rank, int ranks,
                          int threads, int cores) {
  const char *fewer = manifest.threads > 0 ? "compile with --set "
                                             "target.cpu.threads="
                                           : "set OMP_NUM_THREADS=";
  warning("rank %d has %d threads on %d core%s, which may make steps several "
          "times slower: %s%s%d",
          rank, threads, cores, cores == 1 ? "" : "s",
          ranks > 1
              ? "give it more cores ('mpirun --bind-to none', fewer ranks "
                "a node), or "
              : "let it run on more cores, or ",
          fewer, cores);
}

int shareThreads(const Manifest &manifest, Communicator &communicator) {
  bool oneNode = communicator.localSize() == communicator.size();
  Cores cores = {allowedCores(), 0};
  if (oneNode)
    cores = shareCores(communicator);
  int threads = runThreads(manifest, communicator.localSize());
  if (oneNode && !askedThreads(manifest)) {
    warnOfBinding(cores.all, communicator.size());
    return std::min(cores.share, manifest.maxThreads);
  }
  struct Use {
    int threads, cores;
  } mine = {threads, cores.share};
  std::vector<Use> all(communicator.size());
  communicator.exchange(&mine, all.data(), sizeof mine);
  auto crowded = std::find_if(all.begin(), all.end(), [](const Use &use) {
    return use.threads > use.cores;
  });
  if (crowded != all.end())
    warnOfThreads(manifest, static_cast<int>(crowded - all.begin()),
                  communicator.size(), crowded->threads, crowded->cores);
  return threads;
}

/// The file that the plan wants; null where it wants none.
static OffloadFile *openOffload(const Program &program,
                                const Options &options) {
  if (!program.offloadBytes) {
    if (!options.offloadDir.empty())
      fatal("--offload-dir is of no use: this executable's plan has all states "
            "in memory; compile it with --set parallel.offload=OPTIMIZER");
    return nullptr;
  }
  std::string directory = options.offloadDir.empty() ? defaultOffloadDirectory()
                                                     : options.offloadDir;
  return new OffloadFile(directory, program.offloadBytes);
}

Communicator &meetRanks(int world) {
  {
    StopSignalHold hold;
    communicator = tessera_create_communicator(world);
  }
  setErrorContext(executableName(), communicator->rank(), communicator->size());
  setFailureHook([] { return communicator->markFailed(); });
  return *communicator;
}

tessera_context &openTraining(const Manifest &manifest, const Options &options,
                              int64_t bytes) {
  static tessera_context context;
  static Program program;
  program = manifest.program("train");
  program.arenaBytes = std::max(program.arenaBytes, bytes);
  meetRanks(manifest.training.world);
  context.manifest = &manifest;
  context.program = &program;
  context.communicator = communicator;
  context.threads = shareThreads(manifest, *communicator);
  setThreads(context.threads);
  context.device = tessera_open_device(&manifest, communicator->localRank());
  context.offload = openOffload(*context.program, options);
  context.arena =
      communicator->allocateArena(*context.program, context.offload);
  fillRotary(context);
  context.prepareGemms();
  return context;
}

void startParameters(const tessera_context &context, const Options &options,
                     uint64_t seed) {
  if (!options.init.empty())
    return loadParameters(context, options.init, options.allow);
  requireKnownNames(*context.manifest, options.allow);
  initializeParameters(context, seed);
}

tessera_context &openLocal(const Manifest &manifest, const Options &options,
                           const char *program) {
  static tessera_context context;
  context.manifest = &manifest;
  context.program = &manifest.program(program);
  context.threads = runThreads(manifest, 1);
  if (int cores = allowedCores(); context.threads > cores)
    warnOfThreads(manifest, 0, 1, context.threads, cores);
  setThreads(context.threads);
  context.device = tessera_open_device(&manifest, 0);
  context.arena = context.device->allocateArena(*context.program);
  fillRotary(context);
  context.prepareGemms();
  startParameters(context, options,
                  options.seed.value_or(manifest.training.seed));
  return context;
}

void requireApart(const char *option, const std::string &path,
                  const std::vector<UsedFile> &used) {
  if (const char *what = findUse(path, used))
    fatal("%s '%s' is %s: give it another name", option, path.c_str(), what);
}

} // namespace tessera::runtime
