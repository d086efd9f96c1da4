//===- ProgramDataTest.cpp - Whole executables and the data they read -----===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A step of two ranks learns from 4 samples of 16 tokens, of which rank 1 reads
// the third and the fourth.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/ProgramTest.h"
#include <fcntl.h>
#include <sys/stat.h>

using namespace tessera::runtime;

namespace {

class ProgramDataTest : public ProgramTest {
protected:
  /// Writes \p count tokens of u16, of which that at \p strange is 300.
  void writeWords(const std::string &name, int64_t count, int64_t strange) {
    std::vector<uint16_t> tokens(count);
    for (int64_t i = 0; i < count; ++i)
      tokens[i] = static_cast<uint16_t>(i * i % 97);
    if (strange >= 0)
      tokens[strange] = 300;
    std::ofstream(file(name), std::ios::binary)
        .write(reinterpret_cast<const char *>(tokens.data()), 2 * count);
  }

  static size_t count(const std::string &text, const std::string &part) {
    size_t found = 0;
    for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at)
      ++found;
    return found;
  }

  static constexpr const char *words =
      "train --data @words --data-type u16 --order sequential ";
};

TEST_F(ProgramDataTest, TellsHowTheDataIsRead) {
  writeWords("words", 4000, -1);
  std::pair<std::string, const char *> runs[] = {
      {"train --data @data --steps 0", "(bytes: "},
      {std::string(words) + "--steps 0", "(u16 tokens: 4000 tokens"}};
  for (const auto &[command, text] : runs) {
    Result result = runFake("fake-1", command);
    EXPECT_EQ(result.code, 0) << result.text;
    EXPECT_NE(result.text.find(text), std::string::npos) << result.text;
  }
}

TEST_F(ProgramDataTest, RefusesATokenOutsideTheVocabularyAtTheStart) {
  writeWords("words", 4000, 3999);
  for (const char *fake : {"fake-1", "fake-2-0", "fake-4-3"})
    for (const char *form : {"shared", "messages"}) {
      Result result = runFake(fake, std::string(words) + "--save @w --log @log",
                              {std::string("TESSERA_COMM=") + form});
      EXPECT_EQ(result.code, 1) << result.text;
      EXPECT_EQ(count(result.text, "token 3999 of the data"), 1u)
          << result.text;
      EXPECT_EQ(count(result.text, "error: "), 1u) << result.text;
      EXPECT_FALSE(exists("w"));
    }
}

// Rank 1 alone meets it, in the third step.
TEST_F(ProgramDataTest, AStrangeTokenCostsNoMoreThanItsStep) {
  writeWords("clean", 4000, -1);
  writeWords("words", 4000, 2 * 64 + 40);
  std::string clean = "train --data @clean --data-type u16 --order sequential ";
  for (const char *fake : {"fake-2-0", "fake-2-2", "fake-2-3"})
    for (const char *form : {"shared", "messages"}) {
      run({"rm", "-rf", file("c"), file("w"), file("d"), file("e")});
      forget({"log"});
      std::string comm = std::string("TESSERA_COMM=") + form;
      Result result =
          runFake(fake,
                  std::string(words) + "--steps 9 --trust-data --save @w "
                                       "--checkpoint-dir @c --log @log",
                  {comm});
      EXPECT_EQ(result.code, 1) << result.text;
      EXPECT_EQ(count(result.text, "error: rank 1: token 168 of the data"), 1u)
          << result.text;
      EXPECT_EQ(count(result.text, "error: "), 1u) << result.text;
      EXPECT_NE(result.text.find("step 3 is given up"), std::string::npos)
          << result.text;
      EXPECT_EQ(losses("log").size(), 2u);
      ASSERT_EQ(runFake(fake, clean + "--steps 2 --save @e", {comm}).code, 0);
      EXPECT_EQ(read("w"), read("e"));
      // Mended, the run goes on to the bit.
      Result resumed =
          runFake(fake,
                  clean + "--steps 9 --resume --allow data --checkpoint-dir @c "
                          "--save @w",
                  {comm});
      ASSERT_EQ(resumed.code, 0) << resumed.text;
      EXPECT_NE(resumed.text.find("after step 2"), std::string::npos);
      ASSERT_EQ(runFake(fake, clean + "--steps 9 --save @e", {comm}).code, 0);
      EXPECT_EQ(read("w"), read("e"));
    }
}

TEST_F(ProgramDataTest, AFirstStepThatIsGivenUpSavesNothing) {
  writeWords("words", 4000, 3);
  fails("fake-1", std::string(words) + "--trust-data --save @w",
        "token 3 of the data");
  EXPECT_FALSE(exists("w"));
}

TEST_F(ProgramDataTest, GradsRefusesAStrangeTokenOfItsBatch) {
  ASSERT_EQ(runFake("fake-1", "train --data @data --steps 0 --save @i").code,
            0);
  // In the batch of one rank, and in that of rank 1 alone.
  std::pair<const char *, int> cases[] = {{"fake-1", 20}, {"fake-2-3", 40}};
  for (auto [fake, strange] : cases) {
    writeWords("words", 4000, strange);
    std::string message = "token " + std::to_string(strange) + " of the data";
    for (const char *form : {"shared", "messages"}) {
      Result result = runFake(
          fake, "grads --data @words --data-type u16 --init @i --out @g",
          {std::string("TESSERA_COMM=") + form});
      EXPECT_EQ(result.code, 1) << result.text;
      EXPECT_EQ(count(result.text, "error: "), 1u) << result.text;
      EXPECT_NE(result.text.find(message), std::string::npos) << result.text;
      EXPECT_FALSE(exists("g"));
    }
  }
}

TEST_F(ProgramDataTest, DataThatShrinksEndsTheRunWithItsLastStepSaved) {
  for (const char *fake : {"fake-1", "fake-2-0", "fake-2-3"}) {
    run({"rm", "-rf", file("c"), file("w"), file("log")});
    writeWords("words", 400'000, -1);
    Process process(command(fake, std::string(words) +
                                      "--steps 10000000 --checkpoint-dir @c "
                                      "--save @w --log @log"),
                    {"FAKE_STEP_MS=2"});
    ASSERT_TRUE(process.waitFor(" 20/10000000")) << process.text();
    ASSERT_EQ(truncate(file("words").c_str(), 512), 0);
    Result result = process.finish(30);
    EXPECT_EQ(result.code, 1) << result.text;
    EXPECT_EQ(count(result.text, "error: "), 1u) << result.text;
    EXPECT_NE(result.text.find("has been cut short"), std::string::npos)
        << result.text;
    int last = losses("log").rbegin()->first;
    writeWords("words", 400'000, -1);
    ASSERT_EQ(runFake(fake, std::string(words) + "--save @e --steps " +
                                std::to_string(last))
                  .code,
              0);
    EXPECT_EQ(read("w"), read("e"));
    EXPECT_TRUE(exists(inCheckpoint(last, "checkpoint.json")));
  }
}

// A strange token is put where no sample of the checksum is, under the same
// time: who takes the verdict does not see it, who looks does.
TEST_F(ProgramDataTest, AVerdictOnTheDataIsKept) {
  constexpr int64_t tokens = 600'000, between = 7 * 2048 + 10;
  writeWords("words", tokens, -1);
  std::string train =
      std::string(words) + "--steps 1 --resume --checkpoint-dir @c ";
  ASSERT_EQ(runFake("fake-2-0", train).code, 0);
  struct stat status;
  ASSERT_EQ(stat(file("words").c_str(), &status), 0);
  writeWords("words", tokens, between);
  timespec times[2] = {status.st_atim, status.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, file("words").c_str(), times, 0), 0);
  EXPECT_EQ(runFake("fake-2-0", train).code, 0);
  ++times[1].tv_sec;
  ASSERT_EQ(utimensat(AT_FDCWD, file("words").c_str(), times, 0), 0);
  std::string message = "token " + std::to_string(between) + " of the data";
  fails("fake-2-0", train, message);
  // A bad verdict is not kept.
  fails("fake-2-0", train, message);
  EXPECT_EQ(runFake("fake-2-0", train + "--trust-data").code, 0);
}

TEST_F(ProgramDataTest, AWrongDataTypeIsAnError) {
  fails("fake-1", "train --data @data --data-type u32",
        "--data-type takes 'u8', 'u16' or 'i32', not 'u32'");
  std::ofstream(file("odd")) << std::string(4001, 'a');
  fails("fake-1", "train --data @odd --data-type i32",
        "has 4001 bytes, which is no multiple of the 4 of a token of i32");
  std::ofstream(file("even")) << std::string(4000, 'a');
  fails("fake-1", "train --data @even --data-type i32",
        "token 0 of the data '" + file("even") +
            "' (read as i32 tokens) is 1633771873, outside the model's "
            "vocabulary of 256");
}

TEST_F(ProgramDataTest, FifosAndDevicesAreRefusedByThatReason) {
  ASSERT_EQ(runFake("fake-1", "train --data @data --steps 0 --save @w").code,
            0);
  run({"mkfifo", file("fifo")});
  fails("fake-1", "train --data @data --init @fifo",
        "is not a file but a FIFO");
  fails("fake-1", "train --data @data --init /dev/zero",
        "is not a file but a device");
  fails("fake-1", "train --data @fifo", "is not a file but a FIFO");
}

} // namespace
