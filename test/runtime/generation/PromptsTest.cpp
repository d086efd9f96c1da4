//===- PromptsTest.cpp - Files of prompts and special tokens --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/generation/Prompts.h"
#include "runtime/generation/SpecialTokens.h"
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace tessera::runtime;

namespace {

/// A tokenizer that has names for tokens alone.
struct NamingCodec : TextCodec {
  std::vector<std::pair<std::string, int32_t>> named = {
      {"bos_token", 3}, {"eos_token", 100}, {"pad_token", 5}};

  std::vector<int32_t> encode(std::string_view) override { return {}; }
  std::unique_ptr<TextStream> decode(std::span<const int32_t>) override {
    return nullptr;
  }
  int32_t tokenNamed(std::string_view) override { return -1; }
  std::vector<std::pair<std::string, int32_t>> namedTokens() override {
    return named;
  }
  bool takesBytes() const override { return false; }
};

class Prompts : public testing::Test {
protected:
  void SetUp() override {
    char pattern[] = "/tmp/tessera-test-XXXXXX";
    folder = mkdtemp(pattern);
  }
  void TearDown() override {
    for (const char *name : {"/config.json", "/generation_config.json", "/p"})
      unlink((folder + name).c_str());
    rmdir(folder.c_str());
  }
  std::string write(const char *name, const std::string &text) {
    std::ofstream(folder + name, std::ios::binary) << text;
    return folder + name;
  }
  void refuses(const std::string &text, const char *message) {
    std::string path = write("/p", text);
    EXPECT_EXIT(readPrompts(path, "prompt"), testing::ExitedWithCode(1),
                message);
  }

  SpecialTokens specialTokens() {
    return readSpecialTokens(folder, 100, codec);
  }

  NamingCodec codec;
  std::string folder;
};

using PromptsDeathTest = Prompts;

TEST_F(Prompts, AreALineEach) {
  std::string path = write("/p", "{\"prompt\": \"a\\u00e9\", \"n\": [{}]}\n\n"
                                 "{\"id\": \"x\", \"prompt\": \"\"}\r\n"
                                 "{\"id\": [7], \"prompt\": \"b\\nc\"}");
  std::vector<Prompt> prompts = readPrompts(path, "prompt");
  ASSERT_EQ(prompts.size(), 3u);
  EXPECT_EQ(prompts[0].id, 1);
  EXPECT_EQ(prompts[0].text, "a\u00e9");
  EXPECT_EQ(prompts[1].id, "x");
  EXPECT_EQ(prompts[1].text, "");
  EXPECT_EQ(prompts[1].place, "'" + path + "' line 3: ");
  EXPECT_EQ(prompts[2].id, nlohmann::ordered_json::array({7}));
  EXPECT_EQ(prompts[2].text, "b\nc");
  write("/p", "{\"q\": \"a\"}");
  EXPECT_EQ(readPrompts(path, "q").front().text, "a");
}

TEST_F(PromptsDeathTest, SaysWhichLineIsWrong) {
  refuses("", "has no prompts: a line for each is wanted");
  refuses("\n \n", "has no prompts");
  refuses("{\"prompt\": \"a\"}\n{\"prompt\": \"b\"", "line 2: it is not JSON");
  refuses("\n[\"a\"]", "line 2: it is no JSON object");
  refuses("{\"text\": \"a\"}",
          "line 1: it has no 'prompt' \\(--field names the prompt\\)");
  refuses("{\"prompt\": 3}", "line 1: prompt is 3: a text");
  refuses("{\"prompt\": \"a\", \"prompt\": \"b\"}", "line 1: it has 'prompt' "
                                                    "twice");
  refuses("{\"prompt\": \"a\xff\"}", "line 1: it is not JSON");
  EXPECT_EXIT(readPrompts(folder, "prompt"), testing::ExitedWithCode(1),
              "the prompts '.*' is not a file but a folder");
  EXPECT_EXIT(readPrompts(folder + "/none", "prompt"),
              testing::ExitedWithCode(1), "cannot open the prompts");
}

TEST_F(Prompts, SpecialTokensAreThoseOfTheFolder) {
  // Without one they are the tokenizer's that the vocabulary has.
  EXPECT_EQ(specialTokens().begin, 3);
  EXPECT_TRUE(specialTokens().end.empty());
  codec.named[1].second = 4;
  EXPECT_EQ(specialTokens().end, std::vector<int32_t>{4});
  write("/config.json", "{\"bos_token_id\": 1, \"eos_token_id\": 2}");
  SpecialTokens tokens = specialTokens();
  EXPECT_EQ(tokens.begin, 1);
  EXPECT_EQ(tokens.end, std::vector<int32_t>{2});
  // As in transformers the other file counts alone.
  write("/generation_config.json", "{\"eos_token_id\": [5, 99, 100, -1]}");
  tokens = specialTokens();
  EXPECT_FALSE(tokens.begin);
  EXPECT_EQ(tokens.end, (std::vector<int32_t>{5, 99}));
  write("/generation_config.json", "{\"eos_token_id\": null}");
  EXPECT_TRUE(specialTokens().end.empty());
}

TEST_F(PromptsDeathTest, RefusesSpecialTokensThatAreNoIds) {
  write("/config.json", "{}");
  auto refuses = [&](const char *text, const char *message) {
    write("/generation_config.json", text);
    EXPECT_EXIT(specialTokens(), testing::ExitedWithCode(1), message);
  };
  refuses("{\"eos_token_id\": \"</s>\"}",
          "generation_config.json': eos_token_id is \"</s>\": an integer");
  refuses("{\"eos_token_id\": [2, 3.5]}", "eos_token_id\\[1\\] is 3.5");
  refuses("{\"eos_token_id\": 2", "it is not JSON");
}

} // namespace
