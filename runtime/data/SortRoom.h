//===- SortRoom.h - Memory in which edges are sorted ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared by the compiler, which plans that memory, and the runtime, which sorts
// edges and sums features in it.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_SORTROOM_H
#define TESSERA_RUNTIME_DATA_SORTROOM_H

#include <algorithm>
#include <cstdint>

namespace tessera::runtime {

/// Columns of features that sums are taken of at a time.
inline constexpr int64_t featureBlock = 8;

/// Bytes that \p entries edges between \p nodes nodes, loops among them, and
/// sums over them take: the rows, and behind them first the transpose, by which
/// they are sorted, then two blocks of columns.
inline int64_t sortRoomBytes(int64_t nodes, int64_t entries) {
  auto array = [](int64_t elements) { return (4 * elements + 63) / 64 * 64; };
  int64_t rows = array(nodes + 1) + 2 * array(entries);
  return rows + std::max(rows, 2 * array(nodes * featureBlock));
}

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_SORTROOM_H
