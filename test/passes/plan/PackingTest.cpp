//===- PackingTest.cpp - Tests of the placement of blocks -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/plan/Packing.h"
#include <chrono>
#include <gtest/gtest.h>
#include <random>

using namespace tessera::plan;

static void expectNoOverlap(llvm::ArrayRef<Block> blocks, int64_t end) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    const Block &a = blocks[i];
    ASSERT_GE(a.offset, 0);
    ASSERT_LE(a.offset + a.bytes, end);
    for (size_t j = 0; j < i; ++j) {
      const Block &b = blocks[j];
      bool together = a.first <= b.last && b.first <= a.last;
      bool apart =
          a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
      ASSERT_TRUE(!together || apart) << "blocks " << i << " and " << j;
    }
  }
}

static std::vector<Block> makeRandom(int count, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<Block> blocks;
  for (int i = 0; i < count; ++i) {
    int64_t first = generator() % count;
    blocks.push_back({64 * int64_t(1 + generator() % 100), first,
                      first + int64_t(generator() % 20)});
  }
  return blocks;
}

TEST(Packing, Nothing) { EXPECT_EQ(pack({}).bytes, 0); }

TEST(Packing, EachHeuristicIsValid) {
  for (llvm::StringRef heuristic : getHeuristics())
    for (unsigned seed = 0; seed < 5; ++seed) {
      std::vector<Block> blocks = makeRandom(200, seed);
      Packing packing = pack(blocks, heuristic);
      EXPECT_EQ(packing.heuristic, heuristic);
      EXPECT_GE(packing.bytes, packing.lowerBound);
      expectNoOverlap(blocks, packing.bytes);
    }
}

TEST(Packing, TheLowestIsKept) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::vector<Block> blocks = makeRandom(100, seed);
    int64_t best = pack(blocks).bytes;
    for (llvm::StringRef heuristic : getHeuristics())
      EXPECT_LE(best, pack(blocks, heuristic).bytes);
  }
}

/// Where \p block fits most tightly beside \p placed, by looking at each.
static int64_t findTightestGap(const Block &block, std::vector<Block> placed) {
  llvm::erase_if(placed, [&](const Block &other) {
    return other.last < block.first || block.last < other.first;
  });
  llvm::sort(placed, [](const Block &a, const Block &b) {
    return a.offset < b.offset;
  });
  int64_t free = 0, best = -1, tightest = INT64_MAX;
  for (const Block &other : placed) {
    int64_t gap = other.offset - free;
    if (gap >= block.bytes && gap < tightest) {
      tightest = gap;
      best = free;
    }
    free = std::max(free, other.offset + other.bytes);
  }
  return best < 0 ? free : best;
}

TEST(Packing, EachBlockGoesIntoItsTightestGap) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::vector<Block> blocks = makeRandom(200, seed);
    // Some live long, and all are placed by their first use, then their size.
    for (size_t i = 0; i < blocks.size(); i += 5)
      blocks[i].last += 10 * i;
    llvm::sort(blocks, [](const Block &a, const Block &b) {
      return std::pair(a.first, -a.bytes) < std::pair(b.first, -b.bytes);
    });
    pack(blocks, "first-use");
    std::vector<Block> placed;
    for (const Block &block : blocks) {
      EXPECT_EQ(block.offset, findTightestGap(block, placed));
      placed.push_back(block);
    }
  }
}

/// What forward saves, backward uses in the opposite order, beside values that
/// live for one step only.
static std::vector<Block> makeLayers(int64_t layers) {
  std::vector<Block> blocks;
  for (int64_t layer = 0; layer < layers; ++layer) {
    blocks.push_back({256, 2 * layer, 4 * layers - 2 * layer});
    blocks.push_back({1024, 2 * layer, 2 * layer + 1});
    blocks.push_back({512, 4 * layers - 2 * layer, 4 * layers - 2 * layer + 1});
  }
  return blocks;
}

TEST(Packing, ForwardAndBackwardReachTheBound) {
  std::vector<Block> blocks = makeLayers(50);
  Packing packing = pack(blocks);
  EXPECT_EQ(packing.bytes, packing.lowerBound);
  expectNoOverlap(blocks, packing.bytes);
}

TEST(Packing, TenThousandBlocksWithinASecond) {
  std::vector<Block> blocks = makeRandom(10000, 1);
  auto begin = std::chrono::steady_clock::now();
  Packing packing = pack(blocks);
  std::chrono::duration<double> taken =
      std::chrono::steady_clock::now() - begin;
  EXPECT_LT(taken.count(), 1.0);
  EXPECT_LE(packing.bytes, packing.lowerBound * 1.3);
}

TEST(Packing, FiftyThousandLayersWithinSeconds) {
  // Seconds where each block is compared with few others, an hour otherwise.
  std::vector<Block> blocks = makeLayers(50000);
  auto begin = std::chrono::steady_clock::now();
  Packing packing = pack(blocks);
  std::chrono::duration<double> taken =
      std::chrono::steady_clock::now() - begin;
  EXPECT_LT(taken.count(), 20.0);
  EXPECT_EQ(packing.bytes, packing.lowerBound);
}
