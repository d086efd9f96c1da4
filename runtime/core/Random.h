//===- Random.h - Random numbers by counter ---------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as
// easy as 1, 2, 3", SC11). A number is a function of a key and a counter, so
// any rank makes any element of any parameter alike.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_RANDOM_H
#define TESSERA_RUNTIME_CORE_RANDOM_H

#include <array>
#include <cstdint>
#include <vector>

namespace tessera::runtime {

/// A round of Philox 4x32 takes the products of words 0 and 2 with the
/// multipliers; the key's words grow by the increments between two rounds.
constexpr int philoxRounds = 10;
constexpr std::array<uint32_t, 2> philoxMultipliers = {0xD2511F53, 0xCD9E8D57},
                                  philoxIncrements = {0x9E3779B9, 0xBB67AE85};

/// Ten rounds of Philox 4x32.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter,
                               std::array<uint32_t, 2> key);

/// What a number is drawn for; part of the counter, so that streams of
/// different use never meet.
enum class RandomUse : uint32_t {
  Initialization = 0,
  Order = 1,
  Sampling = 2,
  Dropout = 3,
  Neighbors = 4,
  Audit = 8
};

/// The counter's last word for draw number \p draw of a training step, below
/// 2^12: the use in the low bits, so that it meets no other's. The high 16 bits
/// are left to parts of a draw, such as attention's heads.
constexpr uint32_t dropoutWord(uint32_t draw) {
  return uint32_t(RandomUse::Dropout) | draw << 4;
}

/// The counter's last word for neighbours that are drawn, with the high \p bits
/// of a position, below 2^28.
constexpr uint32_t neighborsWord(uint64_t bits) {
  return uint32_t(RandomUse::Neighbors) | uint32_t(bits) << 4;
}

/// Random numbers of one purpose, a function of all its arguments: the same on
/// every machine, in whatever order things are drawn.
class RandomSequence {
public:
  /// The sequence of the counters whose last words are \p stream.
  RandomSequence(uint64_t seed, std::array<uint32_t, 3> stream)
      : seed(seed), stream(stream) {}

  /// 32 random bits; of one sequence at most 2^34 times.
  uint32_t bits() {
    if (at == 4) {
      words = philox({block++, stream[0], stream[1], stream[2]},
                     {uint32_t(seed), uint32_t(seed >> 32)});
      at = 0;
    }
    return words[at++];
  }

  /// Uniform in [0, \p size), 0 < size < 2^32, without bias: products whose low
  /// half falls into the incomplete last part are drawn again (Lemire, "Fast
  /// random integer generation in an interval", 2019).
  uint32_t below(uint32_t size) {
    uint64_t product = uint64_t(bits()) * size;
    if (uint32_t(product) < size) {
      uint32_t least = -size % size;
      while (uint32_t(product) < least)
        product = uint64_t(bits()) * size;
    }
    return product >> 32;
  }

  /// Uniform in (0, 1).
  double uniform() { return (bits() + 0.5) * 0x1p-32; }

private:
  uint64_t seed;
  std::array<uint32_t, 3> stream;
  uint32_t block = 0;
  std::array<uint32_t, 4> words;
  int at = 4;
};

/// Four uniform numbers in (0, 1): block \p block of stream \p stream.
std::array<double, 4> uniformBlock(uint64_t seed, RandomUse use,
                                   uint32_t stream, uint64_t block);

/// Four standard normal numbers, by Box and Muller's transform of the uniform
/// ones.
std::array<double, 4> normalBlock(uint64_t seed, RandomUse use, uint32_t stream,
                                  uint64_t block);

/// Fills \p destination with elements [begin, end) of parameter number
/// \p parameter: N(0, scale^2) or uniform in (-scale, scale).
void fillRandom(float *destination, int64_t begin, int64_t end, uint64_t seed,
                uint32_t parameter, bool normal, double scale);

/// A bijection of [0, size) that depends on \p seed and \p epoch: a Feistel
/// network of four rounds on the next even power of two, walked until it
/// falls within the range (Black and Rogaway, "Ciphers with arbitrary finite
/// domains", 2002).
uint64_t permute(uint64_t index, uint64_t size, uint64_t seed, uint64_t epoch);

/// permute() of each index of [0, \p size), in far less time than one by one.
std::vector<uint64_t> permutation(uint64_t size, uint64_t seed, uint64_t epoch);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_RANDOM_H
