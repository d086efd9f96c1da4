//===- MergeQueue.h - The merges of a long word, in their order -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_MERGEQUEUE_H
#define TESSERA_RUNTIME_TOKENIZER_MERGEQUEUE_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace tessera::runtime {

/// Pairs of symbols that may be merged, by rank, then by place. A word has far
/// fewer ranks than places, and places mostly come in order, so that each rank
/// has a list and only ranks are in a heap: a pair takes 4 bytes and, but for a
/// word of many ranks, constant time.
class MergeQueue {
public:
  struct Merge {
    int32_t place, id; ///< of the left symbol, and what both become
  };

  /// Empties it, for a model whose ranks are below \p ranks.
  void reset(size_t ranks) {
    for (uint32_t rank : used)
      listOf[rank] = none;
    used.clear();
    heap.clear();
    if (listOf.size() < ranks)
      listOf.resize(ranks, none);
  }

  /// Adds the pair at \p place, whose merge has \p rank and makes \p id.
  void push(uint32_t rank, int32_t place, int32_t id) {
    uint32_t &index = listOf[rank];
    if (index == none) {
      index = static_cast<uint32_t>(used.size());
      used.push_back(rank);
      if (lists.size() < used.size())
        lists.emplace_back();
      lists[index].start(id);
    }
    List &list = lists[index];
    if (list.isEmpty()) {
      list.start(id);
      heap.push_back(rank);
      std::push_heap(heap.begin(), heap.end(), std::greater<>());
    } else if (place < list.places.back()) {
      list.isSorted = false;
    }
    list.places.push_back(place);
  }

  bool empty() const { return heap.empty(); }

  /// Takes the first one, of the lowest rank, then place.
  Merge pop() {
    List &list = lists[listOf[heap.front()]];
    if (!list.isSorted) {
      std::sort(list.places.begin() + list.next, list.places.end());
      list.isSorted = true;
    }
    Merge merge = {list.places[list.next++], list.id};
    if (list.isEmpty()) {
      std::pop_heap(heap.begin(), heap.end(), std::greater<>());
      heap.pop_back();
    }
    return merge;
  }

private:
  static constexpr uint32_t none = UINT32_MAX;

  /// Places of one rank, those from `next` on.
  struct List {
    std::vector<int32_t> places;
    ptrdiff_t next = 0;
    int32_t id = 0;
    bool isSorted = true;
    bool isEmpty() const { return next == std::ssize(places); }
    void start(int32_t made) {
      places.clear();
      next = 0;
      id = made;
      isSorted = true;
    }
  };

  std::vector<uint32_t> listOf; ///< by rank
  std::vector<uint32_t> used;   ///< ranks that have a list, in the lists' order
  std::vector<List> lists;
  std::vector<uint32_t> heap; ///< ranks whose list is not empty
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_MERGEQUEUE_H
