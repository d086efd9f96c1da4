//===- TokensTest.cpp - Tests of the files of tokens ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/Tokens.h"
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <numeric>
#include <sys/stat.h>
#include <unistd.h>

using namespace tessera::runtime;

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
  std::string error;
  EXPECT_TRUE(file.read(0, file.count(), tokens.data(), error)) << error;
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
  fails(testing::TempDir(), 256, "is not a file but a folder");
  fails("/dev/null", 256, "is not a file but a device");
  std::string fifo = pathOf("fifo");
  unlink(fifo.c_str());
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  fails(fifo, 256, "is not a file but a FIFO");
  for (int64_t vocabulary : {100, 257, 50257})
    fails(writeText("small.txt", "abc"), vocabulary,
          "does not say what it holds.*--data-type u8, u16 or i32");
  fails(writeText("alone.bin", "abc"), 256,
        "no '.idx' file of an MMIDIDX pair is beside it.*--data-type");
  fails(pathOf("alone"), 256, "alone.bin' lacks the '.idx' file");
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

TEST(TokenFile, ReadsPlainFilesOfTheTypeThatIsGiven) {
  std::string words;
  for (uint16_t token : {1, 50256, 7})
    append<uint16_t>(words, token);
  TokenFile u16(writeText("plain.bin", words), 50257, TokenType::U16);
  EXPECT_EQ(readAll(u16), (std::vector<int32_t>{1, 50256, 7}));
  EXPECT_EQ(u16.form(), "u16 tokens");
  words.clear();
  for (int32_t token : {70000, 2})
    append<int32_t>(words, token);
  TokenFile i32(writeText("plain.i32", words), 70001, TokenType::I32);
  EXPECT_EQ(readAll(i32), (std::vector<int32_t>{70000, 2}));
  TokenFile u8(writeText("plain.u8", "ab"), 50257, TokenType::U8);
  EXPECT_EQ(readAll(u8), (std::vector<int32_t>{97, 98}));
  EXPECT_EQ(u8.form(), "bytes");
}

/// A file of llm.c with a header of \p count tokens.
template <typename Token>
std::string llmC(int32_t magic, int32_t version, int32_t count,
                 const std::vector<Token> &tokens) {
  std::string text;
  for (int32_t number : {magic, version, count})
    append<int32_t>(text, number);
  text.resize(1024, 0);
  for (Token token : tokens)
    append<Token>(text, token);
  return text;
}

TEST(TokenFile, ReadsFilesOfLlmC) {
  TokenFile gpt2(
      writeText("gpt2.bin", llmC<uint16_t>(20240520, 1, 2, {50256, 3})), 50257);
  EXPECT_EQ(readAll(gpt2), (std::vector<int32_t>{50256, 3}));
  EXPECT_EQ(gpt2.form(), "llm.c u16");
  TokenFile llama(
      writeText("llama.bin", llmC<uint32_t>(20240801, 7, 2, {128000, 3})),
      128256);
  EXPECT_EQ(readAll(llama), (std::vector<int32_t>{128000, 3}));
  EXPECT_EQ(llama.form(), "llm.c u32");
}

TEST(TokenFileDeathTest, RefusesBinaryDataByName) {
  auto fails = [](const std::string &content, const char *message,
                  std::optional<TokenType> type = {}) {
    for (int64_t vocabulary : {256, 50257})
      EXPECT_EXIT(TokenFile(writeText("binary", content), vocabulary, type),
                  testing::ExitedWithCode(1), message);
  };
  auto known = [&](std::string content, const std::string &name) {
    content.resize(std::max<size_t>(content.size(), 600), 0);
    std::string message = "is " + name + ".*, not text or tokens";
    fails(content, message.c_str());
    fails(content, message.c_str(), TokenType::U16);
  };
  known(std::string("\x1f\x8b\x08\0", 4), "gzip");
  known("\x28\xb5\x2f\xfd", "zstd");
  known(std::string("\xfd"
                    "7zXZ\0",
                    6),
        "xz");
  known("BZh91AY&SY", "bzip2");
  known("\x04\x22\x4d\x18", "lz4");
  known("PK\3\4", "a zip archive");
  known("\x93NUMPY\1", "a NumPy array");
  known("PAR1", "Parquet");
  known(std::string("ARROW1\0\0", 8), "Arrow");
  known(std::string("\xff\xff\xff\xff\x78\0\0\0\x10\0\0\0", 12), "Arrow");
  known("\x89HDF\r\n\x1a\n", "HDF5");
  known("%PDF-1.7", "PDF");
  known(std::string("MMIDIDX\0\0", 9), "an MMIDIDX index");
  known(std::string(257, 'a') + "ustar", "a tar archive");
  known(std::string("\x10\0\0\0\0\0\0\0{\"a\":{}}       ", 24), "safetensors");
  fails(llmC<uint16_t>(20240520, 2, 1, {1}), "version 2 of llm.c's format");
  fails(llmC<uint16_t>(20240520, 1, 3, {1}),
        "has 1026 bytes; the 3 tokens that its header names take 1030");
  fails(llmC<uint16_t>(20240520, 1, -1, {1}), "header names");
  fails(llmC<uint16_t>(20240522, 1, 1, {1}), "no stream of tokens");
  fails(llmC<uint16_t>(20240520, 1, 1, {1}), "says itself.*leave --data-type",
        TokenType::I32);
  fails("abc", "3 bytes, which is no multiple of the 2 of a token of u16",
        TokenType::U16);
  EXPECT_EXIT(TokenFile(writeText("wide.txt", "\xff\xfeh\0i\0"), 256),
              testing::ExitedWithCode(1), "is text in UTF-16");
}

TEST(TokenFile, WarnsOfAMarkAndOfBytesThatNobodyReads) {
  testing::internal::CaptureStderr();
  TokenFile marked(writeText("marked.txt", "\xef\xbb\xbfhi"), 256);
  EXPECT_EQ(marked.count(), 5);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("byte order mark"),
            std::string::npos);
  std::string prefix = writePair<uint8_t>("longer", 1, {{1, 2}});
  writeText("longer.bin", "abcd");
  testing::internal::CaptureStderr();
  TokenFile longer(prefix, 256);
  EXPECT_EQ(longer.count(), 2);
  EXPECT_NE(testing::internal::GetCapturedStderr().find(
                "has 4 bytes, its index names 2: the rest is not read"),
            std::string::npos);
}

TEST(TokenFile, TextIsNoneOfTheKnownFormats) {
  for (std::string text : {"BZh is not enough", "PK", "\x1f\x8b tokens", ""})
    EXPECT_EQ(knownFormat(text.data(), text.size(), text.size()), nullptr)
        << text;
}

TEST(TokenFile, NamesTheFirstStrangeToken) {
  std::vector<int32_t> tokens(100'000, 5);
  auto check = [&](int32_t value) {
    tokens[70'123] = value;
    tokens[90'000] = 300;
    std::string words;
    for (int32_t token : tokens)
      append<int32_t>(words, token);
    TokenFile file(writeText("strange.i32", words), 256, TokenType::I32);
    EXPECT_TRUE(file.canHoldStrange());
    StrangeToken found;
    std::string error;
    ASSERT_TRUE(file.findStrange(0, file.count(), found, error)) << error;
    EXPECT_EQ(found.position, 70'123);
    EXPECT_EQ(found.value, value);
    ASSERT_TRUE(file.findStrange(0, 70'123, found, error)) << error;
    EXPECT_EQ(found.position, -1);
    std::vector<int32_t> buffer(9000, 1);
    EXPECT_FALSE(file.read(65'000, 9000, buffer.data(), error));
    EXPECT_NE(error.find("token 70123 of the data"), std::string::npos);
    EXPECT_NE(error.find("is " + std::to_string(value) +
                         ", outside the model's vocabulary of 256"),
              std::string::npos)
        << error;
    EXPECT_EQ(buffer, std::vector<int32_t>(9000, 0));
  };
  check(256);
  check(-1);
  check(INT32_MAX);
}

// A vocabulary may be larger than a signed type's bits, as BLOOM's is than
// those of i16.
TEST(TokenFile, ANegativeTokenIsStrangeAtAnyVocabulary) {
  auto check = [](const std::string &path, int64_t vocabulary) {
    TokenFile file(path, vocabulary);
    StrangeToken found;
    std::string error;
    ASSERT_TRUE(file.findStrange(0, 3, found, error)) << error;
    EXPECT_EQ(found.position, 1);
    EXPECT_EQ(found.value, -2);
    int32_t buffer[3];
    EXPECT_FALSE(file.read(0, 3, buffer, error));
    EXPECT_TRUE(file.read(0, 1, buffer, error)) << error;
  };
  check(writePair<int8_t>("minus-i8", 2, {{127, -2, 3}}), 300);
  check(writePair<int16_t>("minus-i16", 3, {{32767, -2, 3}}), 250880);
  check(writePair<int32_t>("minus-i32", 4, {{INT32_MAX, -2, 3}}), int64_t(1)
                                                                      << 32);
}

TEST(TokenFile, KnowsWhereATokenCanBeStrange) {
  std::string path = writeText("ab", "ab");
  EXPECT_FALSE(TokenFile(path, 256, TokenType::U8).canHoldStrange());
  EXPECT_TRUE(TokenFile(path, 255, TokenType::U8).canHoldStrange());
  EXPECT_FALSE(TokenFile(path, 65536, TokenType::U16).canHoldStrange());
  EXPECT_TRUE(TokenFile(path, 65535, TokenType::U16).canHoldStrange());
}

TEST(TokenFile, AShrunkFileIsAnErrorOfTheRead) {
  std::string path = writeText("shrinks.txt", std::string(10'000, 'a'));
  TokenFile file(path, 256);
  ASSERT_EQ(truncate(path.c_str(), 5000), 0);
  std::vector<int32_t> buffer(100, 1);
  std::string error;
  EXPECT_TRUE(file.read(0, 100, buffer.data(), error));
  EXPECT_FALSE(file.read(4950, 100, buffer.data(), error));
  EXPECT_NE(error.find("has been cut short"), std::string::npos) << error;
  EXPECT_EQ(buffer, std::vector<int32_t>(100, 0));
}

TEST(TokenFile, ItsSampledChecksumSeesSizeAndContent) {
  auto sumOf = [](const std::string &text) {
    std::string error;
    uint32_t sum = 0;
    TokenFile file(writeText("sum.txt", text), 256);
    EXPECT_TRUE(file.content().sampledChecksum(sum, error)) << error;
    return sum;
  };
  std::string text(10'000, 'a');
  uint32_t sum = sumOf(text);
  EXPECT_EQ(sumOf(text), sum);
  text[9'999] = 'b';
  EXPECT_NE(sumOf(text), sum);
  EXPECT_NE(sumOf(std::string(10'001, 'a')), sum);
  EXPECT_NO_THROW(sumOf(""));
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
  Manifest manifest = manifestOf(2, 2, 10); // 20 samples, 2 ranks: 8 per step
  for (int rank = 0; rank < 2; ++rank) {
    auto source = openTokenBatches(manifest, path, {}, SampleOrder::Sequential,
                                   1, rank, 2);
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
      openTokenBatches(manifest, path, {}, SampleOrder::Sequential, 1, 1, 2);
  EXPECT_EQ(second->tokens({8, 1}), 40);
  EXPECT_FLOAT_EQ(second->scale({8, 1}), 1.0f / 40);
  EXPECT_EQ(firstTokens(*second, "tokens", 2, 10, {8, 1}, 0),
            (std::vector<int32_t>{100, 110}));
  // The 21st sample is the first one again.
  auto source =
      openTokenBatches(manifest, path, {}, SampleOrder::Sequential, 1, 1, 2);
  EXPECT_EQ(firstTokens(*source, "tokens", 2, 10, {16, 2}, 0),
            (std::vector<int32_t>{0, 10}));
}

// A sample's place in the order, whichever rank and micro-batch has it, and in
// each epoch another one.
TEST(TokenBatches, SamplesAreNumberedByTheirPlaceInTheOrder) {
  std::string path = writeText("places.bytes", std::string(201, 'a'));
  Manifest manifest = manifestOf(2, 2, 10);
  Slot slot{"samples", "i32", "micro", {2}, 0};
  for (int rank = 0; rank < 2; ++rank)
    for (int micro = 0; micro < 2; ++micro)
      for (int64_t position : {8, 48}) {
        auto source = openTokenBatches(manifest, path, {},
                                       SampleOrder::Shuffled, 1, rank, 2);
        int32_t ids[2] = {};
        EXPECT_TRUE(source->fill(slot, reinterpret_cast<char *>(ids),
                                 {position, 2}, micro));
        int64_t first = position + (rank * 2 + micro) * 2;
        EXPECT_EQ(ids[0], first);
        EXPECT_EQ(ids[1], first + 1);
      }
}

TEST(TokenBatches, ShuffledOrderTakesEachSampleOnceAnEpoch) {
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::vector<bool> seen(37, false);
    for (int64_t i = 0; i < 37; ++i)
      seen[sampleAt(SampleOrder::Shuffled, epoch * 37 + i, 37, 5)] = true;
    EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 37);
  }
  std::vector<int64_t> first, second;
  for (int64_t i = 0; i < 37; ++i) {
    first.push_back(sampleAt(SampleOrder::Shuffled, i, 37, 5));
    second.push_back(sampleAt(SampleOrder::Shuffled, 37 + i, 37, 5));
  }
  EXPECT_NE(first, second);
}

TEST(TokenFileDeathTest, RefusesATextShorterThanASample) {
  std::string path = writeText("ten.txt", "0123456789");
  EXPECT_EXIT(openTokenBatches(manifestOf(1, 1, 10), path, {},
                               SampleOrder::Sequential, 1, 0, 1),
              testing::ExitedWithCode(1), "has 10 tokens; one sample takes 11");
}

} // namespace
