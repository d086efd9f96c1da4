//===- ProgramTest.cpp - Runs of whole executables ------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// FakeProgram.cpp at several numbers of ranks and stages, linked as the
// compiler links: what they print, save, resume and refuse.
//
//===----------------------------------------------------------------------===//

#include "runtime/CheckpointIndex.h"
#include "runtime/Safetensors.h"
#include "test/runtime/Process.h"
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace tessera;

namespace {

class ProgramTest : public testing::Test {
protected:
  void SetUp() override {
    char pattern[] = "/tmp/tessera-test-XXXXXX";
    folder = mkdtemp(pattern);
    std::ofstream data(file("data"));
    for (int i = 0; i < 4000; ++i)
      data << "tiles of glass and stone, " << i * i % 97 << "; ";
  }
  void TearDown() override { run({"rm", "-rf", folder}); }

  std::string file(const std::string &name) const {
    return folder + "/" + name;
  }

  /// The command of a fake: under mpirun where its name says that it has
  /// several ranks.
  std::vector<std::string> command(const std::string &fake,
                                   const std::string &rest) const {
    std::vector<std::string> words;
    std::string ranks = fake.substr(5, 1);
    if (ranks != "1")
      words = {"mpirun", "-np", ranks, "--oversubscribe", "--bind-to", "none"};
    words.push_back(std::string(FAKE_FOLDER) + "/" + fake);
    std::stringstream stream(rest);
    std::string word;
    while (stream >> word) {
      if (word[0] == '@')
        word = file(word.substr(1));
      words.push_back(word);
    }
    return words;
  }

  Result runFake(const std::string &fake, const std::string &rest,
                 const std::vector<std::string> &environment = {}) {
    return run(command(fake, rest), environment);
  }

  std::string read(const std::string &name) const {
    std::ifstream stream(file(name), std::ios::binary);
    std::stringstream content;
    content << stream.rdbuf();
    return content.str();
  }

  /// "loss grad_norm" by step, as printed; the last line of a step counts.
  std::map<int, std::string> losses(const std::string &log) const {
    std::map<int, std::string> result;
    std::stringstream lines(read(log));
    std::string line;
    while (std::getline(lines, line)) {
      nlohmann::json j = nlohmann::json::parse(line);
      size_t begin = line.find("\"loss\""), end = line.find(", \"lr\"");
      result[j.at("step")] = line.substr(begin, end - begin);
    }
    return result;
  }

  std::map<std::string, std::vector<float>> tensors(const std::string &name) {
    std::map<std::string, std::vector<float>> result;
    std::string error;
    auto opened = SafetensorsFile::open(file(name), error);
    EXPECT_TRUE(opened) << error;
    if (opened)
      for (const auto &[key, tensor] : opened->tensors()) {
        result[key].resize(tensor.elements());
        copyAsFloat(tensor, 0, tensor.elements(), result[key].data());
      }
    return result;
  }

  /// A file of the checkpoint of \p step in the folder "c".
  std::string inCheckpoint(int step, const std::string &name) const {
    char folder[64];
    snprintf(folder, sizeof folder, "c/step-%012d/", step);
    return folder + name;
  }

  bool exists(const std::string &name) const {
    return access(file(name).c_str(), F_OK) == 0;
  }

  /// Flips one bit of a file.
  void flip(const std::string &name, size_t byte, int bit) const {
    std::string content = read(name);
    ASSERT_LT(byte, content.size());
    content[byte] ^= static_cast<char>(1 << bit);
    std::ofstream(file(name), std::ios::binary) << content;
  }

  void fails(const std::string &fake, const std::string &rest,
             const std::string &message,
             const std::vector<std::string> &environment = {}) {
    Result result = runFake(fake, rest, environment);
    EXPECT_EQ(result.code, 1) << result.text;
    EXPECT_NE(result.text.find(message), std::string::npos) << result.text;
  }

  std::string folder;
};

const char sequential[] = "train --data @data --order sequential ";

TEST_F(ProgramTest, TrainsAndLogs) {
  Result result =
      runFake("fake-1", "train --data @data --steps 60 --log @log --save @w");
  ASSERT_EQ(result.code, 0) << result.text;
  EXPECT_NE(result.text.find("step 60/60  loss "), std::string::npos);
  EXPECT_NE(result.text.find("peak resident memory"), std::string::npos);
  std::stringstream lines(read("log"));
  std::string line;
  std::vector<float> values;
  while (std::getline(lines, line)) {
    nlohmann::json j = nlohmann::json::parse(line);
    EXPECT_EQ(j.at("step"), values.size() + 1);
    for (const char *key : {"grad_norm", "lr", "ms", "tokens_per_second"})
      EXPECT_TRUE(j.at(key).is_number()) << key;
    EXPECT_FALSE(j.contains("allocations"));
    values.push_back(j.at("loss"));
  }
  ASSERT_EQ(values.size(), 60u);
  EXPECT_NEAR(values.front(), std::log(256), 0.5);
  EXPECT_LT(values.back(), 0.6f * values.front());
  EXPECT_EQ(tensors("w").size(), 4u);
}

TEST_F(ProgramTest, StagesAndFormsPrintTheSameLosses) {
  for (const char *world : {"2", "4"}) {
    std::map<int, std::string> expected;
    for (int stage = 0; stage < 4; ++stage)
      for (const char *form : {"shared", "messages"}) {
        Result result =
            runFake(std::string("fake-") + world + "-" + std::to_string(stage),
                    std::string(sequential) + "--log @log",
                    {std::string("TESSERA_COMM=") + form});
        ASSERT_EQ(result.code, 0) << result.text;
        if (expected.empty())
          expected = losses("log");
        EXPECT_EQ(expected.size(), 12u);
        EXPECT_EQ(losses("log"), expected) << world << stage << form;
      }
  }
}

TEST_F(ProgramTest, AccumulationAgreesWithRanks) {
  std::string grads = "grads --data @data --init @w --out ";
  ASSERT_EQ(runFake("fake-1", "train --data @data --steps 3 --save @w").code,
            0);
  for (const char *fake : {"fake-1-accumulated", "fake-2-3-accumulated",
                           "fake-4-0", "fake-4-1", "fake-4-2", "fake-4-3"}) {
    Result result = runFake(fake, grads + "@" + fake);
    ASSERT_EQ(result.code, 0) << result.text;
  }
  auto expected = tensors("fake-4-0");
  ASSERT_EQ(expected.size(), 5u);
  for (int stage = 1; stage < 4; ++stage)
    EXPECT_EQ(tensors("fake-4-" + std::to_string(stage)), expected);
  for (const char *fake : {"fake-1-accumulated", "fake-2-3-accumulated"})
    for (const auto &[name, values] : tensors(fake))
      for (size_t i = 0; i < values.size(); ++i)
        ASSERT_NEAR(values[i], expected[name][i],
                    1e-6 * std::max(1.0f, std::fabs(values[i])))
            << name;
}

// Gradients against central differences of the loss that `grads` reports.
TEST_F(ProgramTest, GradsAreTheDerivativesOfTheLoss) {
  ASSERT_EQ(runFake("fake-1", "train --data @data --steps 5 --save @w").code,
            0);
  ASSERT_EQ(runFake("fake-1", "grads --data @data --init @w --out @g").code, 0);
  auto weights = tensors("w"), gradients = tensors("g");
  auto lossWith = [&](const std::string &name, size_t i, float value) {
    SafetensorsWriter writer(file("moved"));
    for (const auto &[key, values] : weights)
      writer.declare(key, key == "output.bias" ? std::vector<int64_t>{256}
                          : key == "output.correction"
                              ? std::vector<int64_t>{5}
                              : std::vector<int64_t>{256, 8});
    writer.begin();
    for (auto [key, values] : weights) {
      if (key == name)
        values[i] = value;
      writer.write(values.data(), values.size());
    }
    writer.commit();
    EXPECT_EQ(
        runFake("fake-1", "grads --data @data --init @moved --out @m").code, 0);
    return tensors("m")["loss"][0];
  };
  // 't' = 116 and ' ' = 32 are in the data.
  std::pair<const char *, size_t> places[] = {{"table.weight", 116 * 8},
                                              {"output.weight", 32 * 8 + 1},
                                              {"output.bias", 116}};
  for (auto [name, i] : places) {
    float value = weights[name][i], step = 0.05f;
    double slope = (double(lossWith(name, i, value + step)) -
                    lossWith(name, i, value - step)) /
                   (2.0 * step);
    EXPECT_NEAR(gradients[name][i], slope, 2e-4) << name;
  }
}

TEST_F(ProgramTest, ResumesBitForBit) {
  for (const char *fake : {"fake-1", "fake-2-1", "fake-2-3"}) {
    std::string dir = std::string("@") + fake;
    ASSERT_EQ(runFake(fake, "train --data @data --log @whole").code, 0);
    Result result = runFake(fake, "train --data @data --steps 7 --log @log "
                                  "--checkpoint-every 3 --checkpoint-dir " +
                                      dir);
    ASSERT_EQ(result.code, 0) << result.text;
    result = runFake(
        fake, "train --data @data --log @log --resume --checkpoint-dir " + dir);
    ASSERT_EQ(result.code, 0) << result.text;
    EXPECT_NE(result.text.find("resumed      after step 7"), std::string::npos);
    EXPECT_EQ(losses("log"), losses("whole")) << fake;
  }
}

TEST_F(ProgramTest, ResumesAtAnotherStage) {
  ASSERT_EQ(runFake("fake-2-3", std::string(sequential) + "--log @whole").code,
            0);
  ASSERT_EQ(runFake("fake-2-0", std::string(sequential) +
                                    "--steps 5 --log @log --checkpoint-dir @c")
                .code,
            0);
  for (const char *fake : {"fake-2-3", "fake-2-1"}) {
    ASSERT_EQ(runFake(fake, "train --data @data --resume --checkpoint-dir @c "
                            "--log @log --steps " +
                                std::string(fake[7] == '3' ? "9" : "12"))
                  .code,
              0);
  }
  EXPECT_EQ(losses("log"), losses("whole"));
}

// A global batch of 8 samples on 4 ranks, then 2 x 2, then 1 x 4.
TEST_F(ProgramTest, ResumesOnOtherNumbersOfRanks) {
  ASSERT_EQ(runFake("fake-4-3", std::string(sequential) + "--log @whole").code,
            0);
  std::string train =
      std::string(sequential) + "--resume --log @log --checkpoint-dir @c ";
  for (auto [fake, steps] : {std::pair("fake-4-2", "4"),
                             {"fake-2-3-accumulated", "6"},
                             {"fake-1-accumulated", "8"},
                             {"fake-4-0", "10"},
                             {"fake-4-1", "12"}}) {
    Result result = runFake(fake, train + "--steps " + steps);
    ASSERT_EQ(result.code, 0) << fake << result.text;
  }
  auto expected = losses("whole"), actual = losses("log");
  ASSERT_EQ(actual.size(), 12u);
  for (auto [step, text] : actual) {
    double loss = atof(text.c_str() + strlen("\"loss\": "));
    double wanted = atof(expected[step].c_str() + strlen("\"loss\": "));
    EXPECT_NEAR(loss, wanted, 1e-5 * wanted) << step;
    if (step <= 4) {
      EXPECT_EQ(text, expected[step]);
    }
  }
}

TEST_F(ProgramTest, KeepsTwoCheckpointsAndFallsBackToTheOlder) {
  std::string train = "train --data @data --checkpoint-dir @c ";
  ASSERT_EQ(
      runFake("fake-2-3", train + "--steps 9 --checkpoint-every 2 --log @l")
          .code,
      0);
  for (int step = 1; step <= 9; ++step)
    EXPECT_EQ(exists(inCheckpoint(step, "checkpoint.json")), step >= 8) << step;
  ASSERT_EQ(run({"cp", "-r", file("c"), file("good")}).code, 0);
  size_t size = read(inCheckpoint(9, "rank-00001.safetensors")).size();
  struct Trial {
    const char *name;
    std::function<void(const std::string &)> damage;
    const char *message;
  };
  auto flipAt = [&](size_t byte, int bit) {
    return [=, this](const std::string &name) { flip(name, byte, bit); };
  };
  const Trial trials[] = {
      {"rank-00001.safetensors", flipAt(size - 1, 7), "is damaged: the"},
      {"rank-00000.safetensors", flipAt(20000, 0), "is damaged: the checksum"},
      {"rank-00000.safetensors", flipAt(0, 3), "is damaged: the checksum"},
      {"checkpoint.json", flipAt(17, 1), "is damaged: its checksum is another"},
      {"rank-00001.safetensors",
       [&](const std::string &name) { unlink(file(name).c_str()); },
       "No such file"},
      {"rank-00001.safetensors",
       [&](const std::string &name) {
         EXPECT_EQ(truncate(file(name).c_str(), 20000), 0);
       },
       "has 20000 bytes, not "},
      {"checkpoint.json",
       [&](const std::string &name) {
         EXPECT_EQ(truncate(file(name).c_str(), 100), 0);
       },
       "does not end with its checksum"}};
  for (const Trial &trial : trials) {
    run({"rm", "-rf", file("c")});
    ASSERT_EQ(run({"cp", "-r", file("good"), file("c")}).code, 0);
    std::string name = inCheckpoint(9, trial.name);
    trial.damage(name);
    Result result = runFake("fake-2-1", train + "--resume --steps 10");
    EXPECT_EQ(result.code, 0) << result.text;
    for (const std::string &part :
         {file(name), std::string(trial.message),
          std::string("trying the checkpoint before it"),
          std::string("resumed      after step 8")})
      EXPECT_NE(result.text.find(part), std::string::npos)
          << part << ": " << result.text;
    // The damaged one is gone, the good one before it is not.
    EXPECT_EQ(exists(inCheckpoint(9, "checkpoint.json")), false);
    EXPECT_TRUE(exists(inCheckpoint(8, "checkpoint.json")));
    EXPECT_TRUE(exists(inCheckpoint(10, "checkpoint.json")));
  }
  // None is left.
  run({"rm", "-rf", file("c")});
  ASSERT_EQ(run({"cp", "-r", file("good"), file("c")}).code, 0);
  for (int step : {8, 9})
    flip(inCheckpoint(step, "rank-00000.safetensors"), 3000, 5);
  fails("fake-2-3", train + "--resume --steps 10",
        "has no other checkpoint: restore it, or remove the directory");
  fails("fake-1", "export --checkpoint-dir @c --out @w",
        "has no other checkpoint");
}

TEST_F(ProgramTest, NeverTakesAnIncompleteCheckpoint) {
  std::string train = "train --data @data --checkpoint-dir @c ";
  ASSERT_EQ(runFake("fake-1", train + "--steps 4 --checkpoint-every 2").code,
            0);
  rename(file(inCheckpoint(4, "checkpoint.json")).c_str(),
         file(inCheckpoint(4, "checkpoint.json.tmp")).c_str());
  Result result = runFake("fake-1", train + "--resume --steps 3");
  EXPECT_NE(result.text.find("resumed      after step 2"), std::string::npos)
      << result.text;
  EXPECT_FALSE(exists(inCheckpoint(4, "")));
  fails("fake-1", train + "--steps 9",
        "has checkpoints of another run, up to step 3: --resume goes on");
}

TEST_F(ProgramTest, OneRunWritesToADirectory) {
  std::string train = "train --data @data --checkpoint-dir @c ";
  Process process(command("fake-1", train + "--steps 10000000"));
  ASSERT_TRUE(process.waitFor(" 20/10000000"));
  fails("fake-1", train + "--resume", "another run writes checkpoints to '");
  kill(process.id(), SIGKILL);
  process.finish();
  EXPECT_EQ(runFake("fake-1", train + "--resume").code, 0);
}

// The same checkpoints, the same losses, and nothing allocated meanwhile.
TEST_F(ProgramTest, WritesCheckpointsWhileStepsGoOn) {
  for (const char *fake : {"fake-1", "fake-2-3"}) {
    run({"rm", "-rf", file("c"), file("d")});
    std::string train = std::string(sequential) + "--checkpoint-every 5 ";
    ASSERT_EQ(runFake(fake, train + "--steps 200 --log @whole "
                                    "--checkpoint-dir @d")
                  .code,
              0);
    std::vector<std::string> words =
        command(fake, train + "--steps 200 --log @log --checkpoint-dir @c "
                              "--checkpoint-async");
    auto program =
        std::find_if(words.begin(), words.end(), [](const std::string &word) {
          return word.starts_with(FAKE_FOLDER);
        });
    words.insert(program, {"env", "LD_PRELOAD=" INTERPOSER,
                           "TESSERA_COUNT_ALLOCATIONS=1"});
    Result result = run(words);
    ASSERT_EQ(result.code, 0) << result.text;
    // 4357 parameters and their two moments, those of rank 0.
    std::string size = fake[5] == '1' ? "52.28 kB" : "26.30 kB";
    EXPECT_NE(result.text.find(" while steps go on, from a copy of " + size),
              std::string::npos)
        << result.text;
    EXPECT_NE(result.text.find(" and the checkpoint's copy " + size),
              std::string::npos);
    std::stringstream lines(read("log"));
    std::string line;
    while (std::getline(lines, line))
      EXPECT_EQ(nlohmann::json::parse(line).at("allocations"), 0) << line;
    EXPECT_EQ(losses("log"), losses("whole"));
    result = run({"diff", "-r", file("c"), file("d")});
    EXPECT_EQ(result.code, 0) << result.text;
    ASSERT_EQ(runFake(fake, train + "--steps 205 --log @whole --resume "
                                    "--checkpoint-dir @d")
                  .code,
              0);
    ASSERT_EQ(runFake(fake, train + "--steps 205 --log @log --resume "
                                    "--checkpoint-async --checkpoint-dir @c")
                  .code,
              0);
    EXPECT_EQ(losses("log"), losses("whole"));
  }
}

TEST_F(ProgramTest, TellsHowLongStepsWaitForCheckpoints) {
  ASSERT_EQ(runFake("fake-1", "train --data @data --steps 6 --log @log "
                              "--checkpoint-every 2 --checkpoint-dir @c")
                .code,
            0);
  std::stringstream lines(read("log"));
  std::string line;
  for (int step = 1; std::getline(lines, line); ++step)
    EXPECT_EQ(nlohmann::json::parse(line).contains("checkpoint_ms"),
              step == 3 || step == 5)
        << line;
}

TEST_F(ProgramTest, CheckpointsBecomeWeights) {
  ASSERT_EQ(runFake("fake-4-1", "train --data @data --steps 6 --save @w "
                                "--checkpoint-dir @c")
                .code,
            0);
  Result result = runFake("fake-1", "export --checkpoint-dir @c --out @e");
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_NE(result.text.find("4 parameters after step 6 in "),
            std::string::npos);
  EXPECT_EQ(read("e"), read("w"));
  for (std::string from : {"@c", "@c/step-000000000006"}) {
    result = runFake("fake-2-3", "train --data @data --steps 0 --save @i "
                                 "--init " +
                                     from);
    EXPECT_EQ(result.code, 0) << result.text;
    EXPECT_EQ(read("i"), read("w"));
  }
  fails("fake-1", "export --checkpoint-dir @none --out @e",
        "has no checkpoint");
  flip(inCheckpoint(6, "rank-00002.safetensors"), 2000, 2);
  fails("fake-2-3", "train --data @data --steps 0 --init @c/step-000000000006",
        "rank-00002.safetensors' is damaged");
}

// The third and fourth step change neither weights nor moments nor Adam's
// count.
TEST_F(ProgramTest, SkipsStepsThatAreNotFinite) {
  std::vector<std::string> skip = {"FAKE_NON_FINITE=skip", "FAKE_NAN=3,4"};
  for (const char *fake : {"fake-1", "fake-2-0", "fake-4-1", "fake-2-3"}) {
    run({"rm", "-rf", file("c"), file("d")});
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

// kill -9 at any moment, writing of checkpoints included.
TEST_F(ProgramTest, SurvivesBeingKilled) {
  std::string train = "train --data @data --checkpoint-every 1 "
                      "--checkpoint-dir @c --resume --steps 100000 --log @log";
  for (int trial = 0; trial < 8; ++trial) {
    Process process(command("fake-1", train));
    EXPECT_TRUE(process.waitFor(" tokens/s"));
    usleep(20000 + 7919 * trial);
    kill(process.id(), SIGKILL);
    EXPECT_EQ(process.finish().code, 128 + SIGKILL);
  }
  auto interrupted = losses("log");
  int last = interrupted.rbegin()->first;
  EXPECT_EQ(interrupted.size(), size_t(last)) << "no step is missing";
  ASSERT_EQ(runFake("fake-1", "train --data @data --log @whole --steps " +
                                  std::to_string(last))
                .code,
            0);
  EXPECT_EQ(interrupted, losses("whole"));
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
    // mpirun tells of the rank; over shared memory its peer does, too.
    EXPECT_TRUE(result.text.find("Killed") != std::string::npos ||
                result.text.find("has died") != std::string::npos)
        << result.text;
    // mpirun may end before the processes that it has killed.
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

TEST_F(ProgramTest, WaitingHasATimeLimit) {
  for (const char *form : {"shared", "messages"}) {
    Process process(command("fake-4-3", "train --data @data --steps 10000000"),
                    {"TESSERA_TIMEOUT=1", std::string("TESSERA_COMM=") + form});
    ASSERT_TRUE(process.waitFor(" 100/10000000"));
    std::vector<pid_t> ranks = childrenOf(process.id());
    ASSERT_EQ(ranks.size(), 4u);
    std::sort(ranks.begin(), ranks.end());
    kill(ranks[2], SIGSTOP);
    EXPECT_TRUE(process.waitFor("TESSERA_TIMEOUT=SECONDS allows more"));
    kill(ranks[2], SIGCONT);
    EXPECT_NE(process.finish(20).code, 0);
    // The operation, its group where it has one, the step and who is missing.
    EXPECT_TRUE(std::regex_search(
        process.text(),
        std::regex("waited 1 s for rank 2 in (the "
                   "(reduce_scatter|all_gather) of group '(table|output)'|the "
                   "all_reduce|a meeting of all ranks) of step [0-9]+: the "
                   "run stops")))
        << process.text();
  }
}

TEST_F(ProgramTest, ASignalEndsTheRunWithACheckpoint) {
  std::string train = "train --data @data --checkpoint-dir @c --log @log ";
  Process process(command("fake-1", train + "--steps 10000000"));
  ASSERT_TRUE(process.waitFor(" 20/10000000"));
  kill(process.id(), SIGTERM);
  Result result = process.finish();
  EXPECT_EQ(result.code, 0);
  EXPECT_NE(result.text.find("--resume goes on from there"), std::string::npos);
  int last = losses("log").rbegin()->first;
  result =
      runFake("fake-1", train + "--resume --steps " + std::to_string(last + 2));
  EXPECT_NE(result.text.find("resumed      after step " + std::to_string(last)),
            std::string::npos)
      << result.text;
}

TEST_F(ProgramTest, AllocatesNothingInAStep) {
  for (const char *fake : {"fake-1", "fake-2-0", "fake-2-3"}) {
    std::vector<std::string> words =
        command(fake, std::string(sequential) + "--log @log --steps 40");
    // Only the ranks: mpirun's own allocations are none of ours.
    auto program =
        std::find_if(words.begin(), words.end(), [](const std::string &word) {
          return word.starts_with(FAKE_FOLDER);
        });
    words.insert(program, {"env", "LD_PRELOAD=" INTERPOSER,
                           "TESSERA_COUNT_ALLOCATIONS=1"});
    Result result = run(words);
    ASSERT_EQ(result.code, 0) << result.text;
    std::stringstream lines(read("log"));
    std::string line;
    while (std::getline(lines, line)) {
      nlohmann::json j = nlohmann::json::parse(line);
      EXPECT_EQ(j.at("allocations"), 0) << fake << ": " << line;
    }
  }
}

TEST_F(ProgramTest, WeightsGoThroughFilesUnchanged) {
  for (const char *fake : {"fake-1", "fake-2-0", "fake-2-3", "fake-4-2"}) {
    ASSERT_EQ(
        runFake(fake,
                std::string("train --data @data --steps 0 --save @") + fake)
            .code,
        0);
    EXPECT_EQ(read(fake), read("fake-1"))
        << "initialisation depends on the partition";
  }
  ASSERT_EQ(runFake("fake-2-3", "train --data @data --steps 4 --save @a").code,
            0);
  ASSERT_EQ(
      runFake("fake-4-1", "train --data @data --steps 0 --init @a --save @b")
          .code,
      0);
  EXPECT_EQ(read("a"), read("b"));
  EXPECT_NE(read("a"), read("fake-1"));
}

TEST_F(ProgramTest, RefusesOtherNumbersOfRanks) {
  Result result = run({std::string(FAKE_FOLDER) + "/fake-2-0", "train",
                       "--data", file("data")});
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.text.find("compiled for 2 ranks, started with 1: start it "
                             "as 'mpirun -np 2 fake-2-0 ...'"),
            std::string::npos)
      << result.text;
  result = run({"mpirun", "-np", "3", "--oversubscribe",
                std::string(FAKE_FOLDER) + "/fake-2-0", "train", "--data",
                file("data")});
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.text.find("compiled for 2 ranks, started with 3"),
            std::string::npos)
      << result.text;
  result = run({"mpirun", "-np", "2", "--oversubscribe",
                std::string(FAKE_FOLDER) + "/fake-1", "train", "--data",
                file("data")});
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.text.find("compiled for 1 rank, started with 2"),
            std::string::npos)
      << result.text;
  result = runFake("fake-2-0", "train --data @data", {"TESSERA_COMM=pigeon"});
  EXPECT_NE(result.text.find("it may be 'shared' or 'messages'"),
            std::string::npos)
      << result.text;
}

TEST_F(ProgramTest, SaysWhatIsWrongWithItsFiles) {
  std::vector<std::pair<std::string, std::vector<int64_t>>> right = {
      {"table.weight", {256, 8}},
      {"output.weight", {256, 8}},
      {"output.bias", {256}},
      {"output.correction", {5}}};
  auto write = [&](decltype(right) entries, float value = 0) {
    SafetensorsWriter writer(file("w"));
    for (auto &[name, shape] : entries)
      writer.declare(name, shape);
    writer.begin();
    for (auto &[name, shape] : entries) {
      std::vector<float> zeros(shape[0] * (shape.size() > 1 ? shape[1] : 1),
                               name == "lm_head.weight" ? value : 0);
      writer.write(zeros.data(), zeros.size());
    }
    writer.commit();
  };
  std::string train = "train --data @data --steps 0 --init @w";
  auto entries = right;
  entries.push_back({"lm_head.weight", {256, 8}});
  entries.push_back({"h.0.attn.masked_bias", {1}});
  for (auto &entry : entries)
    entry.first = "transformer." + entry.first;
  entries.back().first = "h.0.attn.masked_bias";
  write(entries);
  EXPECT_EQ(runFake("fake-1", train).code, 0) << runFake("fake-1", train).text;
  entries = right;
  entries.push_back({"lm_head.weight", {256, 8}});
  write(entries, 1);
  fails("fake-1", train, "tensor 'lm_head.weight'");
  entries = right;
  entries.pop_back();
  write(entries);
  fails("fake-1", train, "has no tensor 'output.correction'");
  fails("fake-2-3", train, "has no tensor 'output.correction'");
  entries = right;
  entries[0].second = {8, 256};
  write(entries);
  fails("fake-1", train,
        "tensor 'table.weight' of '" + file("w") +
            "' has shape [8, 256], this model's has [256, 8]");
  entries = right;
  entries.push_back({"h.5.weight", {2}});
  write(entries);
  fails("fake-1", train, "has a tensor 'h.5.weight', which this model has not");
  fails("fake-1", "train --data @none", "cannot open the data");
  fails("fake-1", "train --data @data --init @none", "cannot open");
  fails("fake-1", "train --data @data --log @none/log", "cannot write the log");
  fails("fake-1", "train --data @data --checkpoint-dir @none/c",
        "cannot make the checkpoint directory");
  fails("fake-1", "train --data @data --steps 1 --save @none/w",
        "cannot write");
  fails("fake-1", "generate --init @w --prompt x --max-tokens 1",
        "no program 'predict'");
}

TEST_F(ProgramTest, GenerateWantsAPrompt) {
  Result result = run({std::string(FAKE_FOLDER) + "/fake-1", "generate",
                       "--init", "w", "--prompt", "", "--max-tokens", "1"});
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.text.find("the prompt is empty"), std::string::npos);
}

TEST_F(ProgramTest, ResumeRefusesAnotherRun) {
  std::string train = "train --data @data --checkpoint-dir @c --steps 2 ";
  Result result = runFake("fake-1", train + "--resume");
  EXPECT_EQ(result.code, 0);
  EXPECT_NE(result.text.find("has no checkpoint yet"), std::string::npos);
  fails("fake-1", train + "--resume --seed 8", "made with seed 7, not 8");
  fails("fake-1", train + "--resume --order sequential",
        "made with --order shuffled");
  std::string error;
  auto index = CheckpointIndex::read(file(inCheckpoint(2, "")), error);
  ASSERT_TRUE(index) << error;
  index->model = "ekaf";
  IndexText text = index->text();
  size_t place = 0;
  for (const SavedFile &saved : index->files)
    for (uint32_t sum : saved.checksums)
      text.put(place++, sum);
  text.seal();
  std::ofstream(file(inCheckpoint(2, "checkpoint.json"))) << text.text;
  fails("fake-1", train + "--resume",
        "is a checkpoint of the model 'ekaf', this is 'fake'");
}

TEST_F(ProgramTest, StopsBeforeTheWeightsAreLost) {
  SafetensorsWriter writer(file("w"));
  std::vector<float> values(2048, INFINITY);
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

TEST_F(ProgramTest, InfoPrintsThePlan) {
  Result result = runFake("fake-1", "info --json");
  EXPECT_EQ(nlohmann::json::parse(result.text).at("name"), "fake");
  result = run({std::string(FAKE_FOLDER) + "/fake-2-3", "info"});
  EXPECT_EQ(result.code, 0) << result.text;
  for (const char *part : {"parameters   4,357", "ZeRO stage 3", "peak",
                           "reduce_scatter", "all_gather", "in all"})
    EXPECT_NE(result.text.find(part), std::string::npos) << result.text;
}

} // namespace
