//===- CheckpointTest.cpp - What checkpoints are made of ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/CheckpointIndex.h"
#include "runtime/Checksum.h"
#include "runtime/LossWatch.h"
#include "runtime/Parts.h"
#include <cmath>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <numeric>
#include <string>
#include <unistd.h>
#include <vector>

using namespace tessera;

namespace {

// RFC 3720, appendix B.4, and the usual check value.
TEST(Checksum, HasTheValuesOfTheStandard) {
  std::vector<unsigned char> bytes(32);
  EXPECT_EQ(checksum(bytes.data(), 32), 0x8a9136aau);
  std::fill(bytes.begin(), bytes.end(), 0xff);
  EXPECT_EQ(checksum(bytes.data(), 32), 0x62a8ab43u);
  std::iota(bytes.begin(), bytes.end(), 0);
  EXPECT_EQ(checksum(bytes.data(), 32), 0x46dd794eu);
  EXPECT_EQ(checksum("123456789", 9), 0xe3069283u);
  EXPECT_EQ(checksum("", 0), 0u);
}

TEST(Checksum, GoesOnWhereItStopped) {
  const char *text = "tiles of glass and stone";
  auto length = static_cast<int64_t>(strlen(text));
  for (int64_t cut = 0; cut <= length; ++cut)
    EXPECT_EQ(checksum(text + cut, length - cut, checksum(text, cut)),
              checksum(text, length));
}

TEST(Checksum, OfBlocksHoweverTheyAreWritten) {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += static_cast<char>(i * i % 251);
  for (int64_t piece : {1, 7, 64, 100, 1000}) {
    std::vector<uint32_t> blocks(BlockChecksums::count(1000, 64));
    ASSERT_EQ(blocks.size(), 16u);
    BlockChecksums sums(blocks, 64);
    for (int64_t at = 0; at < 1000; at += piece)
      sums.add(text.data() + at, std::min<int64_t>(piece, 1000 - at));
    for (size_t i = 0; i < blocks.size(); ++i)
      EXPECT_EQ(blocks[i],
                checksum(text.data() + 64 * i, i == 15 ? 1000 - 960 : 64));
  }
}

// Each element of a group is written by one rank that holds it, whatever is
// sharded over how many.
TEST(Parts, EachElementIsWrittenOnce) {
  for (int world : {1, 2, 3, 4, 8})
    for (int shards : {1, 2, 4, 8}) {
      if (world % shards != 0)
        continue;
      Group group;
      group.padded = 16 * world * 5;
      State state;
      state.sharded = shards > 1;
      state.elements = group.padded / shards;
      std::vector<int> written(group.padded);
      for (int rank = 0; rank < world; ++rank) {
        Range held = heldRange(state, group, rank);
        EXPECT_EQ(held.size(), state.elements);
        Range range = writtenRange(state, group, rank, world);
        EXPECT_LE(held.begin, range.begin);
        EXPECT_LE(range.end, held.end);
        for (int64_t i = range.begin; i < range.end; ++i)
          ++written[i];
      }
      EXPECT_EQ(std::count(written.begin(), written.end(), 1), group.padded)
          << world << " ranks, " << shards << " shards";
    }
}

TEST(Parts, OfAParameterThatIsCut) {
  Parameter parameter;
  parameter.shape = {10, 10};
  parameter.offset = 48;
  State state;
  state.offset = 4096;
  state.elements = 64;
  Part part = partOf(parameter, state, {64, 128}, 64);
  EXPECT_EQ(part.range.begin, 16);
  EXPECT_EQ(part.range.end, 80);
  EXPECT_EQ(part.place, 4096);
  part = partOf(parameter, state, {0, 64}, 0);
  EXPECT_EQ(part.range.begin, 0);
  EXPECT_EQ(part.range.end, 16);
  EXPECT_EQ(part.place, 4096 + 4 * 48);
  EXPECT_TRUE(partOf(parameter, state, {192, 256}, 192).range.empty());
}

class IndexTest : public testing::Test {
protected:
  void SetUp() override {
    char pattern[] = "/tmp/tessera-index-XXXXXX";
    index.folder = folder = mkdtemp(pattern);
    index.model = "fake";
    index.world = 2;
    index.parameters = {{"w", {4, 6}}, {"b", {6}}};
    for (int rank : {0, 1}) {
      SavedFile file;
      file.name = "rank-0000" + std::to_string(rank);
      file.bytes = 100 + 4 * 45;
      int64_t offset = 100;
      for (SavedState state : savedStates)
        for (int parameter : {0, 1}) {
          int64_t half = parameter == 0 ? 12 : 3;
          file.pieces.push_back({state,
                                 parameter,
                                 {rank * half, (rank + 1) * half},
                                 "F32",
                                 offset});
          offset += 4 * half;
        }
      file.checksums = {0x12345678u + rank};
      index.files.push_back(file);
    }
    index.progress.step = 12;
    index.progress.samples = 96;
    index.progress.seed = 1ull << 53;
    index.progress.losses = {7, 1.0 / 3, 2e-9};
  }
  void TearDown() override {
    unlink(path().c_str());
    rmdir(folder.c_str());
  }

  std::string path() const { return folder + "/" + CheckpointIndex::fileName; }
  void write(const std::string &text) const {
    std::ofstream(path(), std::ios::binary) << text;
  }
  std::string sealed(const CheckpointIndex &from) const {
    IndexText text = from.text();
    size_t place = 0;
    for (const SavedFile &file : from.files)
      for (uint32_t sum : file.checksums)
        text.put(place++, sum);
    text.seal();
    return text.text;
  }
  /// The reason for which the file is refused; "" where it is not.
  std::string refusal() const {
    std::string error;
    return CheckpointIndex::read(folder, error) ? "" : error;
  }

  CheckpointIndex index;
  std::string folder;
};

TEST_F(IndexTest, ReadsWhatItWrites) {
  write(sealed(index));
  std::string error;
  auto read = CheckpointIndex::read(folder, error);
  ASSERT_TRUE(read) << error;
  EXPECT_EQ(sealed(*read), sealed(index));
  EXPECT_EQ(read->progress.seed, 1ull << 53);
  EXPECT_EQ(read->progress.losses.mean, 1.0 / 3);
  EXPECT_EQ(read->files[1].checksums[0], 0x12345679u);
  EXPECT_EQ(read->blockCount(), 2);
}

TEST_F(IndexTest, RefusesFlippedBitsAndCuts) {
  std::string whole = sealed(index);
  for (size_t bit = 0; bit < 8 * whole.size(); bit += 5) {
    std::string text = whole;
    text[bit / 8] ^= static_cast<char>(1 << bit % 8);
    write(text);
    ASSERT_NE(refusal().find("' is damaged: "), std::string::npos) << bit;
  }
  for (size_t length = 0; length < whole.size(); length += 17) {
    write(whole.substr(0, length));
    ASSERT_NE(refusal(), "") << length;
  }
}

TEST_F(IndexTest, RefusesWhatDoesNotAddUp) {
  auto refuses = [&](const std::string &message, auto change) {
    CheckpointIndex other = index;
    change(other);
    write(sealed(other));
    EXPECT_NE(refusal().find(message), std::string::npos)
        << message << ": " << refusal();
  };
  refuses("it does not say where all of exp_avg of 'w' is",
          [](CheckpointIndex &i) {
            i.files[1].pieces.erase(i.files[1].pieces.begin() + 2);
          });
  refuses("it does not say where all of weight of 'b' is",
          [](CheckpointIndex &i) { i.files[1].pieces[1].range = {2, 6}; });
  refuses("a piece of 'rank-00001' is not within it",
          [](CheckpointIndex &i) { i.files[1].pieces[5].offset += 4; });
  refuses("a piece of 'rank-00000' is not within it",
          [](CheckpointIndex &i) { i.files[0].pieces[0].dtype = "I32"; });
  refuses("a piece of 'rank-00000' is not within it",
          [](CheckpointIndex &i) { i.files[0].pieces[0].parameter = 2; });
  refuses("it names a file '../b'",
          [](CheckpointIndex &i) { i.files[0].name = "../b"; });
  std::string text = sealed(index);
  text.replace(text.find(":2,"), 3, ":3,");
  IndexText other = {text, {text.size() - strlen("00000000\"}\n")}};
  other.seal();
  write(other.text);
  EXPECT_NE(refusal().find("has another version of the format than 2"),
            std::string::npos)
      << refusal();
}

TEST(LossWatch, FindsSpikesAlone) {
  LossStatistics losses;
  int spikes = 0;
  // A noisy curve that falls, as losses do.
  auto loss = [](int step) {
    return 2 + 4 * std::exp(-step / 80.0) + 0.1 * std::sin(1.7 * step);
  };
  for (int step = 0; step < 1000; ++step)
    spikes += losses.observe(loss(step));
  EXPECT_EQ(spikes, 0);
  EXPECT_NEAR(losses.mean, 2, 0.02);
  EXPECT_NEAR(std::sqrt(losses.variance), 0.1 / std::sqrt(2.0), 0.02);
  EXPECT_TRUE(losses.observe(4));
  EXPECT_TRUE(losses.observe(4)) << "one spike hides no other";
  EXPECT_FALSE(losses.observe(2.1));
  // A new level is one for a while only.
  for (int step = 0; step < 60; ++step)
    losses.observe(5);
  EXPECT_FALSE(losses.observe(5));
}

TEST(LossWatch, WaitsForEnoughLosses) {
  LossStatistics losses;
  for (int step = 0; step < 20; ++step)
    EXPECT_FALSE(losses.observe(step % 2 ? 100 : 1));
  LossStatistics constant;
  for (int step = 0; step < 30; ++step)
    EXPECT_FALSE(constant.observe(3));
  EXPECT_FALSE(constant.observe(3.14)) << "rounding is no spike";
  EXPECT_TRUE(constant.observe(3.5));
}

} // namespace
