//===- Dice.h - Random choices of mutators ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_FUZZ_DICE_H
#define TESSERA_TEST_FUZZ_DICE_H

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

namespace tessera::fuzz {

/// Choices that follow from the seed that libFuzzer gives a mutator.
class Dice {
public:
  explicit Dice(unsigned seed) : engine(seed) {}

  /// One of 0 to \p count - 1; \p count is positive.
  size_t below(size_t count) { return engine() % count; }
  bool oneIn(size_t count) { return below(count) == 0; }
  template <typename Choices> auto &pick(Choices &choices) {
    return choices[below(std::size(choices))];
  }

  /// 0, 1, -1, powers of two and their neighbours, limits of types: where
  /// readers go wrong.
  int64_t edgeNumber();

private:
  std::mt19937 engine;
};

/// \p bytes changed by libFuzzer's own mutations, which know nothing of their
/// structure; at most \p most of them.
std::string mutateBytes(std::string bytes, size_t most);

/// Copies \p text to \p data, which has room for \p most bytes, cut to them.
/// Returns its size: the end of a custom mutator.
size_t store(const std::string &text, uint8_t *data, size_t most);

} // namespace tessera::fuzz

#endif // TESSERA_TEST_FUZZ_DICE_H
