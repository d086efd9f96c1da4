//===- PairTable.h - Numbers by pairs of numbers ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_PAIRTABLE_H
#define TESSERA_RUNTIME_TOKENIZER_PAIRTABLE_H

#include <cstdint>
#include <string_view>
#include <vector>

namespace tessera::runtime {

/// Lets a map of strings be asked for a part of a text.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

/// A hash table with keys of two numbers of at least 0, in one array.
class PairTable {
public:
  struct Entry {
    int32_t first = -1, second = -1; ///< -1: the place is free
    uint32_t rank = 0;
    int32_t id = 0;
  };

  /// Makes room for \p count pairs.
  void reserve(size_t count) {
    size_t size = 16;
    while (size < 2 * count)
      size *= 2;
    entries.assign(size, Entry());
    mask = size - 1;
  }

  /// Sets what the pair has, over what it had. There must be room.
  void set(int32_t first, int32_t second, uint32_t rank, int32_t id) {
    entries[place(first, second)] = {first, second, rank, id};
  }

  /// Null where the pair is not there.
  const Entry *find(int32_t first, int32_t second) const {
    const Entry &entry = entries[place(first, second)];
    return entry.first < 0 ? nullptr : &entry;
  }

private:
  size_t place(int32_t first, int32_t second) const {
    uint64_t key = uint64_t(uint32_t(first)) << 32 | uint32_t(second);
    key *= 0x9e3779b97f4a7c15u;
    size_t at = (key ^ key >> 32) & mask;
    while (entries[at].first >= 0 &&
           (entries[at].first != first || entries[at].second != second))
      at = (at + 1) & mask;
    return at;
  }

  std::vector<Entry> entries;
  size_t mask = 0;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_PAIRTABLE_H
