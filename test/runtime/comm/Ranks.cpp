//===- Ranks.cpp - Ranks as processes of a test ---------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/runtime/comm/Ranks.h"
#include "runtime/core/Error.h"
#include <cstring>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using std::to_string;

static constexpr const char *prefixes[] = {
    "OMPI_",  "PMIX_",      "SLURM_",         "MASTER_",  "TORCHELASTIC_",
    "RANK=",  "WORLD_SIZE", "LOCAL_",         "TESSERA_", "FAKE_CUDA_",
    "GROUP_", "ROLE_",      "CUDA_VISIBLE_D", "NCCL_"};

/// Apart from what other runs of this test on this machine use.
static std::string job() { return "test-" + to_string(getppid()); }

Environment torchrunEnvironment(int rank, int size) {
  return {{"RANK", to_string(rank)},
          {"WORLD_SIZE", to_string(size)},
          {"LOCAL_RANK", to_string(rank)},
          {"LOCAL_WORLD_SIZE", to_string(size)},
          {"TORCHELASTIC_RUN_ID", job()},
          {"MASTER_ADDR", "localhost"},
          {"MASTER_PORT", to_string(30000 + getppid() % 2000)}};
}

Environment mpirunEnvironment(int rank, int size) {
  return {{"OMPI_COMM_WORLD_RANK", to_string(rank)},
          {"OMPI_COMM_WORLD_SIZE", to_string(size)},
          {"OMPI_COMM_WORLD_LOCAL_RANK", to_string(rank)},
          {"OMPI_COMM_WORLD_LOCAL_SIZE", to_string(size)},
          {"PMIX_NAMESPACE", job()}};
}

Environment srunEnvironment(int rank, int size) {
  return {{"SLURM_PROCID", to_string(rank)},
          {"SLURM_STEP_NUM_TASKS", to_string(size)},
          {"SLURM_LOCALID", to_string(rank)},
          {"SLURM_NODEID", "0"},
          {"SLURM_STEP_TASKS_PER_NODE", to_string(size)},
          {"SLURM_STEP_NODELIST", "gpu[03]"},
          {"SLURM_JOB_ID", job()},
          {"SLURM_STEP_ID", "0"}};
}

void setEnvironment(const Environment &environment) {
  std::vector<std::string> names;
  for (char **entry = environ; *entry; ++entry)
    for (const char *prefix : prefixes)
      if (std::string_view(*entry).starts_with(prefix))
        names.emplace_back(*entry, strchr(*entry, '='));
  for (const std::string &name : names)
    unsetenv(name.c_str());
  for (const auto &[name, value] : environment)
    setenv(name.c_str(), value.c_str(), 1);
}

std::vector<RankResult> runRanks(int size, LauncherEnvironment launcher,
                                 const Environment &more,
                                 const std::function<void(int rank)> &body) {
  std::vector<pid_t> processes;
  std::vector<int> errors;
  fflush(nullptr);
  for (int rank = 0; rank < size; ++rank) {
    errors.push_back(memfd_create("stderr", 0));
    pid_t process = fork();
    if (process == 0) {
      alarm(120);
      dup2(errors.back(), STDERR_FILENO);
      Environment environment = launcher(rank, size);
      environment.insert(more.begin(), more.end());
      setEnvironment(environment);
      tessera::runtime::setErrorContext("program", rank, size);
      body(rank);
      fflush(stdout); // what has failed
      _exit(testing::Test::HasFailure() ? 9 : 0);
    }
    processes.push_back(process);
  }
  std::vector<RankResult> results(size);
  for (int rank = 0; rank < size; ++rank) {
    int status = 0;
    waitpid(processes[rank], &status, 0);
    RankResult &result = results[rank];
    result.code =
        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.error.resize(lseek(errors[rank], 0, SEEK_END));
    EXPECT_EQ(pread(errors[rank], result.error.data(), result.error.size(), 0),
              static_cast<ssize_t>(result.error.size()));
    close(errors[rank]);
  }
  return results;
}

void expectSuccess(const std::vector<RankResult> &results) {
  for (size_t rank = 0; rank < results.size(); ++rank) {
    EXPECT_EQ(results[rank].code, 0) << "rank " << rank;
    EXPECT_EQ(results[rank].error, "") << "rank " << rank;
  }
}
