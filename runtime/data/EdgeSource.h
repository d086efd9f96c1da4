//===- EdgeSource.h - Where a graph's edges come from -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_EDGESOURCE_H
#define TESSERA_RUNTIME_DATA_EDGESOURCE_H

#include <cstdint>
#include <string>
#include <type_traits>

namespace tessera::runtime {

/// Some edges in their order: edge i goes from node source[i] to node
/// target[i] and has the weight weight[i].
struct EdgeBlock {
  static constexpr int64_t room = 2048;
  int64_t count = 0;
  int32_t source[room], target[room];
  float weight[room];
};

/// A graph's edges, which can be gone through again and again: a file's, or
/// what is left of another source's.
class EdgeSource {
public:
  virtual ~EdgeSource() = default;

  virtual int64_t nodeCount() const = 0;
  /// The tensor that weighs edges; null where none does and all weights are 1.
  virtual const char *weightName() const = 0;
  /// The file that the edges come from, for errors.
  virtual const std::string &path() const = 0;
  /// Gives back the memory that reading took; it can be read again.
  virtual void release() const {}

  /// Calls \p body(const EdgeBlock &) for all edges in their order.
  template <typename Body> void forEdges(Body &&body) const {
    visitEdges(
        [](void *data, const EdgeBlock &block) {
          (*static_cast<std::remove_reference_t<Body> *>(data))(block);
        },
        const_cast<void *>(static_cast<const void *>(&body)));
  }

protected:
  using Visit = void (*)(void *body, const EdgeBlock &block);
  virtual void visitEdges(Visit visit, void *body) const = 0;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_EDGESOURCE_H
