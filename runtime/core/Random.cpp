//===- Random.cpp - Random numbers by counter -----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Random.h"
#include <cmath>
#include <numbers>

namespace tessera::runtime {

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c,
                               std::array<uint32_t, 2> k) {
  for (int round = 0; round < philoxRounds; ++round) {
    uint64_t p0 = uint64_t(philoxMultipliers[0]) * c[0];
    uint64_t p1 = uint64_t(philoxMultipliers[1]) * c[2];
    c = {uint32_t(p1 >> 32) ^ c[1] ^ k[0], uint32_t(p1),
         uint32_t(p0 >> 32) ^ c[3] ^ k[1], uint32_t(p0)};
    k[0] += philoxIncrements[0];
    k[1] += philoxIncrements[1];
  }
  return c;
}

static std::array<uint32_t, 4> bits(uint64_t seed, RandomUse use,
                                    uint32_t stream, uint64_t block) {
  return philox({uint32_t(block), uint32_t(block >> 32), stream, uint32_t(use)},
                {uint32_t(seed), uint32_t(seed >> 32)});
}

std::array<double, 4> uniformBlock(uint64_t seed, RandomUse use,
                                   uint32_t stream, uint64_t block) {
  std::array<double, 4> result;
  std::array<uint32_t, 4> words = bits(seed, use, stream, block);
  for (int i = 0; i < 4; ++i)
    result[i] = (words[i] + 0.5) * 0x1p-32;
  return result;
}

std::array<double, 4> normalBlock(uint64_t seed, RandomUse use, uint32_t stream,
                                  uint64_t block) {
  std::array<double, 4> u = uniformBlock(seed, use, stream, block);
  for (int i = 0; i < 4; i += 2) {
    double radius = std::sqrt(-2 * std::log(u[i]));
    double angle = 2 * std::numbers::pi * u[i + 1];
    u[i] = radius * std::cos(angle);
    u[i + 1] = radius * std::sin(angle);
  }
  return u;
}

void fillRandom(float *destination, int64_t begin, int64_t end, uint64_t seed,
                uint32_t parameter, bool normal, double scale) {
  for (int64_t block = begin / 4; block * 4 < end; ++block) {
    std::array<double, 4> values =
        normal
            ? normalBlock(seed, RandomUse::Initialization, parameter, block)
            : uniformBlock(seed, RandomUse::Initialization, parameter, block);
    for (int64_t i = 0; i < 4; ++i) {
      int64_t element = block * 4 + i;
      if (element < begin || element >= end)
        continue;
      double value = normal ? values[i] : 2 * values[i] - 1;
      destination[element - begin] = static_cast<float>(scale * value);
    }
  }
}

namespace {

/// Bits of half an index of a permutation of \p size numbers.
int halfBits(uint64_t size) {
  int half = 1;
  while (half < 32 && (uint64_t(1) << (2 * half)) < size)
    ++half;
  return half;
}

constexpr uint32_t permutationRounds = 4;

/// What a round draws for the right half of an index.
uint32_t roundBits(uint64_t seed, uint64_t epoch, uint32_t round,
                   uint64_t right) {
  // The epoch and the round share a word: epochs stay below 2^30.
  uint32_t stream = uint32_t(epoch << 2) | round;
  return bits(seed, RandomUse::Order, stream, right)[0];
}

/// A permutation's result for \p index, \p draw giving roundBits().
template <typename Draw>
uint64_t walk(uint64_t index, uint64_t size, int half, Draw draw) {
  uint64_t mask = (uint64_t(1) << half) - 1;
  do {
    uint64_t left = index >> half, right = index & mask;
    for (uint32_t round = 0; round < permutationRounds; ++round) {
      uint64_t mixed = left ^ (draw(round, right) & mask);
      left = right;
      right = mixed;
    }
    index = left << half | right;
  } while (index >= size);
  return index;
}

} // namespace

uint64_t permute(uint64_t index, uint64_t size, uint64_t seed, uint64_t epoch) {
  return walk(index, size, halfBits(size), [&](uint32_t round, uint64_t right) {
    return roundBits(seed, epoch, round, right);
  });
}

std::vector<uint64_t> permutation(uint64_t size, uint64_t seed,
                                  uint64_t epoch) {
  int half = halfBits(size);
  // Right halves are few: each is drawn for once.
  uint64_t halves = uint64_t(1) << half;
  std::vector<uint32_t> drawn;
  for (uint32_t round = 0; round < permutationRounds; ++round)
    for (uint64_t right = 0; right < halves; ++right)
      drawn.push_back(roundBits(seed, epoch, round, right));
  std::vector<uint64_t> order(size);
  for (uint64_t index = 0; index < size; ++index)
    order[index] = walk(index, size, half, [&](uint32_t round, uint64_t right) {
      return drawn[round * halves + right];
    });
  return order;
}

} // namespace tessera::runtime
