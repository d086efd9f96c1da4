//===- Main.cpp - Where an executable begins ------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Launcher.h"
#include "runtime/commands/CommandLine.h"
#include "runtime/commands/Open.h"
#include "runtime/commands/StopSignals.h"
#include "runtime/core/CpuFeatures.h"
#include "runtime/core/Environment.h"
#include "runtime/core/Error.h"
#include "runtime/core/Threads.h"
#include "runtime/files/Output.h"
#include <cstdio>
#include <cstring>
#include <exception>

using namespace tessera::runtime;

/// Links the allocator for small blocks (Allocation.cpp) in.
extern "C" const char tessera_small_blocks;
extern "C" const char *const tessera_allocator = &tessera_small_blocks;

/// Sees to it that the processes of a launcher do not all do one rank's work,
/// into the same files. False where this one has nothing to do.
static bool hasWork(const Started &started, const Manifest &manifest,
                    const Options &options, bool isShared) {
  if (started.size == 1 || options.allowUnlaunched || isShared)
    return true;
  if (!options.command->isOfAllRanks) {
    if (speaks())
      return true;
    fprintf(stderr,
            "%s: rank %d has nothing to do: '%s' is the work of one rank, and "
            "rank 0 does it\n",
            executableName(), started.rank, options.command->name);
    return false;
  }
  if (manifest.training.world > 1)
    return true;
  // By PMIx alone rank 0 does not know that there are others.
  if (started.launcher != Launcher::Pmix || started.rank > 1)
    leaveErrorToRoot();
  fatal("compiled for 1 rank, started with %d by %s, each of which would write "
        "the same files: start it without %s, compile with --set "
        "parallel.world=%d, or give --allow-unlaunched where each has files of "
        "its own",
        started.size, started.name, started.name, started.size);
}

/// Exits the process where this CPU lacks features that the executable's code
/// was compiled with: it would meet an instruction that it does not know.
static void requireCpu(const Manifest &manifest) {
  if (!tessera_cpu_features)
    return;
  std::vector<std::string> missing = missingCpuFeatures(tessera_cpu_features);
  if (missing.empty())
    return;
  std::string list = missing.front();
  for (size_t i = 1; i < missing.size(); ++i)
    list += (i + 1 < missing.size() ? ", " : " and ") + missing[i];
  giveRootALead();
  fatal("this machine's CPU lacks %s, which the executable's code uses "
        "(compiled for '%s'): compile it on this machine, or with --set "
        "target.cpu.name=%s, which this CPU runs",
        list.c_str(), manifest.cpu.c_str(), cpuLevel());
}

static int runCommand(const Started &started, const Options &options,
                      char **argv) {
  static const Manifest manifest =
      parseManifest(tessera_manifest, tessera_entries);
  const Command &command = *options.command;
  bool isShared = command.isShared && command.isShared(manifest);
  requireUsable(manifest, options);
  if (!hasWork(started, manifest, options, isShared))
    return 0;
  bool several =
      isShared || (command.isOfAllRanks && manifest.training.world > 1);
  // From here on an executable of one rank knows of no other.
  if (!several)
    setErrorContext(executableName(), 0, 1);
  if (command.runsPrograms)
    requireCpu(manifest);
  if (command.usesThreads)
    limitSpinning(
        runThreads(manifest, several ? started.localSize.value_or(1) : 1),
        argv);
  ignoreWriteSignals(command.readerMayLeave);
  return command.run(manifest, options);
}

int main(int argc, char **argv) {
  holdStandardStreams();
  setExitHook(removeUnfinishedOutputs);
  catchStopSignals();
  const char *slash = strrchr(argv[0], '/');
  setErrorContext(slash ? slash + 1 : argv[0], 0, 1);
  Started started = readLauncher();
  setErrorContext(executableName(), started.rank, started.size);
  try {
    checkEnvironment();
    Options options = parseCommandLine(argc, argv);
    int code = runCommand(started, options, argv);
    // The steps of a run count, not who still reads of them.
    requirePrinted(options.command->readerMayLeave);
    return code;
  } catch (const std::exception &error) {
    fatal("%s", error.what());
  }
}
