//===- Packing.cpp - Lifetimes in, offsets out ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/plan/Packing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <map>
#include <vector>

using namespace llvm;
using namespace tessera::plan;

namespace {

/// What is placed first: the block whose key is greatest, then the bigger,
/// then the earlier one.
struct Heuristic {
  StringRef name;
  double (*key)(const Block &);
};

double lifetime(const Block &block) { return block.last - block.first + 1.0; }

constexpr std::array<Heuristic, 5> heuristics = {{
    {"size", [](const Block &block) { return double(block.bytes); }},
    {"area", [](const Block &block) { return block.bytes * lifetime(block); }},
    {"lifetime", lifetime},
    {"first-use", [](const Block &block) { return -double(block.first); }},
    {"last-use", [](const Block &block) { return double(block.last); }},
}};

int64_t mostWanted(ArrayRef<Block> blocks) {
  std::map<int64_t, int64_t> change;
  for (const Block &block : blocks) {
    change[block.first] += block.bytes;
    change[block.last + 1] -= block.bytes;
  }
  int64_t now = 0, most = 0;
  for (auto [step, bytes] : change)
    most = std::max(most, now += bytes);
  return most;
}

/// Places all blocks in \p order; gives up once they end at \p limit.
int64_t place(ArrayRef<Block> blocks, ArrayRef<unsigned> order, int64_t limit,
              std::vector<int64_t> &offsets) {
  struct Placed {
    int64_t begin, end, first, last;
  };
  std::vector<Placed> placed; // by begin
  placed.reserve(blocks.size());
  int64_t highest = 0;
  for (unsigned index : order) {
    const Block &block = blocks[index];
    int64_t free = 0, best = -1, tightest = INT64_MAX;
    for (const Placed &other : placed) {
      if (other.last < block.first || block.last < other.first)
        continue;
      int64_t gap = other.begin - free;
      if (gap >= block.bytes && gap < tightest) {
        tightest = gap;
        best = free;
      }
      free = std::max(free, other.end);
    }
    if (best < 0)
      best = free;
    offsets[index] = best;
    int64_t end = best + block.bytes;
    highest = std::max(highest, end);
    if (highest >= limit)
      return highest;
    Placed entry{best, end, block.first, block.last};
    placed.insert(llvm::upper_bound(placed, entry,
                                    [](const Placed &a, const Placed &b) {
                                      return a.begin < b.begin;
                                    }),
                  entry);
  }
  return highest;
}

} // namespace

ArrayRef<StringRef> tessera::plan::getHeuristics() {
  static const auto names = [] {
    std::array<StringRef, heuristics.size()> result;
    for (auto [name, heuristic] : llvm::zip(result, heuristics))
      name = heuristic.name;
    return result;
  }();
  return names;
}

Packing tessera::plan::pack(MutableArrayRef<Block> blocks, StringRef only) {
  Packing result;
  result.lowerBound = mostWanted(blocks);
  result.heuristic = heuristics.front().name;
  result.bytes = INT64_MAX;
  std::vector<int64_t> offsets(blocks.size());
  for (const Heuristic &heuristic : heuristics) {
    if (!only.empty() && heuristic.name != only)
      continue;
    std::vector<std::pair<double, unsigned>> keyed;
    for (auto [index, block] : llvm::enumerate(blocks))
      keyed.emplace_back(-heuristic.key(block), index);
    llvm::sort(keyed, [&](auto &a, auto &b) {
      const Block &x = blocks[a.second], &y = blocks[b.second];
      return std::tuple(a.first, -x.bytes, x.first, a.second) <
             std::tuple(b.first, -y.bytes, y.first, b.second);
    });
    SmallVector<unsigned> order(llvm::make_second_range(ArrayRef(keyed)));
    int64_t bytes = place(blocks, order, result.bytes, offsets);
    if (bytes < result.bytes) {
      result.bytes = bytes;
      result.heuristic = heuristic.name;
      for (auto [block, offset] : llvm::zip(blocks, offsets))
        block.offset = offset;
    }
    if (result.bytes == result.lowerBound)
      break;
  }
  return result;
}
