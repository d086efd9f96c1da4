//===- Scratch.h - Memory for a while ---------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CORE_SCRATCH_H
#define TESSERA_RUNTIME_CORE_SCRATCH_H

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tessera::runtime {

/// Arrays of numbers in memory that is there, and in memory of its own where
/// that is too small.
class Scratch {
public:
  explicit Scratch(std::span<char> memory = {}) : memory(memory) {}

  /// An array of \p count elements, of undefined content.
  template <typename Element> Element *take(int64_t count) {
    size_t bytes = sizeof(Element) * count;
    void *place = memory.data();
    size_t room = memory.size();
    if (!memory.empty() && std::align(alignment, bytes, place, room)) {
      memory = {static_cast<char *>(place) + bytes, room - bytes};
      return static_cast<Element *>(place);
    }
    own.push_back(std::make_unique_for_overwrite<char[]>(bytes));
    return reinterpret_cast<Element *>(own.back().get());
  }

  /// What is left of the memory that is there: what is taken of it is free
  /// again once this takes more.
  Scratch rest() const { return Scratch(memory); }

private:
  static constexpr size_t alignment = 64;
  std::span<char> memory;
  std::vector<std::unique_ptr<char[]>> own;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CORE_SCRATCH_H
