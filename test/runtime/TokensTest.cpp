//===- TokensTest.cpp - Tests of the files of tokens ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokens.h"
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <numeric>
#include <unistd.h>

using namespace tessera;

namespace {

std::string pathOf(const std::string &name) {
  return testing::TempDir() + name;
}

std::string writeText(const char *name, const std::string &text) {
  std::string path = pathOf(name);
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

template <typename Number> void append(std::string &text, Number number) {
  text.append(reinterpret_cast<const char *>(&number), sizeof number);
}

/// Writes a pair with these documents; \p shift moves the second one's offset.
template <typename Token>
std::string writePair(const char *name, uint8_t type,
                      const std::vector<std::vector<Token>> &documents,
                      int64_t shift = 0) {
  std::string index("MMIDIDX\0\0", 9), content;
  append<uint64_t>(index, 1);
  append<uint8_t>(index, type);
  append<uint64_t>(index, documents.size());
  append<uint64_t>(index, documents.size() + 1);
  for (const auto &document : documents)
    append<int32_t>(index, document.size());
  for (const auto &document : documents) {
    append<int64_t>(index, content.size() + (content.empty() ? 0 : shift));
    for (Token token : document)
      append<Token>(content, token);
  }
  for (size_t i = 0; i <= documents.size(); ++i)
    append<int64_t>(index, i);
  std::string prefix = pathOf(name);
  std::ofstream(prefix + ".idx", std::ios::binary) << index;
  std::ofstream(prefix + ".bin", std::ios::binary) << content;
  return prefix;
}

std::vector<int32_t> readAll(const TokenFile &file) {
  std::vector<int32_t> tokens(file.count());
  file.read(0, file.count(), tokens.data());
  return tokens;
}

TEST(TokenFile, ReadsBytes) {
  TokenFile file(writeText("bytes.txt", "A\xff\nz"), 256);
  EXPECT_EQ(readAll(file), (std::vector<int32_t>{65, 255, 10, 122}));
}

TEST(TokenFile, ReadsPairsOfEveryIntegerType) {
  std::vector<int32_t> expected = {1, 2, 3, 4, 5};
  auto check = [&](const std::string &prefix) {
    for (const char *suffix : {"", ".idx", ".bin"}) {
      TokenFile file(prefix + suffix, 100);
      EXPECT_EQ(readAll(file), expected) << prefix << suffix;
    }
  };
  check(writePair<uint8_t>("u8", 1, {{1, 2}, {3, 4, 5}}));
  check(writePair<int8_t>("i8", 2, {{1, 2}, {3, 4, 5}}));
  check(writePair<int16_t>("i16", 3, {{1, 2}, {3, 4, 5}}));
  check(writePair<int32_t>("i32", 4, {{1, 2}, {3, 4, 5}}));
  check(writePair<int64_t>("i64", 5, {{1, 2}, {3, 4, 5}}));
  check(writePair<uint16_t>("u16", 8, {{1, 2}, {3, 4, 5}}));
}

using TokenFileDeathTest = testing::Test;

TEST(TokenFileDeathTest, SaysWhatIsWrong) {
  auto fails = [](const std::string &path, int64_t vocabulary,
                  const char *message) {
    EXPECT_EXIT(readAll(TokenFile(path, vocabulary)),
                testing::ExitedWithCode(1), message);
  };
  fails(pathOf("none.txt"), 256, "cannot open the data .*No such file");
  fails(testing::TempDir(), 256, "is not a file");
  fails(writeText("small.txt", "abc"), 100, "needs a vocabulary of 256");
  fails(writePair<uint16_t>("big", 8, {{1, 300}}), 256,
        "token 1 of the data .* is 300, outside the model's vocabulary of 256");
  fails(writePair<float>("float", 7, {{1}}), 256, "elements of type 7");
  fails(writePair<uint8_t>("gap", 1, {{1}, {2}}, 1), 256,
        "sequence 1 of .*gap.idx' does not follow");
  std::string prefix = writePair<uint8_t>("short", 1, {{1, 2, 3}});
  writeText("short.bin", "a");
  fails(prefix, 256, "has 1 bytes, its index names 3");
  writeText("short.idx", std::string("MMIDIDX\0\0\2\0\0\0\0\0\0\0", 17) +
                             std::string(40, '\0'));
  fails(prefix, 256, "version 2");
  writeText("short.idx", "something else that is long enough to have a head");
  fails(prefix, 256, "is not an MMIDIDX index");
  writeText("lonely.idx", "x");
  fails(pathOf("lonely.idx"), 256, "lacks the '.bin' file");
}

Manifest manifestOf(int64_t batch, int64_t accumulation, int64_t length) {
  Manifest manifest;
  manifest.model.kind = "transformer";
  manifest.model.vocabulary = 256;
  manifest.model.sequence = length;
  manifest.training.microBatch = batch;
  manifest.training.accumulation = accumulation;
  return manifest;
}

/// The first token of each row of a micro-batch.
std::vector<int32_t> firstTokens(BatchSource &source, const char *name,
                                 int64_t batch, int64_t length,
                                 const GlobalBatch &global, int64_t micro) {
  std::vector<int32_t> buffer(batch * length), firsts;
  Slot slot{name, "i32", "micro", {batch, length}, 0};
  EXPECT_TRUE(source.fill(slot, reinterpret_cast<char *>(buffer.data()), global,
                          micro));
  for (int64_t i = 0; i < batch; ++i) {
    firsts.push_back(buffer[i * length]);
    for (int64_t j = 1; j < length; ++j)
      EXPECT_EQ(buffer[i * length + j], buffer[i * length] + j);
  }
  return firsts;
}

// Token k of the file has the value k, so a row's first value is its place.
TEST(TokenBatches, SequentialOrderDealsConsecutiveMicroBatches) {
  std::string text(201, 0);
  std::iota(text.begin(), text.end(), 0);
  std::string path = writeText("count.bytes", text);
  Manifest manifest = manifestOf(2, 2, 10); // 20 samples, 2 ranks: 8 a step
  for (int rank = 0; rank < 2; ++rank) {
    auto source =
        openTokenBatches(manifest, path, SampleOrder::sequential, 1, rank, 2);
    EXPECT_EQ(source->tokens({8, 2}), 80);
    EXPECT_FLOAT_EQ(source->scale({8, 2}), 1.0f / 80);
    for (int micro = 0; micro < 2; ++micro) {
      int32_t first = 8 + (rank * 2 + micro) * 2;
      EXPECT_EQ(firstTokens(*source, "tokens", 2, 10, {8, 2}, micro),
                (std::vector<int32_t>{first * 10, first * 10 + 10}));
      EXPECT_EQ(firstTokens(*source, "targets", 2, 10, {8, 2}, micro),
                (std::vector<int32_t>{first * 10 + 1, first * 10 + 11}));
    }
  }
  // A smaller batch is as contiguous.
  auto second =
      openTokenBatches(manifest, path, SampleOrder::sequential, 1, 1, 2);
  EXPECT_EQ(second->tokens({8, 1}), 40);
  EXPECT_FLOAT_EQ(second->scale({8, 1}), 1.0f / 40);
  EXPECT_EQ(firstTokens(*second, "tokens", 2, 10, {8, 1}, 0),
            (std::vector<int32_t>{100, 110}));
  // The 21st sample is the first one again.
  auto source =
      openTokenBatches(manifest, path, SampleOrder::sequential, 1, 1, 2);
  EXPECT_EQ(firstTokens(*source, "tokens", 2, 10, {16, 2}, 0),
            (std::vector<int32_t>{0, 10}));
}

TEST(TokenBatches, ShuffledOrderTakesEachSampleOnceAnEpoch) {
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::vector<bool> seen(37, false);
    for (int64_t i = 0; i < 37; ++i)
      seen[sampleAt(SampleOrder::shuffled, epoch * 37 + i, 37, 5)] = true;
    EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 37);
  }
  std::vector<int64_t> first, second;
  for (int64_t i = 0; i < 37; ++i) {
    first.push_back(sampleAt(SampleOrder::shuffled, i, 37, 5));
    second.push_back(sampleAt(SampleOrder::shuffled, 37 + i, 37, 5));
  }
  EXPECT_NE(first, second);
}

TEST(TokenFileDeathTest, RefusesATextShorterThanASample) {
  std::string path = writeText("ten.txt", "0123456789");
  EXPECT_EXIT(openTokenBatches(manifestOf(1, 1, 10), path,
                               SampleOrder::sequential, 1, 0, 1),
              testing::ExitedWithCode(1), "has 10 tokens; one sample takes 11");
}

} // namespace
