//===- QuantizedWeights.cpp - Weights as 8-bit integers -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/QuantizedWeights.h"
#include "runtime/core/Error.h"
#include "runtime/core/Float16.h"
#include "runtime/core/Threads.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace tessera::runtime {

static constexpr int64_t roundUp(int64_t value, int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

/// The smallest number of 16 bits that is not below \p scale.
static Float16 roundUp(float scale) {
  Float16 rounded = toFloat16(scale);
  if (toFloat(rounded) < scale)
    ++rounded.bits;
  return rounded;
}

namespace {

/// A matrix's bytes.
class Tiles {
public:
  Tiles(char *memory, const WeightBlocks &blocks)
      : memory(memory), blocks(blocks) {}

  /// Block \p block of column \p column from \p count numbers, \p stride apart.
  void write(int64_t block, int64_t column, const float *numbers,
             int64_t stride, int64_t count) {
    float most = 0;
    for (int64_t i = 0; i < count; ++i)
      most = std::max(most, std::abs(numbers[i * stride]));
    Float16 stored = roundUp(most / 127);
    float scale = toFloat(stored), divisor = scale > 0 ? scale : 1;
    char *tile = memory + column / blocks.columns * blocks.tileBytes;
    int64_t place = column % blocks.columns, inGroup = block % blocks.group;
    auto ofScales = static_cast<int64_t>(sizeof stored) * blocks.columns;
    int64_t ofIntegers = blocks.elements * blocks.columns;
    char *group =
        tile + block / blocks.group * blocks.group * (ofScales + ofIntegers);
    memcpy(group + inGroup * ofScales +
               static_cast<int64_t>(sizeof stored) * place,
           &stored, sizeof stored);
    char *bytes = group + blocks.group * ofScales + inGroup * ofIntegers +
                  place * blocks.together;
    for (int64_t i = 0; i < count; ++i) {
      // What is no number becomes one; the loader refuses it.
      float whole = std::nearbyint(numbers[i * stride] / divisor);
      whole = std::fmax(-127.0f, std::fmin(127.0f, whole));
      bytes[i / blocks.together * blocks.columns * blocks.together +
            i % blocks.together] =
          static_cast<char>(static_cast<int>(whole) + blocks.offset);
    }
  }

private:
  char *memory;
  const WeightBlocks &blocks;
};

} // namespace

/// Blocks along rows of the matrix: a row is a column of blocks.
static void quantizeAlongRows(const GroupTensor &tensor, Range rows,
                              const GiveNumbers &give, Tiles tiles) {
  const WeightBlocks &blocks = *tensor.blocks;
  int64_t inner = tensor.shape[1];
  parallelFor(rows.size(), 16, [&](int64_t begin, int64_t end) {
    std::vector<float> numbers(std::max<int64_t>(1, 1024 / blocks.elements) *
                               blocks.elements);
    auto most = static_cast<int64_t>(numbers.size());
    for (int64_t row = rows.begin + begin; row < rows.begin + end; ++row)
      for (int64_t at = 0; at < inner; at += most) {
        int64_t stop = std::min(at + most, inner);
        give(numbers.data(), row * inner + at, row * inner + stop);
        for (int64_t i = at; i < stop; i += blocks.elements)
          tiles.write(i / blocks.elements, blocks.first + row,
                      numbers.data() + (i - at), 1,
                      std::min(blocks.elements, stop - i));
      }
  });
}

/// Blocks along columns of the matrix, which are columns of blocks.
static void quantizeAlongColumns(const GroupTensor &tensor, Range rows,
                                 const GiveNumbers &give, Tiles tiles) {
  const WeightBlocks &blocks = *tensor.blocks;
  constexpr int64_t most = 512;
  int64_t columns = tensor.shape[1];
  int64_t pieces = (columns + most - 1) / most;
  int64_t first = rows.begin / blocks.elements;
  int64_t count = roundUp(rows.size(), blocks.elements) / blocks.elements;
  parallelFor(count * pieces, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> numbers(most * blocks.elements);
    for (int64_t i = begin; i < end; ++i) {
      int64_t block = first + i / pieces, from = i % pieces * most;
      int64_t to = std::min(from + most, columns);
      int64_t row = block * blocks.elements;
      int64_t size = std::min(blocks.elements, rows.end - row);
      for (int64_t r = 0; r < size; ++r)
        give(numbers.data() + r * most, (row + r) * columns + from,
             (row + r) * columns + to);
      for (int64_t column = from; column < to; ++column)
        tiles.write(block, column, numbers.data() + (column - from), most,
                    size);
    }
  });
}

void quantizeRows(char *memory, const GroupTensor &tensor, Range rows,
                  const GiveNumbers &give) {
  const WeightBlocks &blocks = *tensor.blocks;
  Tiles tiles(memory, blocks);
  if (blocks.along == 1)
    quantizeAlongRows(tensor, rows, give, tiles);
  else
    quantizeAlongColumns(tensor, rows, give, tiles);
}

void quantizeTensor(const tessera_context &context, const GroupTensor &tensor,
                    const GiveNumbers &give,
                    const std::function<void(int64_t, int64_t)> &done) {
  const WeightBlocks &blocks = *tensor.blocks;
  const State &state = requireState(context, parameterState, tensor.group);
  int64_t rows = tensor.shape[0], width = tensor.shape[1];
  int64_t columns = blocks.along == 1 ? blocks.first + rows : width;
  int64_t bytes =
      roundUp(columns, blocks.columns) / blocks.columns * blocks.tileBytes;
  if (state.type != ElementType::I8 || state.sharded ||
      tensor.offset + bytes > state.elements)
    fatal("the embedded manifest has no room for the blocks of '%s'",
          tensor.name.c_str());
  constexpr int64_t mostNumbers = 1 << 18;
  int64_t atOnce =
      roundUp(std::max<int64_t>(1, mostNumbers / width), blocks.elements);
  context.device->write(context.arena + state.offset + tensor.offset, bytes,
                        [&](char *memory, int64_t, int64_t) {
                          for (int64_t begin = 0; begin < rows;
                               begin += atOnce) {
                            int64_t end = std::min(begin + atOnce, rows);
                            quantizeRows(memory, tensor, {begin, end}, give);
                            if (done)
                              done(begin * width, end * width);
                          }
                        });
}

} // namespace tessera::runtime
