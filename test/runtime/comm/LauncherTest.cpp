//===- LauncherTest.cpp - Tests of who has started a process --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Launcher.h"
#include <cstdlib>
#include <gtest/gtest.h>
#include <map>
#include <string>

using namespace tessera::runtime;

namespace {

class LauncherTest : public testing::Test {
protected:
  using Variables = std::map<std::string, std::string>;

  /// Takes the place of what was set before.
  void set(const Variables &variables) {
    for (const auto &[name, value] : given)
      unsetenv(name.c_str());
    given = variables;
    for (const auto &[name, value] : given)
      setenv(name.c_str(), value.c_str(), 1);
  }
  void TearDown() override { set({}); }

  void expect(const Variables &variables, Launcher launcher, int rank,
              int size) {
    set(variables);
    Started started = readLauncher();
    EXPECT_EQ(started.launcher, launcher);
    EXPECT_EQ(started.rank, rank);
    EXPECT_EQ(started.size, size);
  }

  Variables given;
};

TEST_F(LauncherTest, KnowsEachLauncher) {
  expect({}, Launcher::None, 0, 1);
  expect({{"RANK", "2"}, {"WORLD_SIZE", "3"}}, Launcher::Torchrun, 2, 3);
  expect({{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "4"}},
         Launcher::OpenMpi, 1, 4);
  expect({{"SLURM_PROCID", "1"},
          {"SLURM_STEP_ID", "0"},
          {"SLURM_STEP_NUM_TASKS", "2"},
          {"SLURM_NTASKS", "8"}},
         Launcher::Slurm, 1, 2);
  expect({{"SLURM_PROCID", "1"}, {"SLURM_STEP_ID", "0"}, {"SLURM_NTASKS", "8"}},
         Launcher::Slurm, 1, 8);
  expect({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}}, Launcher::Pmi, 1, 2);
  expect({{"PMIX_RANK", "3"}}, Launcher::Pmix, 3, 4);
}

TEST_F(LauncherTest, ARankWithoutASizeSaysNothing) {
  expect({{"RANK", "3"}}, Launcher::None, 0, 1);
  expect({{"RANK", "captain"}}, Launcher::None, 0, 1);
  expect({{"OMPI_COMM_WORLD_RANK", "3"}}, Launcher::None, 0, 1);
  expect({{"WORLD_SIZE", "3"}}, Launcher::None, 0, 1);
}

TEST_F(LauncherTest, ABatchScriptOrAShellIsNoTask) {
  for (const char *step : {"batch", "interactive", "4294967291", "4294967290"})
    expect(
        {{"SLURM_PROCID", "0"}, {"SLURM_STEP_ID", step}, {"SLURM_NTASKS", "8"}},
        Launcher::None, 0, 1);
  expect({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}}, Launcher::None, 0, 1);
}

TEST_F(LauncherTest, TheFirstThatHasStartedSeveralCounts) {
  expect({{"RANK", "0"},
          {"WORLD_SIZE", "1"},
          {"OMPI_COMM_WORLD_RANK", "1"},
          {"OMPI_COMM_WORLD_SIZE", "2"}},
         Launcher::OpenMpi, 1, 2);
  expect({{"RANK", "0"},
          {"WORLD_SIZE", "1"},
          {"SLURM_PROCID", "0"},
          {"SLURM_STEP_ID", "0"},
          {"SLURM_STEP_NUM_TASKS", "1"}},
         Launcher::Torchrun, 0, 1);
}

TEST_F(LauncherTest, TellsThePlaceOnTheNode) {
  set({{"OMPI_COMM_WORLD_RANK", "5"},
       {"OMPI_COMM_WORLD_SIZE", "8"},
       {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
       {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"}});
  EXPECT_EQ(readLauncher().localRank, 1);
  EXPECT_EQ(readLauncher().localSize, 4);
  set({{"PMIX_RANK", "1"}});
  EXPECT_FALSE(readLauncher().localRank);
}

using LauncherDeathTest = LauncherTest;

TEST_F(LauncherDeathTest, RefusesWhatIsNoNumber) {
  set({{"RANK", "one"}, {"WORLD_SIZE", "2"}});
  EXPECT_EXIT(readLauncher(), testing::ExitedWithCode(1),
              "RANK is 'one', which is no number: torchrun sets it");
  set({{"RANK", "2"}, {"WORLD_SIZE", "2"}});
  EXPECT_EXIT(readLauncher(), testing::ExitedWithCode(1),
              "RANK and WORLD_SIZE say that this is rank 2 of 2");
}

} // namespace
