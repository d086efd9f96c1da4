//===- Open.cpp - Making a program ready to run ---------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Commands.h"
#include "runtime/Error.h"
#include "runtime/Parameters.h"
#include "runtime/SameRun.h"
#include "runtime/StopSignals.h"
#include "runtime/Threads.h"

#include <algorithm>
#include <cstdio>
#include <sched.h>
#include <unistd.h>

namespace tessera {

static Communicator *communicator = nullptr;

int runThreads(const Manifest &manifest, int ranksOnNode) {
  return std::min(threadCount(manifest.threads, ranksOnNode),
                  manifest.maxThreads);
}

/// The cores that this rank may run on, each divided by the ranks that may run
/// there too: mpirun may bind a rank to cores of its own, or a container may
/// have fewer cores than the machine. All ranks, on one node, call it.
static int shareOfCores(Communicator &communicator) {
  // As many cores as an exchange has bits.
  struct Mask {
    uint64_t words[8];
  } mine = {};
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    return threadCount(0, communicator.localSize());
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
  // mpirun itself is not bound.
  if (sched_getaffinity(getppid(), sizeof set, &set) == 0 &&
      CPU_COUNT(&set) >= together + communicator.size())
    warning("mpirun binds the ranks to %d of %d cores: 'mpirun --bind-to none' "
            "lets them use all",
            together, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(share + 1e-6));
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

tsr_context &openTraining(const Manifest &manifest, const Options &options) {
  static tsr_context context;
  {
    StopSignalHold hold;
    communicator = tessera_create_communicator(manifest.training.world);
  }
  setErrorContext(executableName(), communicator->rank(), communicator->size());
  setFailureHook([] { return communicator->markFailed(); });
  context.manifest = &manifest;
  context.program = &manifest.program("train");
  context.communicator = communicator;
  context.threads = runThreads(manifest, communicator->localSize());
  if (manifest.threads == 0 && communicator->localSize() == context.size())
    context.threads =
        std::min(shareOfCores(*communicator), manifest.maxThreads);
  setThreads(context.threads);
  context.device = tessera_open_device(&manifest, communicator->localRank());
  context.offload = openOffload(*context.program, options);
  context.arena =
      communicator->allocateArena(*context.program, context.offload);
  context.prepareGemms();
  return context;
}

void startParameters(const tsr_context &context, const Options &options,
                     uint64_t seed) {
  if (!options.init.empty())
    return loadParameters(context, options.init, options.allow);
  requireKnownNames(*context.manifest, options.allow);
  initializeParameters(context, seed);
}

tsr_context &openLocal(const Manifest &manifest, const Options &options,
                       const char *program) {
  static tsr_context context;
  context.manifest = &manifest;
  context.program = &manifest.program(program);
  context.threads = runThreads(manifest, 1);
  setThreads(context.threads);
  context.device = tessera_open_device(&manifest, 0);
  context.arena = context.device->allocateArena(*context.program);
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

} // namespace tessera
