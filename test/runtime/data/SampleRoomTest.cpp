//===- SampleRoomTest.cpp -------------------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/SampleRoom.h"
#include "gtest/gtest.h"

using namespace tessera::runtime;

// 4 seeds have 12 neighbours at most, and these 24 of their own.
TEST(SampleRoom, CountsTreesOfNeighbours) {
  SampleRoom room({.nodes = 1000, .edges = 5000, .fanOut = {3, 2}, .batch = 4});
  EXPECT_EQ(room.layers(), 2u);
  EXPECT_EQ(room.nodesWithin(0), 4);
  EXPECT_EQ(room.nodesWithin(1), 4 + 12);
  EXPECT_EQ(room.nodesWithin(2), 4 + 12 + 24);
  EXPECT_EQ(room.edgesWithin(0), 12);
  EXPECT_EQ(room.edgesWithin(1), 12 + 24);
}

// The first layer works on what is furthest from the seeds.
TEST(SampleRoom, LayersWorkOnBlocks) {
  SampleRoom room({.nodes = 1000, .edges = 5000, .fanOut = {3, 2}, .batch = 4});
  BlockRoom first = room.block(0, /*selfLoops=*/false);
  EXPECT_EQ(first.rows, 16);
  EXPECT_EQ(first.columns, 40);
  EXPECT_EQ(first.entries, 36);
  BlockRoom last = room.block(1, /*selfLoops=*/true);
  EXPECT_EQ(last.rows, 4);
  EXPECT_EQ(last.columns, 16);
  EXPECT_EQ(last.entries, 12 + 4);
}

TEST(SampleRoom, TheGraphIsTheMost) {
  SampleRoom room({.nodes = 20, .edges = 30, .fanOut = {3, 2}, .batch = 4});
  EXPECT_EQ(room.nodesWithin(1), 16);
  EXPECT_EQ(room.nodesWithin(2), 20);
  EXPECT_EQ(room.edgesWithin(0), 12);
  EXPECT_EQ(room.edgesWithin(1), 30);
  // All edges lead to other nodes.
  SampleRoom few({.nodes = 20, .edges = 5, .fanOut = {3, 2}, .batch = 4});
  EXPECT_EQ(few.nodesWithin(1), 9);
  EXPECT_EQ(few.nodesWithin(2), 14);
  EXPECT_EQ(few.edgesWithin(1), 5);
}

TEST(SampleRoom, AllNeighbours) {
  SampleRoom room({.nodes = 20, .edges = 90, .fanOut = {-1, 2}, .batch = 4});
  EXPECT_EQ(room.nodesWithin(1), 20);
  EXPECT_EQ(room.edgesWithin(0), 90);
  EXPECT_EQ(room.edgesWithin(1), 90);
}

// An edge may be drawn as often as its node draws.
TEST(SampleRoom, WithReplacement) {
  SampleRoom room({.nodes = 20,
                   .edges = 5,
                   .fanOut = {3, -1},
                   .batch = 4,
                   .replace = true});
  EXPECT_EQ(room.edgesWithin(0), 12);
  EXPECT_EQ(room.edgesWithin(1), 12 + 5);
}

// What no index counts stays a number that is too large.
TEST(SampleRoom, LargeCountsDoNotOverflow) {
  SampleRoom room({.nodes = 2147483647,
                   .edges = 2147483647,
                   .fanOut = {2147483647, 2147483647, 2147483647},
                   .batch = 2147483647,
                   .replace = true});
  EXPECT_EQ(room.nodesWithin(3), 2147483647);
  EXPECT_EQ(room.edgesWithin(2), sampleRoomLimit);
}

// Only self-loops remain.
TEST(SampleRoom, NoEdges) {
  SampleRoom room({.nodes = 8, .edges = 0, .fanOut = {3, 2}, .batch = 8});
  EXPECT_EQ(room.nodesWithin(2), 8);
  EXPECT_EQ(room.block(0, /*selfLoops=*/false).entries, 0);
  EXPECT_EQ(room.block(0, /*selfLoops=*/true).entries, 8);
}
