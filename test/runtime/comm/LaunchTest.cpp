//===- LaunchTest.cpp - Tests of what launchers set -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/comm/Launch.h"
#include "test/runtime/comm/Ranks.h"
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

TEST(Launch, AloneWithoutALauncher) {
  setEnvironment({});
  Launch launch = readLaunch();
  EXPECT_EQ(launch.rank, 0);
  EXPECT_EQ(launch.size, 1);
}

TEST(Launch, ReadsEachLauncher) {
  for (LauncherEnvironment launcher :
       {torchrunEnvironment, mpirunEnvironment, srunEnvironment}) {
    setEnvironment(launcher(2, 3));
    Launch launch = readLaunch();
    EXPECT_EQ(launch.rank, 2);
    EXPECT_EQ(launch.size, 3);
    EXPECT_EQ(launch.localRank, 2);
    EXPECT_EQ(launch.localSize, 3);
    EXPECT_EQ(launch.address, "127.0.0.1");
    EXPECT_NE(launch.job.find("test-"), std::string::npos);
  }
}

TEST(Launch, LeavesTheAgentsPortAlone) {
  Environment environment = torchrunEnvironment(0, 1);
  environment["MASTER_PORT"] = "29500";
  setEnvironment(environment);
  EXPECT_EQ(readLaunch().port, 29501);
  environment.erase("TORCHELASTIC_RUN_ID");
  setEnvironment(environment);
  EXPECT_EQ(readLaunch().port, 29500);
}

TEST(Launch, OpenMpiInsideAJobOfSlurm) {
  Environment environment = srunEnvironment(0, 1);
  environment.merge(mpirunEnvironment(1, 2));
  setEnvironment(environment);
  EXPECT_EQ(readLaunch().rank, 1);
}

TEST(Launch, SeveralNodesOfSlurm) {
  setEnvironment({{"SLURM_PROCID", "4"},
                  {"SLURM_NTASKS", "5"},
                  {"SLURM_LOCALID", "0"},
                  {"SLURM_NODEID", "2"},
                  {"SLURM_TASKS_PER_NODE", "2(x2),1"},
                  {"SLURM_JOB_NODELIST", "gpu[03-04,9]"},
                  {"SLURM_JOB_ID", "7"},
                  {"SLURM_STEP_ID", "1"}});
  Launch launch = readLaunch();
  EXPECT_EQ(launch.localSize, 1);
  EXPECT_EQ(launch.address, "gpu03");
  EXPECT_EQ(launch.job, "srun 7.1");
}

TEST(Launch, ReadsListsOfSlurm) {
  EXPECT_EQ(firstHost("gpu7"), "gpu7");
  EXPECT_EQ(firstHost("gpu7,gpu8"), "gpu7");
  EXPECT_EQ(firstHost("node[01-04,7]"), "node01");
  EXPECT_EQ(firstHost("rack[2,5]n[10-12]-ib,login"), "rack2n10-ib");
  EXPECT_EQ(tasksOnNode("4", 0), 4);
  EXPECT_EQ(tasksOnNode("4(x2),1", 1), 4);
  EXPECT_EQ(tasksOnNode("4(x2),1", 2), 1);
  EXPECT_EQ(tasksOnNode("4(x2),1", 3), 0);
}

using LaunchDeathTest = testing::Test;

TEST(LaunchDeathTest, SaysWhatIsMissing) {
  Environment nodes = mpirunEnvironment(0, 4);
  nodes["OMPI_COMM_WORLD_LOCAL_SIZE"] = "2";
  setEnvironment(nodes);
  EXPECT_EXIT(readLaunch(), testing::ExitedWithCode(1),
              "mpirun -x MASTER_ADDR=HOST -x MASTER_PORT=29500");
  Environment environment = torchrunEnvironment(0, 2);
  environment.erase("LOCAL_RANK");
  setEnvironment(environment);
  EXPECT_EXIT(readLaunch(), testing::ExitedWithCode(1),
              "started by torchrun, which has not set LOCAL_RANK");
  environment["LOCAL_RANK"] = "one";
  setEnvironment(environment);
  EXPECT_EXIT(readLaunch(), testing::ExitedWithCode(1),
              "LOCAL_RANK is 'one', which is no number");
  environment["LOCAL_RANK"] = "2";
  setEnvironment(environment);
  EXPECT_EXIT(readLaunch(), testing::ExitedWithCode(1), "2 of 2 on its node");
}

} // namespace
