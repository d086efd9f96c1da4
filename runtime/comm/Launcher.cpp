//===- Launcher.cpp - Who has started this process ------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Launcher.h"
#include "runtime/core/Environment.h"
#include "runtime/core/Error.h"
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

namespace tessera::runtime {
namespace {

/// The variables of a launcher; null where it has none. Rank and size make it.
struct LauncherInfo {
  Launcher launcher;
  const char *name, *rank, *size, *localRank, *localSize;
};

const LauncherInfo launcherTable[] = {
    {Launcher::Torchrun, "torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK",
     "LOCAL_WORLD_SIZE"},
    {Launcher::OpenMpi, "mpirun", "OMPI_COMM_WORLD_RANK",
     "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_LOCAL_SIZE"},
    {Launcher::Slurm, "srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS",
     "SLURM_LOCALID", nullptr},
    {Launcher::Slurm, "srun", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID",
     nullptr},
    {Launcher::Pmi, "mpiexec", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID",
     "MPI_LOCALNRANKS"},
    {Launcher::Pmix, "PMIx", "PMIX_RANK", nullptr, nullptr, nullptr},
};

/// Whether this is a task of srun: a batch script and an interactive shell are
/// steps without a number or with one of those that Slurm keeps for itself.
bool isSlurmTask() {
  constexpr unsigned long firstReserved = 0xfffffff0;
  const char *text = environmentText("SLURM_STEP_ID");
  if (!text)
    return false;
  char *end = nullptr;
  unsigned long step = strtoul(text, &end, 10);
  return end != text && !*end && step < firstReserved;
}

bool isThere(const LauncherInfo &info) {
  // Those of the step, not of the job, where both are known.
  if (info.size && !strcmp(info.size, "SLURM_NTASKS") &&
      environmentText("SLURM_STEP_NUM_TASKS"))
    return false;
  return environmentText(info.rank) &&
         (!info.size || environmentText(info.size)) &&
         (info.launcher != Launcher::Slurm || isSlurmTask());
}

Started read(const LauncherInfo &info) {
  Started started;
  started.launcher = info.launcher;
  started.name = info.name;
  started.rank = *launcherNumber(info.name, info.rank);
  started.size = info.size          ? *launcherNumber(info.name, info.size)
                 : started.rank > 0 ? started.rank + 1
                                    : 1;
  if (started.rank >= started.size)
    fatal("%s and %s say that this is rank %d of %d: start all ranks with one "
          "launcher, or unset them",
          info.rank, info.size, started.rank, started.size);
  if (info.localRank)
    started.localRank = launcherNumber(info.name, info.localRank);
  if (info.localSize)
    started.localSize = launcherNumber(info.name, info.localSize);
  return started;
}

} // namespace

std::optional<int> launcherNumber(const char *launcher, const char *variable) {
  const char *text = environmentText(variable);
  if (!text)
    return std::nullopt;
  char *end = nullptr;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (end == text || *end || errno || value < 0 || value >= INT_MAX)
    fatal("%s is '%s', which is no number: %s sets it, leave it as it is",
          variable, text, launcher);
  return static_cast<int>(value);
}

Started readLauncher() {
  Started first;
  for (const LauncherInfo &info : launcherTable) {
    if (!isThere(info))
      continue;
    Started started = read(info);
    if (started.size > 1)
      return started;
    if (first.launcher == Launcher::None)
      first = started;
  }
  return first;
}

} // namespace tessera::runtime
