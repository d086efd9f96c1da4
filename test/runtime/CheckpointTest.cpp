//===- CheckpointTest.cpp - What checkpoints are made of ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Checksum.h"
#include "runtime/LossWatch.h"
#include "runtime/Parts.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <numeric>
#include <string>
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
