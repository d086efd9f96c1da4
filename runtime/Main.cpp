//===- Main.cpp - Where an executable begins ------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Commands.h"
#include "runtime/Error.h"
#include "runtime/Threads.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>

using namespace tessera;

/// Links the allocator for small blocks (Allocation.cpp) in.
extern "C" const char tessera_small_blocks;
extern "C" const char *const tessera_allocator = &tessera_small_blocks;

/// This process's number among those that mpirun, torchrun or srun has started.
static int launchedRank() {
  struct {
    const char *rank, *sign;
  } launchers[] = {{"RANK", "WORLD_SIZE"},
                   {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                   {"SLURM_PROCID", "SLURM_STEP_ID"}};
  for (auto [rank, sign] : launchers)
    if (getenv(rank) && getenv(sign))
      return atoi(getenv(rank));
  return 0;
}

static int runCommand(const Options &options, char **argv) {
  static const Manifest manifest = parseManifest(tessera_manifest);
  bool several =
      options.command == Command::train || options.command == Command::grads;
  // The other commands are one rank's work, whatever launcher starts them.
  if (!several && launchedRank() != 0)
    return 0;
  if (options.command != Command::info) {
    const char *local = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
    int ranks = several && local ? std::max(1, atoi(local)) : 1;
    limitSpinning(runThreads(manifest, ranks), argv);
  }
  switch (options.command) {
  case Command::train:
    return runTrain(manifest, options);
  case Command::grads:
    return runGrads(manifest, options);
  case Command::eval:
    return runEval(manifest, options);
  case Command::generate:
    return runGenerate(manifest, options);
  case Command::exportWeights:
    return runExport(manifest, options);
  case Command::info:
    return runInfo(manifest, options);
  }
  return 1;
}

int main(int argc, char **argv) {
  const char *slash = strrchr(argv[0], '/');
  setErrorContext(slash ? slash + 1 : argv[0], 0, 1);
  try {
    return runCommand(parseCommandLine(argc, argv), argv);
  } catch (const std::exception &error) {
    fatal("%s", error.what());
  }
}
