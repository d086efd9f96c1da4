//===- WeightBlocks.h - Weights as 8-bit integers ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How the bytes of a weight lie that programs read in blocks. A block is 32
// weights of one column of op(b), one after the other along the inner
// dimension: integers from -127 to 127, and their scale in fp16. A tile has 16
// columns and is what one thread streams, two blocks of each column at a time:
//
//   [2][16 columns]       their scales
//   [2][8][16 columns][4] the integers plus 128, four of a column together
//
// so that an instruction multiplies four weights of each column by the same
// four numbers of a row, adds them up a lane a column, and the scales are one
// vector. Memory is read from a tile's beginning to its end: scales that lay
// behind all integers would be a second stream, which costs an eighth of the
// rate. The last of an odd number of blocks has room for two blocks' scales,
// too. Bytes behind the last column, or inner place, are there and mean
// nothing; the scales of columns that are not there are 0.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_WEIGHTBLOCKS_H
#define TESSERA_DIALECTS_NN_WEIGHTBLOCKS_H

#include <cstdint>

namespace tessera::nn {

struct WeightBlocks {
  /// Weights of a block, and columns of a tile.
  static constexpr int64_t blockInner = 32, tileColumns = 16;
  /// Weights of a column that lie together.
  static constexpr int64_t together = 4;
  /// Blocks of a column whose scales lie together: those of all columns fill a
  /// line of a CPU's cache, and vectors of integers lie within lines.
  static constexpr int64_t groupBlocks = 2;
  /// What is added to an integer, so that it has no sign.
  static constexpr int64_t integerOffset = 128;
  /// Bytes of the integers of a tile's block.
  static constexpr int64_t blockBytes = blockInner * tileColumns;
  /// Bytes of the scales of a tile's block, and of a group's.
  static constexpr int64_t scaleBytes = 2 * tileColumns;
  static constexpr int64_t groupScaleBytes = groupBlocks * scaleBytes;
  static constexpr int64_t groupBytes =
      groupScaleBytes + groupBlocks * blockBytes;

  int64_t inner, columns;

  int64_t getBlocks() const { return (inner + blockInner - 1) / blockInner; }
  int64_t getTiles() const { return (columns + tileColumns - 1) / tileColumns; }
  /// From a tile's beginning to a block's scales and to its integers.
  static int64_t getScalePlace(int64_t block) {
    return block / groupBlocks * groupBytes + block % groupBlocks * scaleBytes;
  }
  static int64_t getIntegerPlace(int64_t block) {
    return block / groupBlocks * groupBytes + groupScaleBytes +
           block % groupBlocks * blockBytes;
  }
  int64_t getTileBytes() const {
    return getBlocks() ? getIntegerPlace(getBlocks() - 1) + blockBytes : 0;
  }
  int64_t getBytes() const { return getTiles() * getTileBytes(); }
};

} // namespace tessera::nn

#endif // TESSERA_DIALECTS_NN_WEIGHTBLOCKS_H
