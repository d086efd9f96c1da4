//===- Launch.cpp - What a launcher tells its processes -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Launch.h"
#include "runtime/Error.h"
#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>

namespace tessera {

/// Null where it is not set or empty.
static const char *variable(const char *name) {
  const char *text = getenv(name);
  return text && *text ? text : nullptr;
}

static int number(const char *launcher, const char *name) {
  const char *text = variable(name);
  if (!text)
    fatal("started by %s, which has not set %s: start all ranks with the same "
          "launcher",
          launcher, name);
  char *end = nullptr;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (*end || errno || value < 0 || value > INT_MAX)
    fatal("%s is '%s', which is no number: %s sets it, leave it as it is", name,
          text, launcher);
  return static_cast<int>(value);
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

static Launch readTorchrun() {
  const char *launcher = "torchrun";
  Launch launch;
  launch.rank = number(launcher, "RANK");
  launch.size = number(launcher, "WORLD_SIZE");
  launch.localRank = number(launcher, "LOCAL_RANK");
  launch.localSize = number(launcher, "LOCAL_WORLD_SIZE");
  const char *run = variable("TORCHELASTIC_RUN_ID");
  const char *restart = variable("TORCHELASTIC_RESTART_COUNT");
  launch.job = std::string("torchrun ") + (run ? run : "") + " " +
               (restart ? restart : "");
  return launch;
}

static Launch readOpenMpi() {
  const char *launcher = "mpirun";
  Launch launch;
  launch.rank = number(launcher, "OMPI_COMM_WORLD_RANK");
  launch.size = number(launcher, "OMPI_COMM_WORLD_SIZE");
  launch.localRank = number(launcher, "OMPI_COMM_WORLD_LOCAL_RANK");
  launch.localSize = number(launcher, "OMPI_COMM_WORLD_LOCAL_SIZE");
  const char *space = variable("PMIX_NAMESPACE");
  const char *job = variable("OMPI_MCA_ess_base_jobid");
  launch.job = std::string("mpirun ") + (space ? space : job ? job : "");
  return launch;
}

static Launch readSlurm() {
  const char *launcher = "srun";
  Launch launch;
  launch.rank = number(launcher, "SLURM_PROCID");
  launch.size =
      number(launcher, variable("SLURM_STEP_NUM_TASKS") ? "SLURM_STEP_NUM_TASKS"
                                                        : "SLURM_NTASKS");
  launch.localRank = number(launcher, "SLURM_LOCALID");
  const char *tasks = variable("SLURM_STEP_TASKS_PER_NODE");
  if (!tasks)
    tasks = variable("SLURM_TASKS_PER_NODE");
  if (tasks)
    launch.localSize = tasksOnNode(tasks, number(launcher, "SLURM_NODEID"));
  if (launch.localSize <= launch.localRank)
    fatal("srun says that rank %d is task %d of %d on its node: start it by "
          "srun in an allocation of its own",
          launch.rank, launch.localRank, launch.localSize);
  const char *job = variable("SLURM_JOB_ID"), *step = variable("SLURM_STEP_ID");
  launch.job =
      std::string("srun ") + (job ? job : "") + "." + (step ? step : "");
  const char *nodes = variable("SLURM_STEP_NODELIST");
  if (!nodes)
    nodes = variable("SLURM_JOB_NODELIST");
  if (nodes)
    launch.address = firstHost(nodes);
  return launch;
}

Launch readLaunch() {
  Launch launch;
  if (variable("RANK") && variable("WORLD_SIZE"))
    launch = readTorchrun();
  else if (variable("OMPI_COMM_WORLD_SIZE"))
    launch = readOpenMpi();
  else if (variable("SLURM_PROCID") && variable("SLURM_STEP_ID"))
    launch = readSlurm();
  if (launch.rank >= launch.size || launch.localRank >= launch.localSize)
    fatal("the launcher says that this is rank %d of %d, %d of %d on its node: "
          "start all ranks with one launcher",
          launch.rank, launch.size, launch.localRank, launch.localSize);
  launch.port = portOf(launch.job);
  if (variable("MASTER_PORT")) {
    launch.port = number("the launcher", "MASTER_PORT");
    // There torchrun's own agent listens.
    if (variable("TORCHELASTIC_RUN_ID"))
      ++launch.port;
  }
  if (launch.isOneNode())
    launch.address = "127.0.0.1";
  else if (const char *address = variable("MASTER_ADDR"))
    launch.address = address;
  if (launch.address.empty())
    fatal("the ranks are on several nodes and do not know where rank 0 is: "
          "start it as 'mpirun -x MASTER_ADDR=HOST -x MASTER_PORT=29500 ...', "
          "HOST being the first node");
  return launch;
}

} // namespace tessera
