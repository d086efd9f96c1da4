//===- WordCache.h - Ids of words seen before -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_WORDCACHE_H
#define TESSERA_RUNTIME_TOKENIZER_WORDCACHE_H

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace tessera::runtime {

/// The ids of short words. It has one size, and is emptied when it is full.
class WordCache {
public:
  static constexpr size_t longest = 64; ///< bytes of a word

  WordCache() : slots(slotCount) {}

  /// A multiplicative hash of eight bytes at a time.
  static uint64_t hash(std::string_view word) {
    uint64_t sum = word.size() * factor;
    const char *at = word.data();
    size_t left = word.size();
    auto mix = [&](uint64_t part) {
      sum = (sum ^ part) * factor;
      sum ^= sum >> 29;
    };
    for (; left >= 8; at += 8, left -= 8) {
      uint64_t part;
      memcpy(&part, at, 8);
      mix(part);
    }
    if (left) {
      uint64_t part = 0;
      memcpy(&part, at, left);
      mix(part);
    }
    return sum ? sum : 1;
  }

  /// Appends the ids of \p word to \p out where it has them.
  bool find(std::string_view word, uint64_t hash,
            std::vector<int32_t> &out) const {
    for (size_t at = hash & mask; slots[at].hash; at = (at + 1) & mask) {
      const Slot &slot = slots[at];
      if (slot.hash == hash && slot.length == word.size() &&
          !memcmp(words.data() + slot.word, word.data(), word.size())) {
        const int32_t *first = ids.data() + slot.ids;
        out.insert(out.end(), first, first + slot.count);
        return true;
      }
    }
    return false;
  }

  /// \p word must not be there, and no longer than the longest.
  void add(std::string_view word, uint64_t hash, const int32_t *first,
           size_t count) {
    if (used == slotCount / 2) {
      slots.assign(slotCount, Slot());
      words.clear();
      ids.clear();
      used = 0;
    }
    size_t at = hash & mask;
    while (slots[at].hash)
      at = (at + 1) & mask;
    slots[at] = {hash, static_cast<uint32_t>(words.size()),
                 static_cast<uint32_t>(ids.size()),
                 static_cast<uint16_t>(word.size()),
                 static_cast<uint16_t>(count)};
    words.insert(words.end(), word.begin(), word.end());
    ids.insert(ids.end(), first, first + count);
    ++used;
  }

private:
  static constexpr uint64_t factor = 0x9e3779b97f4a7c15u;
  static constexpr size_t slotCount = 1 << 16, mask = slotCount - 1;
  struct Slot {
    uint64_t hash = 0; ///< 0: the slot is free
    uint32_t word = 0, ids = 0;
    uint16_t length = 0, count = 0;
  };
  std::vector<Slot> slots;
  std::vector<char> words;
  std::vector<int32_t> ids;
  size_t used = 0;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_WORDCACHE_H
