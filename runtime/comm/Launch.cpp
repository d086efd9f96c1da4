//===- Launch.cpp - What a launcher says to its processes -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Launch.h"
#include "runtime/comm/Launcher.h"
#include "runtime/core/Environment.h"
#include "runtime/core/Error.h"
#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace tessera::runtime {

/// What the launcher must have set.
static int need(const Started &started, std::optional<int> number,
                const char *variable) {
  if (!number)
    fatal("started by %s, which has not set %s: start all ranks with the same "
          "launcher",
          started.name, variable);
  return *number;
}

std::string firstHost(std::string_view list) {
  std::string host;
  for (size_t at = 0; at < list.size() && list[at] != ','; ++at) {
    if (list[at] != '[') {
      host += list[at];
      continue;
    }
    size_t close = list.find(']', at);
    std::string_view range = list.substr(at + 1, close - at - 1);
    host += range.substr(0, range.find_first_of("-,"));
    if (close == list.npos)
      break;
    at = close;
  }
  return host;
}

int tasksOnNode(std::string_view list, int node) {
  while (!list.empty()) {
    std::string entry(list.substr(0, list.find(',')));
    list.remove_prefix(std::min(list.size(), entry.size() + 1));
    size_t times = entry.find("(x");
    node -= times == entry.npos ? 1 : atoi(entry.c_str() + times + 2);
    if (node < 0)
      return atoi(entry.c_str());
  }
  return 0;
}

/// A port for \p job, below those that systems hand out by themselves.
static int portOf(const std::string &job) {
  uint32_t hash = 2166136261u;
  for (char letter : job)
    hash = (hash ^ static_cast<uint8_t>(letter)) * 16777619u;
  return 20000 + static_cast<int>(hash % 10000);
}

static std::string text(const char *variable) {
  const char *value = environmentText(variable);
  return value ? value : "";
}

/// A name that \p started's processes have in common and no others.
static std::string jobOf(const Started &started) {
  switch (started.launcher) {
  case Launcher::Torchrun:
    return "torchrun " + text("TORCHELASTIC_RUN_ID") + " " +
           text("TORCHELASTIC_RESTART_COUNT");
  case Launcher::OpenMpi:
    return "mpirun " + (environmentText("PMIX_NAMESPACE")
                            ? text("PMIX_NAMESPACE")
                            : text("OMPI_MCA_ess_base_jobid"));
  case Launcher::Slurm:
    return "srun " + text("SLURM_JOB_ID") + "." + text("SLURM_STEP_ID");
  default:
    return "";
  }
}

/// What of \p launch Slurm says in another form than the others.
static void readSlurm(const Started &started, Launch &launch) {
  const char *tasks = environmentText("SLURM_STEP_TASKS_PER_NODE");
  if (!tasks)
    tasks = environmentText("SLURM_TASKS_PER_NODE");
  if (tasks)
    launch.localSize =
        tasksOnNode(tasks, need(started, launcherNumber("srun", "SLURM_NODEID"),
                                "SLURM_NODEID"));
  if (launch.localSize <= launch.localRank)
    fatal("srun says that rank %d is task %d of %d on its node: start it by "
          "srun in an allocation of its own",
          launch.rank, launch.localRank, launch.localSize);
  const char *nodes = environmentText("SLURM_STEP_NODELIST");
  if (!nodes)
    nodes = environmentText("SLURM_JOB_NODELIST");
  if (nodes)
    launch.address = firstHost(nodes);
}

Launch readLaunch() {
  Started started = readLauncher();
  Launch launch;
  launch.rank = started.rank;
  launch.size = started.size;
  launch.job = jobOf(started);
  switch (started.launcher) {
  case Launcher::None:
    break;
  case Launcher::Torchrun:
    launch.localRank = need(started, started.localRank, "LOCAL_RANK");
    launch.localSize = need(started, started.localSize, "LOCAL_WORLD_SIZE");
    break;
  case Launcher::OpenMpi:
    launch.localRank =
        need(started, started.localRank, "OMPI_COMM_WORLD_LOCAL_RANK");
    launch.localSize =
        need(started, started.localSize, "OMPI_COMM_WORLD_LOCAL_SIZE");
    break;
  case Launcher::Slurm:
    launch.localRank = need(started, started.localRank, "SLURM_LOCALID");
    readSlurm(started, launch);
    break;
  case Launcher::Pmi:
  case Launcher::Pmix:
    if (launch.size > 1)
      fatal("started by %s, under which ranks without MPI do not find each "
            "other: start it by torchrun, srun or Open MPI's mpirun",
            started.name);
  }
  if (launch.rank >= launch.size || launch.localRank >= launch.localSize)
    fatal("the launcher says that this is rank %d of %d, %d of %d on its node: "
          "start all ranks with one launcher",
          launch.rank, launch.size, launch.localRank, launch.localSize);
  launch.port = portOf(launch.job);
  if (auto port = launcherNumber("the launcher", "MASTER_PORT")) {
    launch.port = *port;
    // There torchrun's own agent listens.
    if (environmentText("TORCHELASTIC_RUN_ID"))
      ++launch.port;
  }
  if (launch.isOneNode())
    launch.address = "127.0.0.1";
  else if (const char *address = environmentText("MASTER_ADDR"))
    launch.address = address;
  if (launch.address.empty())
    fatal("the ranks are on several nodes and do not know where rank 0 is: "
          "start it as 'mpirun -x MASTER_ADDR=HOST -x MASTER_PORT=29500 ...', "
          "HOST being the first node");
  return launch;
}

} // namespace tessera::runtime
