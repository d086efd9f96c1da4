//===- ProgramCheckpointTest.cpp - Checkpoints of whole executables -------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/CheckpointIndex.h"
#include "test/runtime/ProgramTest.h"
#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace tessera::runtime;

namespace {

TEST_F(ProgramTest, ResumesBitForBit) {
  for (const char *fake : {"fake-1", "fake-2-1", "fake-2-3"}) {
    forget({"log", "whole"});
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
  for (const auto &[step, text] : actual) {
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

// What no run has made is in no danger, whatever it is called.
TEST_F(ProgramTest, LeavesFoldersOfOthersAlone) {
  std::string train = "train --data @data --checkpoint-every 2 ";
  for (const char *made :
       {"c", "elsewhere", "c/step-000000000050", "c/step-000000000050/deeper"})
    ASSERT_EQ(mkdir(file(made).c_str(), 0700), 0);
  const char *theirs[] = {"c/step-000000000050/thesis.txt",
                          "c/step-000000000050/rank-00000.safetensors",
                          "c/step-000000000050/checkpoint.json.tmp",
                          "elsewhere/rank-00000.safetensors",
                          "elsewhere/.tessera-checkpoint"};
  for (const char *name : theirs)
    std::ofstream(file(name)) << name;
  ASSERT_EQ(symlink("../elsewhere", file("c/step-000000000060").c_str()), 0);
  ASSERT_EQ(symlink("c", file("link").c_str()), 0);
  Result result = runFake("fake-1", train + "--steps 5 --checkpoint-dir @link");
  EXPECT_EQ(result.code, 0) << result.text;
  for (const char *step : {"50", "60"})
    EXPECT_NE(result.text.find(
                  "link/step-0000000000" + std::string(step) +
                  "' is no checkpoint and none that a run began: it is left"),
              std::string::npos)
        << result.text;
  EXPECT_TRUE(exists(inCheckpoint(5, "checkpoint.json")));
  result = runFake("fake-1", train + "--steps 6 --resume --checkpoint-dir @c");
  EXPECT_EQ(result.code, 0) << result.text;
  // Before a step is made where a name is needed.
  for (const char *steps : {"50", "100"})
    fails("fake-2-3",
          train +
              "--resume --log @log --checkpoint-dir @c "
              "--allow training.global_batch --steps " +
              steps,
          "is in the way of this run's checkpoint of step ");
  EXPECT_EQ(read("log"), "");
  for (const char *name : theirs)
    EXPECT_EQ(read(name), name);
  EXPECT_TRUE(exists("c/step-000000000050/deeper"));
}

// A run that is killed before it marks a folder leaves it empty.
TEST_F(ProgramTest, AnEmptyFolderIsInNobodysWay) {
  std::string train = "train --data @data --checkpoint-every 2 ";
  for (const std::string &made : {std::string("c"), inCheckpoint(2, "")})
    ASSERT_EQ(mkdir(file(made).c_str(), 0700), 0);
  Result result = runFake("fake-1", train + "--steps 2 --checkpoint-dir @c");
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_TRUE(exists(inCheckpoint(2, "checkpoint.json")));
  EXPECT_TRUE(exists(inCheckpoint(2, ".tessera-checkpoint")));
}

TEST_F(ProgramTest, CleansItsOwnUnfinishedFoldersAlone) {
  std::string train =
      "train --data @data --checkpoint-every 2 --checkpoint-dir @c ";
  ASSERT_EQ(runFake("fake-1", train + "--steps 8").code, 0);
  EXPECT_TRUE(exists(inCheckpoint(8, ".tessera-checkpoint")));
  // A killed run's, with a note and a link in it.
  unlink(file(inCheckpoint(8, "checkpoint.json")).c_str());
  std::ofstream(file(inCheckpoint(8, "notes.txt"))) << "mine";
  std::ofstream(file("precious")) << "mine";
  ASSERT_EQ(symlink(file("precious").c_str(),
                    file(inCheckpoint(8, "rank-00007.safetensors")).c_str()),
            0);
  Result result = runFake("fake-1", train + "--resume --steps 12");
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_NE(result.text.find("resumed      after step 6"), std::string::npos);
  EXPECT_NE(result.text.find("step-000000000008': it has files that no run has "
                             "written"),
            std::string::npos)
      << result.text;
  EXPECT_EQ(read(inCheckpoint(8, "notes.txt")), "mine");
  EXPECT_EQ(read("precious"), "mine");
  EXPECT_FALSE(exists(inCheckpoint(8, "rank-00007.safetensors")));
  EXPECT_FALSE(exists(inCheckpoint(8, "checkpoint.json")));
  EXPECT_TRUE(exists(inCheckpoint(10, "checkpoint.json")));
  EXPECT_TRUE(exists(inCheckpoint(12, "checkpoint.json")));
  // Finished ones without a mark are ours, too.
  for (int step : {10, 12})
    unlink(file(inCheckpoint(step, ".tessera-checkpoint")).c_str());
  result = runFake("fake-1", train + "--resume --steps 16");
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_FALSE(exists(inCheckpoint(10, "")));
  EXPECT_FALSE(exists(inCheckpoint(12, "")));
  EXPECT_TRUE(exists(inCheckpoint(16, "checkpoint.json")));
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
    forget({"log", "whole"});
    std::string train = std::string(sequential) + "--checkpoint-every 5 ";
    ASSERT_EQ(runFake(fake, train + "--steps 200 --log @whole "
                                    "--checkpoint-dir @d")
                  .code,
              0);
    Result result = runCounted(fake, train + "--steps 200 --log @log "
                                             "--checkpoint-dir @c "
                                             "--checkpoint-async");
    ASSERT_EQ(result.code, 0) << result.text;
    // 4357 parameters and their two moments, those of rank 0.
    std::string size = fake[5] == '1' ? "52.3 kB" : "26.3 kB";
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
  EXPECT_NE(result.text.find("4 parameters after step 6 in the file "),
            std::string::npos);
  EXPECT_EQ(read("e"), read("w"));
  result = runFake("fake-1", "export --checkpoint-dir @c/step-000000000006 "
                             "--out @one");
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_EQ(read("one"), read("w"));
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

TEST_F(ProgramTest, SaysThatACheckpointIsBeyondTheStepsAskedFor) {
  std::string train = "train --data @data --checkpoint-dir @c ";
  ASSERT_EQ(runFake("fake-1", train + "--steps 4").code, 0);
  Result result = runFake("fake-1", train + "--resume --steps 4");
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.text.find("warning"), std::string::npos) << result.text;
  result = runFake("fake-1", train + "--resume --steps 3");
  EXPECT_EQ(result.code, 0);
  EXPECT_NE(result.text.find("the checkpoint is of step 4, beyond the 3 steps "
                             "of this run: no step is made"),
            std::string::npos)
      << result.text;
  EXPECT_TRUE(exists(inCheckpoint(4, "checkpoint.json")));
}

/// The text of \p index as a run seals it.
std::string sealedText(const CheckpointIndex &index) {
  IndexText text = index.text();
  size_t place = 0;
  for (const SavedFile &saved : index.files)
    for (uint32_t sum : saved.checksums)
      text.put(place++, sum);
  text.seal();
  return text.text;
}

// Sealed by whoever wrote it, but of no run.
TEST_F(ProgramTest, RefusesACheckpointThatNoRunWrites) {
  std::string train = "train --data @data --checkpoint-dir @c ";
  ASSERT_EQ(runFake("fake-1", train + "--steps 4").code, 0);
  std::string error;
  auto index = CheckpointIndex::read(file(inCheckpoint(4, "")), error);
  ASSERT_TRUE(index) << error;
  index->progress.samples = -8;
  std::ofstream(file(inCheckpoint(4, "checkpoint.json"))) << sealedText(*index);
  fails("fake-1", train + "--resume --steps 9",
        "is damaged: progress.samples is -8: an integer of 0 to");
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
  std::ofstream(file(inCheckpoint(2, "checkpoint.json"))) << sealedText(*index);
  fails("fake-1", train + "--resume",
        "is a checkpoint of the model 'ekaf', this is 'fake'");
}

TEST_F(ProgramTest, ResumeRefusesOtherSettings) {
  std::string train = "train --data @data --checkpoint-dir @c ";
  ASSERT_EQ(runFake("fake-1", train + "--steps 2").code, 0);
  std::string resume = train + "--resume --steps 3 ";
  std::vector<std::string> others = {"FAKE_HEADS=2", "FAKE_LR=0.1"};
  Result result = runFake("fake-1", resume, others);
  EXPECT_EQ(result.code, 1);
  for (const char *part :
       {"step-000000000002' is of a run with other settings: ",
        "training.optimizer.lr is 0.05 there and 0.1 here, transformer.heads "
        "is 4 there and 2 here; compile with those of the checkpoint",
        "give --allow training.optimizer.lr --allow transformer.heads"})
    EXPECT_NE(result.text.find(part), std::string::npos) << result.text;
  fails("fake-1", resume + "--allow training.optimizer.lr",
        "other settings: transformer.heads is 4 there and 2 here;", others);
  fails("fake-1", resume + "--allow heads",
        "--allow heads names nothing that checkpoints are compared by, which "
        "is: data, training.global_batch, training.optimizer.lr, "
        "transformer.heads, transformer.sequence_length");
  fails("fake-2-3", resume, "training.global_batch is 2 there and 4 here");
  result = runFake("fake-1",
                   resume + "--allow training.optimizer.lr --allow=data "
                            "--allow transformer.heads",
                   others);
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_NE(result.text.find("warning: transformer.heads is 4 in the "),
            std::string::npos)
      << result.text;
  // From now on the settings are the new ones.
  EXPECT_EQ(runFake("fake-1", resume + "--steps 4", others).code, 0);
  fails("fake-1", resume, "transformer.heads is 2 there and 4 here");
}

TEST_F(ProgramTest, WeightsAreOfTheSameModel) {
  ASSERT_EQ(
      runFake("fake-1", "train --data @data --steps 2 --checkpoint-dir @c")
          .code,
      0);
  for (std::string use :
       {"train --data @data --steps 1 --init @c ",
        "grads --data @data --out @g --init @c/step-000000000002 ",
        "export --checkpoint-dir @c --out @w "}) {
    fails("fake-1", use, "transformer.heads is 4 there and 2 here",
          {"FAKE_HEADS=2"});
    EXPECT_EQ(
        runFake("fake-1", use + "--allow transformer.heads", {"FAKE_HEADS=2"})
            .code,
        0);
    Result result = runFake("fake-1", use, {"FAKE_LR=1", "FAKE_SEQUENCE=32"});
    EXPECT_EQ(result.code, 0) << result.text;
  }
}

TEST_F(ProgramTest, ResumeRefusesOtherData) {
  std::string resume = "train --checkpoint-dir @c --resume --data ";
  std::string text = read("data");
  ASSERT_EQ(runFake("fake-2-3", resume + "@data --steps 2").code, 0);
  std::ofstream(file("copy")) << text;
  Result result = runFake("fake-2-3", resume + "@copy --steps 3");
  EXPECT_EQ(result.code, 0) << "its path does not count: " << result.text;
  std::string other = text;
  other[0] = 'T';
  std::ofstream(file("changed")) << other;
  std::ofstream(file("longer")) << text << "more";
  for (const char *name : {"@changed", "@longer"}) {
    fails("fake-2-3", resume + name + " --steps 4",
          "is of a run on other data: it has " + std::to_string(text.size()) +
              " bytes, checksum ");
    result = runFake("fake-2-3", resume + name + " --steps 3 --allow data");
    EXPECT_EQ(result.code, 0) << result.text;
    EXPECT_NE(result.text.find("warning: rank 0: the data of the checkpoint "),
              std::string::npos)
        << result.text;
  }
}

// Those of before there were fingerprints.
TEST_F(ProgramTest, ReadsCheckpointsWithoutAFingerprint) {
  std::string train = "train --data @data --checkpoint-dir @c ";
  ASSERT_EQ(runFake("fake-1", train + "--steps 2").code, 0);
  std::string error;
  auto index = CheckpointIndex::read(file(inCheckpoint(2, "")), error);
  ASSERT_TRUE(index) << error;
  EXPECT_EQ(index->fingerprint.at("transformer.heads"), "4");
  ASSERT_TRUE(index->data);
  EXPECT_EQ(index->data->bytes, int64_t(read("data").size()));
  index->fingerprint.clear();
  index->data.reset();
  std::ofstream(file(inCheckpoint(2, "checkpoint.json"))) << sealedText(*index);
  Result result = runFake("fake-1", train + "--resume --steps 3");
  EXPECT_EQ(result.code, 0) << result.text;
  for (const char *part : {"does not say of which settings it is",
                           "does not say of which data it is"})
    EXPECT_NE(result.text.find(part), std::string::npos) << result.text;
  result = runFake("fake-1", train + "--resume --steps 3",
                   {"FAKE_NO_FINGERPRINT=1"});
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_NE(result.text.find("this executable does not say its settings"),
            std::string::npos)
      << result.text;
}

} // namespace
