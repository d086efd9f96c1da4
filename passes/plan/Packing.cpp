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

/// Bytes that are used, as ranges that neither overlap nor touch, in order.
class Ranges {
public:
  struct Range {
    int64_t begin, end;
  };

  void add(Range range) {
    auto *first = llvm::partition_point(
        ranges, [&](const Range &other) { return other.end < range.begin; });
    auto *last = first;
    for (; last != ranges.end() && last->begin <= range.end; ++last) {
      range.begin = std::min(range.begin, last->begin);
      range.end = std::max(range.end, last->end);
    }
    if (first == last) {
      ranges.insert(first, range);
      return;
    }
    *first = range;
    ranges.erase(first + 1, last);
  }

  ArrayRef<Range> get() const { return ranges; }

private:
  SmallVector<Range, 2> ranges;
};

/// The bytes that blocks are placed on, by when they are used: a tree of
/// intervals of time. Alike layers use memory alike, so that what is used
/// during an interval is few ranges, however many blocks there are.
class Usage {
public:
  explicit Usage(ArrayRef<Block> blocks) {
    // Lives that overlap do so where one of them begins.
    for (const Block &block : blocks)
      times.push_back(block.first);
    llvm::sort(times);
    times.erase(llvm::unique(times), times.end());
    nodes.resize(2 * llvm::PowerOf2Ceil(times.size()));
  }

  /// Where \p block fits most tightly.
  int64_t findOffset(const Block &block) {
    found.clear();
    collect(1, 0, nodes.size() / 2, getLife(block));
    llvm::sort(found, [](const Ranges::Range &a, const Ranges::Range &b) {
      return a.begin < b.begin;
    });
    int64_t free = 0, best = -1, tightest = INT64_MAX;
    for (auto [begin, end] : found) {
      int64_t gap = begin - free;
      if (gap >= block.bytes && gap < tightest) {
        tightest = gap;
        best = free;
      }
      free = std::max(free, end);
    }
    return best < 0 ? free : best;
  }

  void add(const Block &block, int64_t offset) {
    add(1, 0, nodes.size() / 2, getLife(block), {offset, offset + block.bytes});
  }

private:
  /// Indices of times, the end not included.
  struct Life {
    size_t begin, end;
  };

  struct Node {
    Ranges always;    ///< used by blocks that live all the interval
    Ranges sometimes; ///< used at some time in it by blocks that begin or end
                      ///< in it or live all of it but not of the one above
  };

  Life getLife(const Block &block) const {
    return {size_t(llvm::lower_bound(times, block.first) - times.begin()),
            size_t(llvm::upper_bound(times, block.last) - times.begin())};
  }

  void add(size_t node, size_t begin, size_t end, Life life,
           Ranges::Range range) {
    if (life.end <= begin || end <= life.begin)
      return;
    nodes[node].sometimes.add(range);
    if (life.begin <= begin && end <= life.end) {
      nodes[node].always.add(range);
      return;
    }
    size_t middle = begin + (end - begin) / 2;
    add(2 * node, begin, middle, life, range);
    add(2 * node + 1, middle, end, life, range);
  }

  /// Adds what is used at some time of \p life to what is found.
  void collect(size_t node, size_t begin, size_t end, Life life) {
    if (life.end <= begin || end <= life.begin)
      return;
    if (life.begin <= begin && end <= life.end) {
      llvm::append_range(found, nodes[node].sometimes.get());
      return;
    }
    llvm::append_range(found, nodes[node].always.get());
    size_t middle = begin + (end - begin) / 2;
    collect(2 * node, begin, middle, life);
    collect(2 * node + 1, middle, end, life);
  }

  std::vector<int64_t> times; ///< when lives begin
  std::vector<Node> nodes;    ///< the halves of node i are 2i and 2i + 1
  std::vector<Ranges::Range> found;
};

/// Places all blocks in \p order; gives up once they end at \p limit.
int64_t place(ArrayRef<Block> blocks, ArrayRef<unsigned> order, int64_t limit,
              std::vector<int64_t> &offsets) {
  Usage usage(blocks);
  int64_t highest = 0;
  for (unsigned index : order) {
    const Block &block = blocks[index];
    int64_t offset = usage.findOffset(block);
    offsets[index] = offset;
    highest = std::max(highest, offset + block.bytes);
    if (highest >= limit)
      return highest;
    usage.add(block, offset);
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
