//===- CollectiveCases.h - Collectives and their results ---------*- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_RUNTIME_COMM_COLLECTIVECASES_H
#define TESSERA_TEST_RUNTIME_COMM_COLLECTIVECASES_H

#include "runtime/core/Float16.h"
#include "runtime/program/Communicator.h"

/// Element \p i of what \p rank holds in round \p round: of magnitudes so
/// different that the order of a sum shows in its last bits.
inline float valueOf(int rank, int round, int64_t i) {
  uint32_t hash = static_cast<uint32_t>(i) * 0x9E3779B9u +
                  static_cast<uint32_t>(rank * 31 + round) * 0x85EBCA6Bu;
  hash = (hash ^ hash >> 15) * 0x2C1B3C6Du;
  hash ^= hash >> 12;
  float magnitude = static_cast<float>(1 << hash % 16);
  return static_cast<float>(static_cast<int32_t>(hash)) * 0x1p-31f * magnitude;
}

inline double widen(double number) { return number; }
inline float widen(float number) { return number; }
inline float widen(tessera::runtime::BFloat16 number) {
  return tessera::runtime::toFloat(number);
}
inline float widen(tessera::runtime::Float16 number) {
  return tessera::runtime::toFloat(number);
}
inline double widen(int8_t number) { return number; }

/// \p number as an element in memory.
template <typename Element> Element narrow(double number) {
  return static_cast<Element>(number);
}
template <> inline tessera::runtime::BFloat16 narrow(double number) {
  return tessera::runtime::toBFloat16(static_cast<float>(number));
}
template <> inline tessera::runtime::Float16 narrow(double number) {
  return tessera::runtime::toFloat16(static_cast<float>(number));
}
template <> inline int8_t narrow(double number) {
  return static_cast<int8_t>(static_cast<int64_t>(1000 * number));
}

/// The sum of elements that hold valueOf, in the type that sums have.
template <typename Element>
auto sumOf(const std::vector<int> &ranks, int round, int64_t i) {
  auto sum = widen(narrow<Element>(valueOf(ranks[0], round, i)));
  for (size_t rank = 1; rank < ranks.size(); ++rank)
    sum += widen(narrow<Element>(valueOf(ranks[rank], round, i)));
  return sum;
}

/// The ranks of \p size that run \p collective with \p own, and that one.
std::vector<int> membersOf(const tessera::runtime::Collective &collective,
                           int own, int size);

/// What reductions do beside summing.
enum class Sums {
  All,  ///< also into another type, or added to what the destination holds
  Plain ///< what NCCL can do
};

/// Adds collectives of each kind and type to \p program, among all of \p ranks
/// and, of four ranks, along either axis of a grid of two by two.
void addCollectives(tessera::runtime::Program &program, int ranks,
                    int64_t elements, Sums sums);

/// Adds one with room for its source and destination.
void addCollective(tessera::runtime::Program &program,
                   tessera::runtime::CollectiveKind kind, int64_t elements,
                   bool inPlace, bool accumulate,
                   tessera::runtime::ElementType type,
                   tessera::runtime::ElementType destinationType,
                   int members = 0, int step = 1);

/// How a test reaches an arena: the host's copy of it, and how bytes of that
/// get there and back.
class Mirror {
public:
  virtual ~Mirror() = default;
  virtual void push(int64_t offset, int64_t bytes) = 0;
  virtual void pull(int64_t offset, int64_t bytes) = 0;
  char *host = nullptr;
};

/// Fills sources, runs the collective some rounds, and expects the destination
/// to be the sum in rank order, to the bit. Ranks race through the rounds as
/// fast as fences allow.
void checkCollective(tessera::runtime::Communicator &communicator,
                     Mirror &mirror,
                     const tessera::runtime::Collective &collective);

#endif // TESSERA_TEST_RUNTIME_COMM_COLLECTIVECASES_H
