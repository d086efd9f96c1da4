//===- DocumentTokensTest.cpp - Documents that threads tokenize -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/DocumentTokens.h"
#include "gtest/gtest.h"
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unistd.h>

using namespace tessera::runtime;

namespace {

/// Each file one document, and so one job of the threads.
class DocumentTokens : public testing::Test {
protected:
  static constexpr int files = 40;

  void SetUp() override {
    std::string path = testing::TempDir() + "documents-XXXXXX", error;
    ASSERT_TRUE(mkdtemp(path.data()));
    folder = path;
    std::ifstream golden(GOLDEN_FOLDER "/bloom.json");
    tokenizer = Tokenizer::parse(
        nlohmann::json::parse(golden)["tokenizer"].dump(), error);
    ASSERT_TRUE(tokenizer) << error;
    for (int i = 0; i < files; ++i) {
      std::string text;
      for (int word = 0; word < 20 * (files - i); ++word)
        text += " the " + std::to_string(i * word);
      write(i, text);
    }
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void write(int i, const std::string &text) {
    names.resize(files);
    names[i] = folder + "/" + std::to_string(i) + ".txt";
    std::ofstream(names[i]) << text;
  }

  /// The tokens of all on \p threads; none more is taken after \p most.
  std::vector<int32_t> tokensOn(unsigned threads, std::string &error,
                                int most = files + 1) {
    std::vector<int32_t> tokens;
    DocumentEncoding encoding;
    encoding.threads = threads;
    encoding.showsProgress = false;
    encoding.pack = [](const std::vector<int32_t> &ids, std::string &bytes) {
      bytes.append(reinterpret_cast<const char *>(ids.data()),
                   ids.size() * sizeof(int32_t));
    };
    int taken = 0;
    encoding.take = [&](const std::vector<int32_t> &lengths,
                        const std::string &bytes) {
      EXPECT_EQ(lengths.size(), 1u);
      EXPECT_EQ(bytes.size(), lengths.front() * sizeof(int32_t));
      size_t before = tokens.size();
      tokens.resize(before + lengths.front());
      bytes.copy(reinterpret_cast<char *>(tokens.data() + before),
                 bytes.size());
      return ++taken < most;
    };
    DocumentJobs jobs(names, encoding.form, threads);
    EXPECT_TRUE(jobs.open(error)) << error;
    DocumentTotals totals;
    isWhole = encodeDocuments(*tokenizer, jobs, encoding, totals, error);
    documents = totals.documents;
    return tokens;
  }

  std::string folder;
  std::vector<std::string> names;
  std::unique_ptr<Tokenizer> tokenizer;
  bool isWhole = false;
  int64_t documents = 0;
};

TEST_F(DocumentTokens, AreThoseOfOneThreadInTheirOrder) {
  std::string error;
  std::vector<int32_t> expected;
  TokenizerScratch scratch;
  for (const std::string &name : names) {
    std::ifstream file(name);
    std::string text(std::istreambuf_iterator<char>(file), {});
    ASSERT_TRUE(tokenizer->encode(text, {}, scratch, expected, error)) << error;
  }
  for (unsigned threads : {1, 2, 7}) {
    EXPECT_EQ(tokensOn(threads, error), expected) << threads;
    EXPECT_TRUE(isWhole) << error;
    EXPECT_EQ(documents, files);
  }
}

TEST_F(DocumentTokens, EndWhereNoMoreAreTaken) {
  std::string error;
  tokensOn(4, error, 3);
  EXPECT_FALSE(isWhole);
  EXPECT_EQ(error, "");
  EXPECT_EQ(documents, 3);
}

TEST_F(DocumentTokens, EndAtTheFirstThatIsNoText) {
  std::string error;
  std::filesystem::rename(names[9], folder + "/9.jsonl");
  names[9] = folder + "/9.jsonl";
  tokensOn(4, error);
  EXPECT_FALSE(isWhole);
  EXPECT_NE(error.find("9.jsonl' line 1 "), std::string::npos) << error;
  EXPECT_EQ(documents, 9);
}

} // namespace
