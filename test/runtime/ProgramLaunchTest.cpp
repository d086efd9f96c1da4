//===- ProgramLaunchTest.cpp - How executables are started ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/CpuFeatures.h"
#include "test/runtime/ProgramTest.h"
#include <sched.h>

using namespace tessera::runtime;

namespace {

using Environment = std::vector<std::string>;

/// The variables of each launcher for rank \p rank of 2.
std::vector<Environment> launchers(int rank) {
  std::string number = std::to_string(rank);
  return {
      {"RANK=" + number, "WORLD_SIZE=2"},
      {"OMPI_COMM_WORLD_RANK=" + number, "OMPI_COMM_WORLD_SIZE=2"},
      {"PMI_RANK=" + number, "PMI_SIZE=2"},
      {"SLURM_PROCID=" + number, "SLURM_STEP_ID=0", "SLURM_STEP_NUM_TASKS=2"}};
}

TEST_F(ProgramTest, OneRankStartedTwiceIsRefusedBeforeAnythingIsOpened) {
  for (const Environment &launcher : launchers(0)) {
    fails("fake-1", "train --data @data --log @log --save @w",
          "compiled for 1 rank, started with 2 by ", launcher);
    fails("fake-1", "grads --data @data --init @w --out @g",
          "--allow-unlaunched", launcher);
  }
  for (const Environment &launcher : launchers(1)) {
    Result result =
        runFake("fake-1", "train --data @data --log @log --save @w", launcher);
    EXPECT_EQ(result.code, 1);
    EXPECT_EQ(result.text, "");
  }
  fails("fake-1", "train --data @data --log @log",
        "compiled for 1 rank, started with 2 by PMIx", {"PMIX_RANK=1"});
  EXPECT_FALSE(exists("log"));
  EXPECT_FALSE(exists("w"));
  std::vector<std::string> words =
      command("fake-1", "train --data @data --log @log");
  words.insert(words.begin(),
               {"mpirun", "-np", "2", "--oversubscribe", "--bind-to", "none"});
  Result result = run(words);
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.text.find("compiled for 1 rank, started with 2 by mpirun"),
            std::string::npos)
      << result.text;
  EXPECT_FALSE(exists("log"));
}

TEST_F(ProgramTest, OneRankStartedTwiceTrainsWhereThatIsAllowed) {
  for (const Environment &launcher : launchers(1)) {
    Result result = runFake(
        "fake-1", "train --data @data --steps 2 --save @w --allow-unlaunched",
        launcher);
    EXPECT_EQ(result.code, 0) << result.text;
    EXPECT_NE(result.text.find("done: 2 steps"), std::string::npos);
    EXPECT_TRUE(exists("w"));
    run({"rm", file("w")});
  }
}

TEST_F(ProgramTest, OfOneRanksWorkTheOthersSayThatTheyHaveNone) {
  ASSERT_EQ(runFake("fake-1", "train --data @data --steps 2 --save @w "
                              "--checkpoint-dir @c")
                .code,
            0);
  // The fakes have no programs for eval and generate, which is what they say.
  std::pair<const char *, const char *> commands[] = {
      {"info", "parameters"},
      {"eval --data @data --init @w", "has no program 'eval'"},
      {"generate --init @w --prompt a --max-tokens 4",
       "has no program 'predict'"},
      {"export --checkpoint-dir @c --out @out", ""}};
  for (auto [rest, printed] : commands) {
    std::string name(rest, strcspn(rest, " "));
    for (const char *fake : {"fake-1", "fake-2-0"}) {
      for (const Environment &launcher : launchers(1)) {
        Result result = runDirectly(fake, rest, launcher);
        EXPECT_EQ(result.code, 0);
        EXPECT_EQ(result.text, std::string(fake) +
                                   ": rank 1 has nothing to "
                                   "do: '" +
                                   name +
                                   "' is the work of one "
                                   "rank, and rank 0 does it\n");
      }
      for (const Environment &launcher : launchers(0)) {
        Result result = runDirectly(fake, rest, launcher);
        EXPECT_NE(result.text.find(printed), std::string::npos) << result.text;
        EXPECT_EQ(result.text.find("nothing to do"), std::string::npos);
      }
    }
  }
}

TEST_F(ProgramTest, ARankAloneIsNoLauncher) {
  Result result = runFake("fake-1", "info", {"RANK=3"});
  EXPECT_EQ(result.code, 0);
  EXPECT_NE(result.text.find("parameters"), std::string::npos) << result.text;
}

TEST_F(ProgramTest, AnotherWorldThanTheLaunchersIsRefused) {
  Result result = runDirectly("fake-2-0", "train --data @data");
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.text.find("compiled for 2 ranks, started with 1"),
            std::string::npos)
      << result.text;
  std::vector<std::string> words = command("fake-2-0", "train --data @data");
  words[2] = "3";
  result = run(words);
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.text.find("compiled for 2 ranks, started with 3"),
            std::string::npos)
      << result.text;
  result = runDirectly("fake-2-0", "train --data @data", launchers(0)[0]);
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.text.find("torchrun has started 2 processes that MPI knows "
                             "nothing of: start it as 'mpirun -np 2 "),
            std::string::npos)
      << result.text;
}

TEST_F(ProgramTest, AVariableThatMeansNothingIsRefusedByEachCommand) {
  fails("fake-1", "train --data @data --log @log",
        "TESSERA_TIMEOUT is 'soon': it takes a number of seconds",
        {"TESSERA_TIMEOUT=soon"});
  fails("fake-2-0", "train --data @data --log @log",
        "TESSERA_TIMEOUT is '0': it takes a number of seconds",
        {"TESSERA_TIMEOUT=0"});
  fails("fake-1", "info", "TESSERA_COMM is 'fast'", {"TESSERA_COMM=fast"});
  fails("fake-1", "info", "TESSERA_SECRET has 3 characters",
        {"TESSERA_SECRET=abc"});
  EXPECT_FALSE(exists("log"));
}

TEST_F(ProgramTest, TakesTheThreadsThatAreAskedFor) {
  std::string train = "train --data @data --steps 1";
  auto says = [&](const Environment &environment, const std::string &threads) {
    Result result = runFake("fake-1", train, environment);
    EXPECT_EQ(result.code, 0) << result.text;
    EXPECT_NE(result.text.find(threads), std::string::npos) << result.text;
  };
  says({"OMP_NUM_THREADS=1"}, ", 1 thread each");
  says({"OMP_NUM_THREADS=3"}, ", 3 threads each");
  says({"OMP_NUM_THREADS=2,4"}, ", 2 threads each");
  // What the specification says holds.
  says({"OMP_NUM_THREADS=3", "FAKE_THREADS=2"}, ", 2 threads each");
  says({"OMP_NUM_THREADS=many", "FAKE_THREADS=2"}, ", 2 threads each");
  for (const char *value : {"many", "0", "-1", "2 threads"})
    fails("fake-1", train, "OMP_NUM_THREADS is '" + std::string(value) + "': ",
          {"OMP_NUM_THREADS=" + std::string(value)});
}

/// Keeps this process and those that it starts to one core.
class OneCore {
public:
  OneCore() {
    sched_getaffinity(0, sizeof before, &before);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int core = 0; core < CPU_SETSIZE && !CPU_COUNT(&one); ++core)
      if (CPU_ISSET(core, &before))
        CPU_SET(core, &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  ~OneCore() { sched_setaffinity(0, sizeof before, &before); }
  OneCore(const OneCore &) = delete;

private:
  cpu_set_t before;
};

TEST_F(ProgramTest, WarnsOfMoreThreadsThanCores) {
  OneCore binding;
  std::string train = "train --data @data --steps 1";
  auto says = [&](const std::string &fake, const Environment &environment) {
    Result result = runFake(fake, train, environment);
    EXPECT_EQ(result.code, 0) << result.text;
    return result.text;
  };
  std::string text = says("fake-1", {"FAKE_THREADS=3"});
  EXPECT_NE(text.find("rank 0 has 3 threads on 1 core, which may make steps "
                      "several times slower: let it run on more cores, or "
                      "compile with --set target.cpu.threads=1"),
            std::string::npos)
      << text;
  text = says("fake-1", {"OMP_NUM_THREADS=2"});
  EXPECT_NE(text.find("rank 0 has 2 threads on 1 core"), std::string::npos);
  EXPECT_NE(text.find("or set OMP_NUM_THREADS=1"), std::string::npos) << text;
  text = says("fake-2-3", {"FAKE_THREADS=2"});
  EXPECT_NE(text.find("rank 0 has 2 threads on 1 core"), std::string::npos);
  EXPECT_NE(text.find("give it more cores ('mpirun --bind-to none'"),
            std::string::npos)
      << text;
  for (const Environment &environment :
       {Environment(), {"FAKE_THREADS=1"}, {"OMP_NUM_THREADS=1"}}) {
    text = says("fake-1", environment);
    EXPECT_NE(text.find(", 1 thread each"), std::string::npos) << text;
    EXPECT_EQ(text.find("warning"), std::string::npos) << text;
  }
}

/// mpirun with the fake of two ranks as one rank and \p other as the other one.
std::vector<std::string> besideFake(const std::vector<std::string> &fake,
                                    const std::vector<std::string> &other,
                                    bool fakeFirst) {
  std::vector<std::string> words = {"mpirun", "--oversubscribe", "--bind-to",
                                    "none"};
  for (bool isFake : {fakeFirst, !fakeFirst}) {
    if (words.size() > 4)
      words.push_back(":");
    words.insert(words.end(), {"-np", "1"});
    const std::vector<std::string> &part = isFake ? fake : other;
    words.insert(words.end(), part.begin(), part.end());
  }
  return words;
}

TEST_F(ProgramTest, ACpuThatLacksWhatTheCodeUsesIsRefused) {
  ASSERT_EQ(runFake("fake-1", "train --data @data --steps 2 --save @w").code,
            0);
  Environment foreign = {"FAKE_CPU_FEATURES=sse3,no-such,sse4.2,nor-this"};
  const char *message =
      "this machine's CPU lacks no-such and nor-this, which the "
      "executable's code uses (compiled for ";
  fails("fake-1", "train --data @data --log @log", message, foreign);
  fails("fake-1", "grads --data @data --init @w --out @g", message, foreign);
  fails("fake-1", "eval --data @data --init @w", message, foreign);
  fails("fake-1", "generate --init @w --prompt a --max-tokens 4", message,
        foreign);
  fails("fake-1", "train --data @data",
        std::string("target.cpu.name=") + cpuLevel() + ", which this CPU runs",
        foreign);
  EXPECT_FALSE(exists("log"));
  EXPECT_EQ(runFake("fake-1", "info", foreign).code, 0);
  // One rank reports it, and none waits for another.
  Result result = runFake("fake-2-0", "train --data @data", foreign);
  EXPECT_EQ(result.code, 1);
  size_t first = result.text.find("no-such");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(result.text.find("no-such", first + 1), std::string::npos)
      << result.text;
  Environment own = {"FAKE_CPU_FEATURES=sse3,sse4.2,popcnt"};
  EXPECT_EQ(runFake("fake-1", "train --data @data --steps 1", own).code, 0);
}

TEST_F(ProgramTest, ARankThatNeverReachesMpiEndsTheOthersInTime) {
  std::vector<std::string> fake = command("fake-2-0", "train --data @data");
  fake.erase(fake.begin(), std::find_if(fake.begin(), fake.end(),
                                        [](const std::string &word) {
                                          return word.starts_with(FAKE_FOLDER);
                                        }));
  for (bool fakeFirst : {true, false}) {
    Process process(besideFake(fake, {"sleep", "300"}, fakeFirst),
                    {"TESSERA_TIMEOUT=2"});
    Result result = process.finish(60);
    EXPECT_NE(result.code, 0);
    EXPECT_LT(result.seconds, 30);
    EXPECT_NE(
        result.text.find("waited 2 s for the other ranks in the start of MPI: "
                         "the run stops; TESSERA_TIMEOUT=SECONDS allows "
                         "more"),
        std::string::npos)
        << result.text;
  }
}

} // namespace
