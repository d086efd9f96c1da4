//===- ProgramFaultTest.cpp - Whole executables when things go wrong ------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/runtime/ProgramTest.h"
#include "test/runtime/Sanitizers.h"
#include <cfloat>
#include <csignal>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

using namespace tessera::runtime;

namespace {

// The third and fourth step change neither weights nor moments nor Adam's
// count.
TEST_F(ProgramTest, SkipsStepsThatAreNotFinite) {
  std::vector<std::string> skip = {"FAKE_NON_FINITE=skip", "FAKE_NAN=3,4"};
  for (const char *fake : {"fake-1", "fake-2-0", "fake-4-1", "fake-2-3"}) {
    run({"rm", "-rf", file("c"), file("d")});
    forget({"log"});
    std::string train =
        std::string(sequential) + "--log @log --checkpoint-dir ";
    Result result = runFake(fake, train + "@c --steps 4 --save @skipped", skip);
    ASSERT_EQ(result.code, 0) << result.text;
    EXPECT_NE(result.text.find("at step 4: it is skipped, the 2. of at most 2"),
              std::string::npos)
        << result.text;
    std::stringstream lines(read("log"));
    std::string line;
    for (int step = 1; std::getline(lines, line); ++step)
      EXPECT_EQ(nlohmann::json::parse(line).contains("skipped"), step > 2);
    ASSERT_EQ(
        runFake(fake, std::string(sequential) + "--steps 2 --save @w").code, 0);
    EXPECT_EQ(read("skipped"), read("w"));
    // Learning goes on as if Adam had made two steps.
    ASSERT_EQ(
        runFake(fake, train + "@c --steps 6 --resume --save @after", skip).code,
        0);
    forget({"log"});
    ASSERT_EQ(runFake(fake, train + "@d --steps 6 --save @through", skip).code,
              0);
    EXPECT_EQ(read("after"), read("through"));
    EXPECT_NE(read("after"), read("w"));
  }
}

TEST_F(ProgramTest, StopsAfterTooManySkippedSteps) {
  fails("fake-2-3", "train --data @data",
        "at step 5, after 2 skipped steps in a row, which is all that "
        "training.max_skips allows",
        {"FAKE_NON_FINITE=skip", "FAKE_NAN=3,4,5"});
  fails("fake-2-3", "train --data @data",
        "at step 3: the run stops before the weights are lost", {"FAKE_NAN=3"});
}

TEST_F(ProgramTest, TellsOfSpikes) {
  Result result = runFake("fake-2-1", "train --data @data --steps 60 --log @l",
                          {"FAKE_SPIKE=45"});
  ASSERT_EQ(result.code, 0) << result.text;
  EXPECT_NE(result.text.find("warning: rank 0: the loss of step 45, "),
            std::string::npos)
      << result.text;
  std::stringstream lines(read("l"));
  std::string line;
  for (int step = 1; std::getline(lines, line); ++step)
    EXPECT_EQ(nlohmann::json::parse(line).contains("spike"), step == 45);
}

TEST_F(ProgramTest, PeersOfAKilledRankEndWithAMessage) {
  for (const char *form : {"shared", "messages"}) {
    Process process(
        command("fake-2-3", std::string("train --data @data --steps 10000000 "
                                        "--checkpoint-dir @") +
                                form),
        {std::string("TESSERA_COMM=") + form});
    ASSERT_TRUE(process.waitFor(" 100/10000000"));
    std::vector<pid_t> ranks = childrenOf(process.id());
    ASSERT_EQ(ranks.size(), 2u);
    kill(ranks[0], SIGKILL);
    Result result = process.finish(10);
    EXPECT_NE(result.code, 0);
    EXPECT_LT(result.seconds, 10);
    // mpirun reports the rank; over shared memory its peer does, too.
    EXPECT_TRUE(result.text.find("Killed") != std::string::npos ||
                result.text.find("has died") != std::string::npos)
        << result.text;
    // mpirun may exit before the processes that it has killed.
    EXPECT_TRUE(endsWithin(ranks[1], 5));
  }
}

// Without mpirun's help: the survivor itself sees that its peer is gone.
TEST_F(ProgramTest, RanksWatchTheirPeers) {
  std::vector<std::string> words =
      command("fake-2-3", "train --data @data --steps 10000000");
  words.insert(words.begin() + 1, {"--mca", "orte_abort_on_non_zero_status",
                                   "0", "--enable-recovery"});
  Process process(words);
  ASSERT_TRUE(process.waitFor(" 100/10000000"));
  std::vector<pid_t> ranks = childrenOf(process.id());
  ASSERT_EQ(ranks.size(), 2u);
  kill(ranks[1], SIGKILL);
  EXPECT_TRUE(process.waitFor(") has died: the run stops; start it again with "
                              "--resume"))
      << process.text();
}

/// That \p text names rank 2 as the one that is missing, the operation, its
/// group where it has one, and the step.
void expectRank2IsMissing(const std::string &text) {
  EXPECT_TRUE(std::regex_search(
      text, std::regex("waited 2 s for rank 2 in (the "
                       "(reduce_scatter|all_gather) of group "
                       "'(table|output)'|the all_reduce|a meeting of all "
                       "ranks) of step [0-9]+: the run stops")))
      << text;
}

TEST_F(ProgramTest, WaitingHasATimeLimit) {
  for (const char *form : {"shared", "messages"}) {
    Process process(command("fake-4-3", "train --data @data --steps 10000000"),
                    {"TESSERA_TIMEOUT=2", std::string("TESSERA_COMM=") + form});
    ASSERT_TRUE(process.waitFor(" 100/10000000"));
    std::vector<pid_t> ranks = childrenOf(process.id());
    ASSERT_EQ(ranks.size(), 4u);
    std::sort(ranks.begin(), ranks.end());
    kill(ranks[2], SIGSTOP);
    EXPECT_TRUE(process.waitFor("TESSERA_TIMEOUT=SECONDS allows more"));
    kill(ranks[2], SIGCONT);
    EXPECT_NE(process.finish(20).code, 0);
    expectRank2IsMissing(process.text());
  }
}

// A rank whose own wait has just begun is none that hangs.
TEST_F(ProgramTest, WhoWaitsForTheMissingIsNotMissing) {
  Process process(command("fake-4-3", "train --data @data --steps 10000000"),
                  {"TESSERA_TIMEOUT=2", "TESSERA_COMM=messages"});
  ASSERT_TRUE(process.waitFor(" 100/10000000"));
  std::vector<pid_t> ranks = childrenOf(process.id());
  ASSERT_EQ(ranks.size(), 4u);
  std::sort(ranks.begin(), ranks.end());
  kill(ranks[0], SIGSTOP);
  usleep(200'000);
  kill(ranks[2], SIGSTOP);
  // Ranks 1 and 3 have waited for 2 s and look who answers.
  usleep(2'800'000);
  kill(ranks[0], SIGCONT);
  EXPECT_TRUE(process.waitFor("TESSERA_TIMEOUT=SECONDS allows more"));
  kill(ranks[2], SIGCONT);
  EXPECT_NE(process.finish(20).code, 0);
  expectRank2IsMissing(process.text());
}

TEST_F(ProgramTest, ASignalEndsTheRunWithACheckpoint) {
  std::string train = "train --data @data --checkpoint-dir @c --log @log ";
  Process process(command("fake-1", train + "--steps 10000000"));
  ASSERT_TRUE(process.waitFor(" 20/10000000"));
  kill(process.id(), SIGTERM);
  Result result = process.finish();
  EXPECT_EQ(result.code, 128 + SIGTERM);
  EXPECT_NE(result.text.find("--resume goes on from there"), std::string::npos);
  int last = losses("log").rbegin()->first;
  result =
      runFake("fake-1", train + "--resume --steps " + std::to_string(last + 2));
  EXPECT_NE(result.text.find("resumed      after step " + std::to_string(last)),
            std::string::npos)
      << result.text;
}

/// The words of a shell that runs \p words with its standard output at \p to.
std::vector<std::string> redirected(const std::vector<std::string> &words,
                                    const std::string &to) {
  std::vector<std::string> shell = {"sh", "-c", "exec \"$@\" " + to, "sh"};
  shell.insert(shell.end(), words.begin(), words.end());
  return shell;
}

TEST_F(ProgramTest, ResultsThatCannotBePrintedAreAnError) {
  ASSERT_EQ(runFake("fake-1", "train --data @data --steps 2 --save @w "
                              "--checkpoint-dir @c")
                .code,
            0);
  std::string commands[] = {"info",
                            "info --json",
                            "--help",
                            "train --help",
                            "export --checkpoint-dir @c --out @out",
                            "grads --data @data --init @w --out @g",
                            "train --data @data --steps 2"};
  for (const std::string &rest : commands)
    for (const char *to : {">/dev/full", ">&-"}) {
      Result result = run(redirected(command("fake-1", rest), to));
      // The steps of a run count, not who still reads of them.
      if (rest.starts_with("train --data") && strcmp(to, ">&-") == 0) {
        EXPECT_EQ(result.code, 0) << result.text;
        continue;
      }
      EXPECT_EQ(result.code, 1) << rest << to;
      EXPECT_NE(result.text.find("fake-1: error: cannot write all results to "
                                 "standard output"),
                std::string::npos)
          << rest << to << result.text;
    }
  EXPECT_TRUE(exists("out"));
  // A pipe that nobody reads, without the signal.
  std::string script =
      "trap '' PIPE; { sleep 1; exec \"$@\"; } | true; exit ${PIPESTATUS[0]}";
  std::vector<std::string> words = command("fake-1", "info");
  words.insert(words.begin(), {"bash", "-c", script, "bash"});
  Result result = run(words);
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.text.find("output: Broken pipe"), std::string::npos)
      << result.text;
}

TEST_F(ProgramTest, MemoryThatThereIsNotIsAnError) {
  if (sanitizerHasMemory)
    GTEST_SKIP();
  ASSERT_EQ(
      runFake("fake-1", "train --data @data --steps 2 --checkpoint-dir @c")
          .code,
      0);
  // An index of 200 MiB, which is less than is allowed, within 186 MiB.
  truncate(file(inCheckpoint(2, "checkpoint.json")).c_str(), 200 << 20);
  std::vector<std::string> words =
      command("fake-1", "export --checkpoint-dir @c --out @out");
  words.insert(words.begin(),
               {"sh", "-c", "ulimit -v 190000; exec \"$@\"", "sh"});
  Result result = run(words);
  EXPECT_EQ(result.code, 1);
  EXPECT_TRUE(std::regex_search(
      result.text,
      std::regex("^fake-1: error: cannot get 2097152[0-9]+ bytes of memory")))
      << result.text;
  EXPECT_FALSE(exists("out"));
}

TEST_F(ProgramTest, StopsBeforeTheWeightsAreLost) {
  SafetensorsWriter writer(file("w"));
  // Finite, as weights must be, and too large to compute with.
  std::vector<float> values(2048, FLT_MAX);
  writer.declare("table.weight", {256, 8});
  writer.declare("output.weight", {256, 8});
  writer.declare("output.bias", {256});
  writer.declare("output.correction", {5});
  writer.begin();
  for (int64_t count : {2048, 2048, 256, 5})
    writer.write(values.data(), count);
  writer.commit();
  fails("fake-2-1", "train --data @data --init @w",
        "lower the learning rate or resume");
}

} // namespace
